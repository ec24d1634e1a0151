"""The status of a program: where it stands, what it is doing, and its loss; always visible."""

from dataclasses import dataclass
from textwrap import wrap

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from nntui.program.debugging.program_branch import ending_in_words
from nntui.program.debugging.seen import MERELY_TOLD, ProgramSeen
from nntui.tui.drawing.printed_text import in_one_line
from nntui.tui.panels.status_line import beside_hash, loss_text
from nntui.tui.programs.panels.value_text import where_of
from nntui.tui.terminal.backpressure import READ_FIRST

CHECKING, RUNNING, PAUSED, PAST = "checking", "running", "paused", "at the past"
MOVING = "moving"
ENDED, CRASHED, STUCK = "ended", "crashed", "cannot be stepped"
KEPT = "as saved"
_STYLES = {
    CHECKING: "bold $text-success",
    RUNNING: "bold $text-success",
    MOVING: "bold $text-success",
    PAUSED: "bold $text-primary",
    PAST: "bold $text-warning",
    KEPT: "bold $text-warning reverse",
    ENDED: "bold $text-warning",
    CRASHED: "bold $text-error reverse",
    STUCK: "bold $text-error reverse",
}


@dataclass(frozen=True, eq=False)
class ProgramStatusContent:
    """What the status says."""

    seen: ProgramSeen
    state: str


MOST_ROWS = 4
"""Of the sentence that says why a program cannot be stepped, or how it ended."""


class ProgramStatus(Widget):
    """Two lines: program, branch, seed, state and hash; update, epoch, loss, verdict.

    Why a program cannot be stepped, or how it went wrong, takes as many rows as it needs.
    """

    DEFAULT_CLASSES = READ_FIRST
    DEFAULT_CSS = """
    ProgramStatus { height: 2; padding: 0 1; background: $panel; color: $foreground; }
    """

    content: reactive[ProgramStatusContent | None] = reactive(None)
    """What is said."""

    def watch_content(self) -> None:
        """Take the rows that it needs."""
        self._take_rows()

    def on_resize(self) -> None:
        """Likewise in another width."""
        self._take_rows()

    def _take_rows(self) -> None:
        rows = 1 + max(len(self._trouble()), 1)
        if self.styles.height is None or self.styles.height.value != rows:
            self.styles.height = rows

    def _trouble(self) -> list[str]:
        """Why it cannot be stepped, or how it went wrong, in rows; none where all is well."""
        if self.content is None:
            return []
        seen = self.content.seen
        text = seen.problem
        ending = seen.ending
        if not text and ending is not None and ending.kind != "end" and seen.update >= seen.head:
            told = ending_in_words(ending.kind, ending.code, ending.message, ending.line)
            text = f"update {seen.update:,}  {told}"
        rows = wrap(in_one_line(text), max(self.size.width, 20))
        if len(rows) > MOST_ROWS:
            rows[MOST_ROWS - 1 :] = [f"{rows[MOST_ROWS - 1][: max(self.size.width - 1, 0)]}…"]
        return rows

    def _left(self, content: ProgramStatusContent) -> Content:
        seen = content.seen
        branch = f" / {seen.branch.name}" if len(seen.branches) > 1 else ""
        seed = "own seed" if seen.seed is None else f"seed {seen.seed}"
        seed += " (set by nntui)" if seen.seeded_by_us and not seen.update else ""
        name = seen.path.rpartition("/")[2]
        return Content.assemble(
            (name, "bold"),
            branch if len(branch) < 24 else f"{branch[:23]}…",
            f"  {seed}  ",
            (content.state, _STYLES[content.state]),
        )

    def render(self) -> Content:
        """Both lines, cut to the width; the hash stands at the right."""
        content = self.content
        if content is None:
            return Content("")
        seen, width = content.seen, self.size.width
        first = beside_hash(self._left(content), seen.state_hash, width)
        trouble = self._trouble()
        if trouble:
            return Content("\n").join([first, *(Content.styled(x, "$text-error") for x in trouble)])
        head = f" of {seen.head:,}" if seen.update < seen.head else ""
        epoch = f"  epoch {seen.epoch:,}" if seen.epoch_loop is not None else ""
        second = Content.assemble(
            f"update {seen.update:,}{head}{epoch}  loss ",
            (loss_text(seen.loss), "bold"),
            "  ",
            _verdict(seen),
            ("  file edited" if seen.edited else "", "bold $text-warning"),
            (f"  {seen.loss_name}" if seen.loss_name else "", "$foreground-muted"),
        )
        return Content("\n").join([first, second.truncate(width, ellipsis=True)])


def _verdict(seen: ProgramSeen) -> Content:
    check = seen.check
    if check is None:
        return Content("")
    if check.ok is None:
        return Content.styled("not proven", "$text-warning")
    if check.ok:
        return Content.styled("right", "$text-success")
    told = [each for each in check.findings if each.code not in MERELY_TOLD]
    places = sorted({where_of(each, check.program) for each in told if each.line is not None})
    where = f": {', '.join(places[:3])}" if places else ""
    return Content.styled(f"wrong{where}", "bold $text-error")
