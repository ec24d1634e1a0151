"""The diagnosis of a case: code checks, proofs, measurements, and their order."""

from nntui.diagnosis.case import Case
from nntui.diagnosis.finding import Diagnosis


def diagnose(case: Case) -> Diagnosis:
    """What is wrong with the run of ``case``; a pure function, so any thread may call it."""
    return Diagnosis(update=case.state.update, learns=case.solved, findings=())
