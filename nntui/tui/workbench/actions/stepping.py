"""Actions that train: by updates and epochs, on and on, faster and slower."""

from functools import partial

from nntui.timeline.history.termination import BUDGET, Termination
from nntui.tui.actions import fill_keys
from nntui.tui.workbench.bench import Bench, Handlers

MANY_EPOCHS = 100


class Stepping:
    """Trains from the cursor on, or at the head alone."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._warned: object = None
        """Where somebody was told that the budget is spent."""
        self._beyond: object = None
        """The branch that is trained beyond its budget."""
        self.handlers: Handlers = {
            "one_update": self._one_update,
            "one_epoch": partial(self._epochs, 1),
            "many_epochs": partial(self._epochs, MANY_EPOCHS),
            "run": self._run,
            "train_on": self._train_on,
            "faster": partial(self._change_speed, 1),
            "slower": partial(self._change_speed, -1),
        }

    def _one_update(self) -> None:
        self._bench.control.train_to(self._bench.run_shown.update + 1)

    def _epochs(self, count: int) -> None:
        run = self._bench.run_shown
        self._bench.control.train_to(run.end_of(run.epoch + count - 1))

    def _run(self) -> None:
        """Run, or pause."""
        if self._bench.control.pause():
            self._bench.show("")
        elif self._bench.run_shown.divergence is not None:
            self._bench.show("diverged: go back, or take another seed")
        elif self._asks_first():
            epochs = f"{self._bench.run_shown.preset.goal.epochs:,}"
            said = f"the budget of {epochs} epochs is spent; {{run}} again trains beyond it"
            self._bench.show(fill_keys(said))
        else:
            self._bench.control.play("{run} pauses")

    def _asks_first(self) -> bool:
        """Whether the budget is spent here, and nobody has said yet to go on beyond it."""
        run = self._bench.run_shown
        place = (run.branch, run.update)
        spent = Termination().reason(run) == BUDGET and run.update == run.head
        known, self._warned = self._warned == place or self._beyond is run.branch, place
        if spent and known:
            self._beyond = run.branch
        return spent and not known

    def _train_on(self) -> None:
        """Train at the head, whatever the cursor shows; or pause."""
        run, control = self._bench.run_shown, self._bench.control
        if control.pause():
            self._bench.show("")
        elif run.branch.divergence is not None:
            self._bench.show("the head has diverged")
        else:
            note = "training at the head; {train_on} pauses"
            control.play(note, follows=run.update == run.head)

    def _change_speed(self, by: int) -> None:
        self._bench.control.player.change_speed(by)
        self._bench.show()
