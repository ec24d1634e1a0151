"""A preset as a script of its own, for a reader who has no nntui.

`script` is the frame that both targets share; `numpy_script` and `pytorch_script` write what one
update is; the sections of data and parameters, `functions` and `fault_comments` are the parts.  Rows are samples here, as
in most programs: an activation is (samples, units), W is (units out, units in).
"""

from nntui.export.script import TARGETS, export

__all__ = ["TARGETS", "export"]
