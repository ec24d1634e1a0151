"""What `nntui why FILE.py` answers: why a program does not learn, and how that is known."""

from dataclasses import dataclass
from typing import Any

from nntui.diagnosis.experiments.results import Experiment, Experiments
from nntui.diagnosis.explanation import Explanation
from nntui.program.answer import ProgramCheck
from nntui.program.why.findings.located import Located


@dataclass(frozen=True)
class ProgramAnswer(Explanation):
    """What is wrong with a program, what fixes it, and how that is known."""

    program: str
    """The path, as it was given."""
    seed: int | None
    """The seed that was asked for, or that nntui chose; None where the program's own stand."""
    check: ProgramCheck
    updates: int
    """The number of updates that its run was followed for."""
    epochs: int
    """The turns of its outermost loop of training that these are."""
    loss: float | None
    """That of its own run at the end."""
    missed: float | None
    """Its loss as a share of what a constant answer, or the first weights, give."""
    goal: str
    """What counts as learned, in words; empty where that is not known."""
    solved: bool
    findings: tuple[Located, ...]
    checked: tuple[str, ...]
    experiments: Experiments | None
    recognised: str | None = None
    """The preset that is proven to compute the same, as a preset string; None if none is."""
    through_preset: bool = False
    """Whether the experiments were made with that preset."""
    confirmed: Experiment | None = None
    """The recommended change in the program itself, where the others were made with the preset."""
    interrupted: bool = False
    limits: tuple[str, ...] = ()
    """What was examined only in part, in words."""
    decided: bool = True
    untold: str = ""
    """Why no run was followed, as a clause; empty where one was."""

    @property
    def headline(self) -> Located | None:
        """See `Explanation.headline`."""
        return self.findings[0] if self.findings else None

    @property
    def is_untried(self) -> bool:
        """Whether the headline is a code fault whose mend could not be tried."""
        headline = self.headline
        return headline is not None and headline.rule.is_code_fault and self.own is None

    @property
    def recommended(self) -> Experiment | None:
        """See `Explanation.recommended`; what is proven wrong comes before what seems to help."""
        return None if self.is_untried else super().recommended

    def as_json(self) -> dict[str, Any]:
        """What ``why --json`` prints."""
        return {
            "program": self.program,
            "seed": self.seed,
            **self.explained_json(),
            "experiments": self._experiments_json(),
            "updates": self.updates,
            "solved": self.solved,
            "checked": list(self.checked),
            "limits": list(self.limits),
            "recognised": self.recognised,
        }

    def _experiments_json(self) -> list[dict[str, Any]]:
        """All experiments, and what each ran: the program, or the preset that is the same."""
        made = [] if self.experiments is None else self.experiments.as_json()
        ran = "preset" if self.through_preset else "program"
        found = [{**each, "ran": ran} for each in made]
        if self.confirmed is not None:
            found.insert(0, {**self.confirmed.as_json(), "ran": "program"})
        return found

    @property
    def text(self) -> str:
        """The answer in lines of at most 80 columns."""
        from nntui.program.why.program_answer_text import render_program_answer

        return render_program_answer(self)
