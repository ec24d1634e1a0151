"""A dialog that asks what to change: KEY=VALUE, or one of the suggested changes."""

from collections.abc import Callable, Sequence

from textual.content import Content
from textual.events import Key
from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from nntui.core.errors import ConfigError, quoted
from nntui.presets.editing.entries import Changes
from nntui.presets.schema import parse_value
from nntui.presets.variations import Variation
from nntui.tui.panels.paged_list import PagedList
from nntui.tui.screens.dialogs.ask import Ask

HINT = "key=value as in the preset, such as training.momentum=0.9; or choose with the down arrow:"


def read_changes(text: str) -> Changes:
    """``key=value; key=value`` as dotted keys; ConfigError for what is none."""
    changes: Changes = {}
    for part in text.split(";"):
        key, equals, value = part.partition("=")
        if not part.strip():
            continue
        if not equals or not key.strip() or not value.strip():
            raise ConfigError("", f"{quoted(part.strip())} is not KEY=VALUE")
        changes[key.strip()] = parse_value(value.strip())
    if not changes:
        raise ConfigError(
            "", "give key=value, such as training.learning_rate=0.1, or choose with the down arrow"
        )
    return changes


class AskChange(Ask[Changes]):
    """Asks for dotted keys and their values; some are ready to be chosen."""

    DEFAULT_CSS = """
    AskChange OptionList {
        height: auto; max-height: 14; border: none; padding: 0; background: $surface;
        &:focus { border: none; }
    }
    """

    def __init__(
        self, title: str, check: Callable[[Changes], object], ready: Sequence[Variation]
    ) -> None:
        """``check`` raises ConfigError for changes that cannot be made."""

        def read(text: str) -> Changes:
            changes = read_changes(text)
            check(changes)
            return changes

        super().__init__(title, HINT, read)
        self._ready, self._check = list(ready), check

    def below(self) -> list[Widget]:
        """The changes that are ready."""
        return [
            PagedList(
                *(Option(Content(words), id=str(at)) for at, (words, _) in enumerate(self._ready))
            )
        ]

    async def on_mount(self) -> None:
        """Nothing is chosen before the arrows say so."""
        self._chosen: int | None = None
        self.query_one(OptionList).highlighted = None
        self.query_one(Input).focus()

    def on_key(self, event: Key) -> None:
        """The arrows lead from the input to what is ready, and back.

        The focus follows later than the next key may come, so what is chosen is known without it.
        """
        ready = self.query_one(OptionList)
        if event.key not in ("down", "up") or not self._ready:
            return
        at = -1 if self._chosen is None else self._chosen
        at += 1 if event.key == "down" else -1
        self._chosen = min(at, len(self._ready) - 1) if at >= 0 else None
        ready.highlighted = self._chosen
        (self.query_one(Input) if self._chosen is None else ready).focus()
        event.prevent_default().stop()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take what is chosen; where nothing is, the base takes what is written."""
        if self._chosen is not None:
            event.prevent_default()
            self._take(self._chosen)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take the chosen one."""
        self._take(event.option_index)

    def _take(self, chosen: int) -> None:
        changes = self._ready[chosen][1]
        try:
            self._check(changes)
        except ConfigError as error:
            self.complain(str(error))
        else:
            self.dismiss(changes)
