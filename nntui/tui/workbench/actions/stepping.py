"""Actions that train: by updates and epochs, on and on, faster and slower."""

from functools import partial

from nntui.tui.workbench.bench import Bench, Handlers

MANY_EPOCHS = 100


class Stepping:
    """Trains from the cursor on, or at the head alone."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
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
        else:
            self._bench.control.play("{run} pauses")

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
