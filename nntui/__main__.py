"""The program ``nntui``, which is also ``python -m nntui``."""

import signal
import sys
import warnings


def start() -> int:
    """Run the command line, and return its exit code.

    Ctrl+C ends it at once and silently, like SIGTERM, where a command does not say otherwise: an
    exception would be printed if it came while modules are imported, or behind the last line.
    """
    if not sys.warnoptions:  # none of a library's is for the person at the terminal
        warnings.simplefilter("ignore")
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from nntui.cli import main

    return main()


if __name__ == "__main__":
    sys.exit(start())
