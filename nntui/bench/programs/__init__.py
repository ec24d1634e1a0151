"""The score of the check of a person's own program: on known programs, and on mutants of them."""

from nntui.bench.programs import program_score_text
from nntui.bench.programs.checked import cases, check_all

KEPT_APART, TUNING = "kept-apart", "tuning"

__all__ = ["KEPT_APART", "TUNING", "cases", "check_all", "program_score_text"]
