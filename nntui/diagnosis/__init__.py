"""Diagnosis: why a network does not learn, with evidence and a fix that has been tried.

`subject` is the view of the program, `finding` the form of a result.  Nothing here reads which
faults a preset has switched on.
"""

from nntui.diagnosis.finding import Diagnosis, Finding, Fix, Rule
from nntui.diagnosis.subject import Program, Subject

__all__ = ["Diagnosis", "Finding", "Fix", "Program", "Rule", "Subject"]
