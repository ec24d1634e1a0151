"""The line in which a value of an entry is written."""

from nntui.tui.panels.ordered_input import OrderedInput


class EntryInput(OrderedInput):
    """An input as one line among others; what is typed first replaces what stood there."""

    DEFAULT_CSS = """
    EntryInput {
        border: none; height: 1; padding: 0; background: $boost;
        &:focus { border: none; }
    }
    """

    def __init__(self) -> None:
        # What is typed fast comes before the event of the focus, which would select it.
        super().__init__(select_on_focus=False)

    def open(self, value: str) -> None:
        """Take the focus, with ``value`` to be replaced or changed."""
        self.value = value
        self.display = True
        self.screen.set_focus(self)
        self.action_select_all()
