"""The workbench's actions that train: by updates and epochs, on and on, faster and slower."""

from nntui.tui.actions import fill_keys
from nntui.tui.workbench.training_screen import TrainingScreen

MANY_EPOCHS = 100


class Stepping(TrainingScreen):
    """Training from the cursor on, or at the head alone."""

    def action_one_update(self) -> None:
        """Make one update."""
        self.train_to(self.run_shown.update + 1)

    def _train_epochs(self, epochs: int) -> None:
        self.train_to(self.run_shown.end_of(self.run_shown.epoch + epochs - 1))

    def action_one_epoch(self) -> None:
        """Train to the end of the epoch."""
        self._train_epochs(1)

    def action_many_epochs(self) -> None:
        """Train many epochs."""
        self._train_epochs(MANY_EPOCHS)

    def action_run(self) -> None:
        """Run, or pause."""
        if self.pause():
            self.show("")
        elif self.run_shown.divergence is not None:
            self.show("diverged: go back, or take another seed")
        else:
            self._run("{run} pauses")

    def action_train_on(self) -> None:
        """Train at the head, whatever the cursor shows; or pause."""
        if self.pause():
            self.show("")
        elif self.run_shown.branch.divergence is not None:
            self.show("the head has diverged")
        else:
            self.player.follows = self.run_shown.update == self.run_shown.head
            self._run("training at the head; {train_on} pauses")

    def _run(self, note: str) -> None:
        player = self.player
        over = player.ending.reason(player.line) is not None
        follows = player.follows
        self.play(
            player.play, fill_keys("beyond the end; {run} pauses" if over else note), endless=True
        )
        player.follows = follows

    def action_faster(self) -> None:
        """Run faster."""
        self.player.change_speed(1)
        self.show()

    def action_slower(self) -> None:
        """Run slower."""
        self.player.change_speed(-1)
        self.show()
