"""Differential rendering with backpressure: only changes are sent, and frames never queue up."""

from time import monotonic

from rich.color import ColorSystem
from rich.console import RenderableType
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.binding import Binding
from textual.driver import Driver
from textual.events import Event, Key, MouseDown, Resize
from textual.geometry import Region
from textual.screen import Screen
from textual.timer import Timer

from nntui.tui.terminal.link import Link, linked
from nntui.tui.terminal.profile import Profile
from nntui.tui.terminal.screen_diff import ScreenPicture

AGAIN = 0.01
"""Seconds until a busy line is looked at again."""
ATTENTION = 1.0
"""Seconds after a key in which its answer is sent before all else."""
READ_FIRST = "-read-first"
"""The class of widgets with messages, which are sent before others."""
SYNC_START, SYNC_END = "\x1b[?2026h", "\x1b[?2026l"


class ThriftyApp(App[None]):
    """Draws what Textual composes, as far as it differs from what the terminal shows.

    While the line is busy, what is to be shown is only noted; the next frame is what is wanted
    when the line is free, so that the last state is always drawn.
    """

    BINDINGS = [Binding("ctrl+z", "suspend_process", "to the shell", show=False)]

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self._link = Link(remote=profile.remote)
        super().__init__()
        self._picture: ScreenPicture | None = None
        self._waiting: Timer | None = None
        self._pressed, self._rest_next = -ATTENTION, False

    def get_driver_class(self) -> type[Driver]:
        """The system's own, with an eye on what it writes."""
        return linked(super().get_driver_class(), self._link)

    async def _shutdown(self) -> None:
        # Textual mounts nothing into a screen that is closing, and one without its panels fails.
        for screen in self.screen_stack:
            await screen._mounted_event.wait()
        await super()._shutdown()

    @property
    def line_is_busy(self) -> bool:
        """Whether a frame made now would have to wait."""
        return self._link.busy

    def on_resize(self, event: Resize) -> None:
        """Draw all of it: the terminal may have cut off what it showed, or come back."""
        if self._picture is not None:
            self._picture.forget()
            self.screen.refresh()

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        if not isinstance(renderable, LayoutUpdate | ChopsUpdate) or self._is_mute:
            super()._display(screen, renderable)
            return
        try:
            self._note(renderable)
            self._send()
        except Exception as error:
            self._handle_exception(error)
        finally:
            self.post_display_hook()

    @property
    def _is_mute(self) -> bool:
        """Whether nothing may be drawn; then Textual knows what to do."""
        return (
            self._batch_count > 0
            or not self._running
            or self._closed
            or self.is_headless
            or self._driver is None
            or self._driver.is_inline
        )

    def _note(self, update: LayoutUpdate | ChopsUpdate) -> None:
        """Want what ``update`` would draw."""
        width, height = self.size
        picture = self._picture
        if picture is None or (picture.width, picture.height) != (width, height):
            colours = self.console._color_system or ColorSystem.TRUECOLOR
            picture = ScreenPicture(width, height, colours, ascii_only=self.profile.ascii)
            self._picture = picture
        if isinstance(update, LayoutUpdate):
            for y, strips in enumerate(update.strips, update.region.y):
                x = update.region.x
                for strip in strips:
                    picture.put(x, y, strip)
                    x += strip.cell_length
            return
        for y, first, last in update.spans:
            for end, (x, part) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                if part is not None and x <= last and end > first:
                    picture.put(x, y, part.crop(0, min(end, last) - x))

    def _send(self) -> None:
        """Draw what is wanted, now or as soon as the line is free."""
        if self._waiting is not None:
            return
        if self._link.busy:
            self._waiting = self.set_timer(AGAIN, self._send_again)
            return
        if self._picture is not None and self._driver is not None:
            changes = self._picture.changes(self._link.room, self._first())
            if not self._picture.is_shown:
                self._waiting = self.set_timer(AGAIN, self._send_again)
            cursor = self.screen.outer_size.clamp_offset(self.cursor_position)
            if not changes and cursor == self._previous_cursor_position:
                return
            self._previous_cursor_position = cursor
            changes += f"\x1b[{cursor.y + 1};{cursor.x + 1}H"
            if self._sync_available:
                changes = SYNC_START + changes + SYNC_END
            self._driver.write(self._link.frame(changes))

    def _first(self) -> list[Region]:
        """What is sent before the rest on a slow line: the messages, and what has the focus.

        Where nothing was pressed, the rest has its turn in between: these may change all the time.
        """
        if self._link.room is None:
            return []
        self._rest_next = not self._rest_next and monotonic() > self._pressed + ATTENTION
        if self._rest_next:
            return []
        looked_at = list(self.screen.query(f".{READ_FIRST}, Toast"))
        if self.screen.focused is not None:
            looked_at.append(self.screen.focused)
        return [each.region for each in looked_at if each.is_on_screen]

    async def on_event(self, event: Event) -> None:
        """Note when something was pressed."""
        if isinstance(event, Key | MouseDown):
            self._pressed = monotonic()
        await super().on_event(event)

    def _send_again(self) -> None:
        self._waiting = None
        if self._running and not self._closed:
            self._send()
