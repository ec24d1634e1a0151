"""The findings panel: what is wrong with the program, its line, its evidence, and its mend."""

from dataclasses import dataclass

from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from nntui.program.answer import FAULTY, NO_INFORMATION, RIGHT, ProgramCheck, ProgramFinding
from nntui.tui.actions import FINDINGS
from nntui.tui.key_bindings import bindings
from nntui.tui.panels.panel import TextPanel
from nntui.tui.programs.panels.value_text import where_of


@dataclass(frozen=True)
class FindingsContent:
    """What the panel shows."""

    check: ProgramCheck | None = None
    waiting: str = "the program is being checked ..."
    """What is said before there is a check."""
    note: str = ""
    """What was found out beside the check: of a mend, of a training."""


class FindingsPanel(TextPanel):
    """The findings, one of them chosen; the first is to be mended first."""

    DEFAULT_CSS = """
    FindingsPanel { scrollbar-gutter: stable; }
    FindingsPanel Static { height: auto; }
    FindingsPanel .item { margin-bottom: 1; }
    """
    BINDINGS = bindings(FINDINGS)

    explained = (
        "What is wrong with the program: whether the step of every parameter is the gradient of "
        "its loss, and if not, which line is at fault, with the numbers that show it and the mend "
        "in words. Proven: replacing that one value makes every wrong step right. The loss that "
        "the steps were held against is always said; where the program computes none that fits, a "
        "usual one is assumed. Up and down choose a finding, Enter goes to its line. F applies "
        "the mend as a branch, trained as far as this one and overlaid on it; X writes it."
    )

    content: reactive[FindingsContent] = reactive(FindingsContent())
    """What is shown."""
    chosen_at: reactive[int] = reactive(0)
    """The place of the chosen finding."""

    class Wanted(Message):
        """Something is wanted of a finding: ``go`` or ``point``; None where there is none."""

        def __init__(self, action: str, finding: ProgramFinding | None) -> None:
            super().__init__()
            self.action, self.finding = action, finding

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "Why?"

    @property
    def findings(self) -> tuple[ProgramFinding, ...]:
        """What can be chosen."""
        check = self.content.check
        return () if check is None else check.findings

    @property
    def chosen(self) -> ProgramFinding | None:
        """What is chosen."""
        found = self.findings
        return found[min(self.chosen_at, len(found) - 1)] if found else None

    def on_mount(self) -> None:
        """Show what is known."""
        self.call_after_refresh(self._list)

    def watch_content(self) -> None:
        """Show it."""
        self._list()

    def watch_chosen_at(self) -> None:
        """Show which."""
        self._list()
        self.call_after_refresh(self._bring_into_view)

    def action_choose(self, by: int) -> None:
        """Choose another finding."""
        if self.findings:
            self.chosen_at = min(max(self.chosen_at + by, 0), len(self.findings) - 1)
            self.post_message(self.Wanted("point", self.chosen))

    def action_want(self, action: str) -> None:
        """Hand on what is wanted of the chosen one."""
        self.post_message(self.Wanted(action, self.chosen))

    def on_click(self, event: Click) -> None:
        """Choose what is under the mouse."""
        items = list(self.query(".item"))
        if event.widget in items:
            self.chosen_at = items.index(event.widget)

    def _bring_into_view(self) -> None:
        items = list(self.query(".item"))
        if self.chosen_at == 0:
            self.scroll_home(animate=False)
        elif self.chosen_at < len(items):
            self.scroll_to_widget(items[self.chosen_at], animate=False)

    def _list(self) -> None:
        if not self.is_mounted:
            return
        told = told_of(self.content, self.chosen)
        shown = list(self.query(Static))
        for at, (text, is_item) in enumerate(told):
            if at >= len(shown):
                fresh = Static(text)
                fresh.set_class(is_item, "item")
                self.mount(fresh)
            else:
                shown[at].update(text)
                shown[at].set_class(is_item, "item")
                shown[at].display = True
        for each in shown[len(told) :]:
            each.set_class(False, "item")
            each.display = False

    def copied(self) -> str:
        """All of it as text."""
        return "\n\n".join(text.plain for text, _ in told_of(self.content, None))


def told_of(content: FindingsContent, chosen: ProgramFinding | None) -> list[tuple[Content, bool]]:
    """What there is to say, in blocks, and whether each is a finding."""
    check = content.check
    if check is None:
        return [(Content(content.waiting), False)]
    blocks = [(_headline(check), False)]
    if content.note:
        blocks.append((Content(f"{content.note}\n"), False))
    for at, finding in enumerate(check.findings):
        text = _finding(finding, where_of(finding, check.program), leads=at == 0)
        if finding is chosen:
            text = Content.assemble(("> ", "bold $text-accent"), text)
        blocks.append((text, True))
    blocks.append((_parameters(check), False))
    return blocks


def _headline(check: ProgramCheck) -> Content:
    loss = check.loss
    if check.ok is None:
        reason = check.reason or "it could not be told whether it is right"
        help_text = f"\nWhat would help: {check.option}" if check.option else ""
        return Content.assemble(("Could not tell: ", "bold $text-warning"), reason, help_text, "\n")
    title = ("Right", "bold $text-success") if check.ok else ("Wrong", "bold $text-error")
    faulty = [each for each in check.parameters if each.verdict in FAULTY]
    if not check.ok and not faulty:
        why = "a number in training is not finite; the steps are the gradient"
    elif check.ok:
        why = "every step is the gradient"
    else:
        why = "a step is not the gradient"
    parts: list[str | tuple[str, str]] = [title, f": {why}"]
    if loss is not None:
        name = loss.called if loss.kind == "own" else f"{loss.kind} (assumed)"
        parts.append(f" of {name}" + (f", line {loss.line}" if loss.line else ""))
    if check.confirmed:
        parts.append("; finite differences of the program agree")
    return Content.assemble(*parts, "\n")


def _finding(finding: ProgramFinding, where: str, *, leads: bool) -> Content:
    parts = [
        Content.assemble(
            (where or finding.code, "bold $text-error" if leads else "bold"),
            (f"  {finding.confidence}", "$foreground-muted"),
        )
    ]
    if finding.text:
        parts.append(Content.styled(finding.text.strip(), "$text-accent"))
    parts += [Content(finding.cause), Content.styled(finding.evidence, "$foreground-muted")]
    if finding.fix:
        parts.append(Content.assemble(("Fix: ", "bold $text-success"), finding.fix))
    return Content("\n").join(parts)


def _parameters(check: ProgramCheck) -> Content:
    """The verdict on each parameter."""
    if not check.parameters:
        return Content("")
    lines = [Content.styled("Parameters", "bold $text-accent")]
    for each in check.parameters:
        style = "$text-success" if each.verdict == RIGHT else "$text-error"
        style = "$foreground-muted" if each.verdict == NO_INFORMATION else style
        factor = f", step = {-each.factor:.4g} x gradient" if each.factor is not None else ""
        lines.append(Content.assemble(f"{each.name} ", (each.verdict, style), factor))
    if check.others:
        others = ", ".join(str(each.line) for each in check.others)
        lines.append(Content(f"further trainings, not looked at: line {others}"))
    return Content("\n").join(lines)
