"""The diagnosis: why a network does not learn, with evidence and a fix that was tried.

`subject` is what is seen of the program, `finding` what can be said of it.  Nothing here reads
which faults a preset has switched on.
"""

from nntui.diagnosis.finding import Diagnosis, Finding, Fix, Rule
from nntui.diagnosis.subject import Program, Subject

__all__ = ["Diagnosis", "Finding", "Fix", "Program", "Rule", "Subject"]
