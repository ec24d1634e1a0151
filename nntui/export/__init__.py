"""Export of a preset as a standalone script, for a reader who does not have nntui.

`script` is the frame that both targets share; `numpy_script` and `pytorch_script` write one
update; `data_section`, `parameter_section`, `functions` and `fault_comments` are its parts.
In a script rows are samples, as in most programs: an activation is (samples, units), W is
(units out, units in).
"""

from nntui.export.script import TARGETS, export

__all__ = ["TARGETS", "export"]
