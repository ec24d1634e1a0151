"""The Why panel: findings at the cursor with their evidence, fixes, and experiments."""

from collections.abc import Iterator

from textual.content import Content
from textual.events import Click, Resize, Show
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from nntui.diagnosis.finding import EXPERIMENT, MEASURED, PROOF, Diagnosis, Finding
from nntui.presets.preset import Preset
from nntui.presets.preset_table import in_brief
from nntui.tui.actions import WHY
from nntui.tui.key_bindings import bindings
from nntui.tui.panels.content import ExperimentReport, TriedFix, WhyContent
from nntui.tui.panels.panel import TextPanel

SURE = {PROOF: "proven", MEASURED: "measured", EXPERIMENT: "found by experiment"}
"""How sure a finding is, in words."""
Item = Finding | TriedFix
Unit = tuple[int, int]
KEYS = {action.name: action.key for action in WHY}


def since(finding: Finding) -> str:
    """Where and since when, behind how sure it is."""
    parts = [SURE[finding.rule.klass]]
    if finding.where:
        parts.append(finding.where)
    if finding.first_update is not None:
        parts.append(f"since update {finding.first_update:,}")
    return ", ".join(parts)


def units_of(item: Item | None, preset: Preset) -> frozenset[Unit]:
    """The units that a finding is about, as (layer, unit): its own, or else all of its layers."""
    if not isinstance(item, Finding):
        return frozenset()
    if item.units or item.layer is None:
        return frozenset(item.units)
    layers = preset.configuration.layers
    of = item.layers or (item.layer,)
    return frozenset((layer, unit) for layer in of for unit in range(layers[layer].units))


def explained(item: Item) -> tuple[str, list[tuple[str, str]]]:
    """A title, and headings with their texts, that explain ``item``."""
    if isinstance(item, TriedFix):
        changes = "\n".join(f"{key} = {in_brief(value)}" for key, value in item.changes.items())
        return item.fix, [("Over many seeds", item.result), ("Changed", changes)]
    rule = item.rule
    fixes = "\n".join(fix.text for fix in item.fixes)
    return rule.title, [
        ("How sure", since(item)),
        ("Evidence", item.evidence),
        ("What is computed", rule.formula),
        ("What would disprove it", rule.disproof),
        ("What fixes it", fixes),
        ("Source", rule.source),
    ]


class WhyPanel(TextPanel):
    """The findings at one update, one of them chosen, and the fixes that were tried."""

    DEFAULT_CSS = """
    WhyPanel { scrollbar-gutter: stable; }
    WhyPanel Static { height: auto; }
    WhyPanel .item { margin-bottom: 1; }
    """
    BINDINGS = bindings(WHY)

    explained = (
        "Why the network does not learn, at the update under the cursor, also in the past. The "
        "headline comes first: what is wrong, how sure that is (proven: a certificate without a "
        "tuned threshold; measured: a number beyond a threshold while progress is bad), since "
        "when, the number that shows it, what fixes it, and what you would see if it were not so. "
        "Dots behind the update: the diagnosis of a newer one is being made. Up and down choose "
        "a finding; its units have an arrow in the heatmap. The keys below go to the update where "
        "it began, explain it with its formula and source, and try its fix: as branch B, from "
        "just before it began (from update 0 where data, layers or the seed change), trained as "
        "far as A (where A is not trained yet: to its own end) and overlaid on it. "
        "The experiments train every fix from many seeds in the "
        "background, the same seeds as without it; the best stands first, and Enter makes a "
        "branch of it."
    )

    content: reactive[WhyContent] = reactive(WhyContent())
    """What is shown."""

    class Wanted(Message):
        """Something is wanted: what `Diagnosing` does by that name."""

        def __init__(self, action: str, item: Item | None) -> None:
            super().__init__()
            self.action, self.item = action, item

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "Why?"
        self._blocks: list[tuple[Content, Item | None]] = []
        self._texts: list[Content] = []
        self._choice: object = None
        """Which one somebody has chosen."""

    @property
    def items(self) -> list[Item]:
        """What can be chosen, in order."""
        return [item for _, item in self._blocks if item is not None]

    @property
    def _at(self) -> int:
        """The place of the chosen one among `items`: the first where nothing was chosen."""
        names = _names(self.items)
        return names.index(self._choice) if self._choice in names else 0

    @property
    def chosen(self) -> Item | None:
        """What is chosen."""
        items = self.items
        return items[self._at] if items else None

    def on_show(self, event: Show) -> None:
        """Ask for a diagnosis: none is made for a panel that nobody sees."""
        self.post_message(self.Wanted("look", None))

    def watch_content(self, before: WhyContent, now: WhyContent) -> None:
        """Show it; when all experiments are done, the best result is in sight."""
        self._list()
        if before.experiments.going and not now.experiments.going and now.experiments.fixes:
            self.call_after_refresh(self._show_best)

    def _show_best(self) -> None:
        shown = list(self.query(Static))
        at = next(
            (at for at, (_, item) in enumerate(self._blocks) if isinstance(item, TriedFix)), 0
        )
        if at < len(shown):
            self.scroll_to_widget(shown[at], animate=False)

    def on_mount(self) -> None:
        """Show what is known."""
        self._list()

    def action_choose(self, by: int) -> None:
        """Choose another finding or fix."""
        if self.items:
            self._choose(min(max(self._at + by, 0), len(self.items) - 1))
            # Where a block stands is known once those above it are laid out.
            self.call_after_refresh(self._bring_into_view)

    def _choose(self, at: int) -> None:
        self._choice = _names(self.items)[at]
        self._list()
        self.post_message(self.Wanted("point", self.chosen))

    def on_click(self, event: Click) -> None:
        """Choose what is under the mouse."""
        shown = list(self.query(Static))
        if isinstance(event.widget, Static) and event.widget in shown:
            item = self._blocks[shown.index(event.widget)][1]
            if item is not None:
                self._choose(next(at for at, each in enumerate(self.items) if each is item))

    def on_resize(self, event: Resize) -> None:
        """Keep what is chosen in view."""
        self.call_after_refresh(self._bring_into_view)

    def _bring_into_view(self) -> None:
        at = next((at for at, (_, item) in enumerate(self._blocks) if item is self.chosen), 0)
        shown = list(self.query(Static))
        if self._at == 0:
            self.scroll_home(animate=False)
        elif at < len(shown):
            self.scroll_to_widget(shown[at], animate=False, top=True)

    def action_want(self, action: str) -> None:
        """Hand on what is wanted of the chosen one."""
        if action == "try_all":
            self.scroll_end(animate=False)
        if self.chosen is not None or action == "try_all":
            self.post_message(self.Wanted(action, self.chosen))

    def _list(self) -> None:
        """Show all blocks; those that are as they were are left alone."""
        if not self.is_mounted:
            return
        before = self.chosen
        self._blocks = list(self._told())
        if self.chosen is not before:
            self.post_message(self.Wanted("mark", self.chosen))
        texts = [
            _marked(content, item is not None and item is self.chosen)
            for content, item in self._blocks
        ]
        shown = list(self.query(Static))
        for at, text in enumerate(texts):
            if at >= len(shown):
                self.mount(Static(text))
            elif text != self._texts[at]:
                shown[at].update(text)
        for at, each in enumerate(self.query(Static)):
            each.display = at < len(texts)
            each.set_class(at < len(texts) and self._blocks[at][1] is not None, "item")
        self._texts = [*texts, *self._texts[len(texts) :]]

    def _told(self) -> Iterator[tuple[Content, Item | None]]:
        """What there is to say, in blocks; some of them can be chosen."""
        content, found = self.content, self.content.diagnosis
        if found is None:
            yield Content("looking at the run ..."), None
            return
        dots = " ..." if content.awaited else ""
        yield Content.styled(f"at update {found.update:,}{dots}", "$foreground-muted"), None
        if found.headline is None:
            yield _healthy(found), None
        elif found.learns:
            said = f"{found.progress[0].upper()}{found.progress[1:]}. The program has a bug:"
            yield Content(said), None
        for at, finding in enumerate(found.findings):
            if at == 1:
                yield Content.styled("Also seen", "bold $text-accent"), None
            yield _finding(finding, leads=at == 0), finding
        if content.overlaid_fix:
            yield Content.styled("Branch B", "bold $text-accent"), None
            yield Content(f"{content.overlaid_fix}\n"), None
        yield _experiments(content.experiments), None
        for fix in content.experiments.fixes:
            yield Content.assemble((fix.fix, "bold"), "\n", fix.result), fix

    def copied(self) -> str:
        """All of it as text."""
        return "\n\n".join(content.plain for content, _ in self._blocks)


def _names(items: list[Item]) -> list[tuple[object, int]]:
    """For each of ``items`` what stays the same from one diagnosis to the next, and is its own."""
    names: list[tuple[object, int]] = []
    for item in items:
        name = (item.code, item.layer) if isinstance(item, Finding) else item.fix
        names.append((name, sum(before == name for before, _ in names)))
    return names


def _marked(content: Content, chosen: bool) -> Content:
    return Content.assemble(("> ", "bold $text-accent"), content) if chosen else content


def _healthy(found: Diagnosis) -> Content:
    checked = f"Checked: {'; '.join(found.checked)}.\n" if found.checked else "\n"
    return Content.assemble(("Nothing found.", "bold $text-success"), "\n", checked)


def _finding(finding: Finding, *, leads: bool) -> Content:
    """The title, how sure it is, the evidence, the fix, and for the headline its disproof."""
    rule = finding.rule
    parts = [
        Content.styled(rule.title, "bold $text-error" if leads else "bold"),
        Content.styled(since(finding), "$foreground-muted"),
        Content(finding.evidence),
        *(
            Content.assemble(("Fix: " if at == 0 else "Or: ", "bold $text-success"), fix.text)
            for at, fix in enumerate(finding.fixes)
        ),
    ]
    if leads:
        parts.append(Content.assemble(("Disproved by: ", "bold"), rule.disproof))
    return Content("\n").join(parts)


def _experiments(experiments: ExperimentReport) -> Content:
    heading = Content.styled("Experiments", "bold $text-accent")
    key = KEYS["want('try_all')"]
    hint = "cancels" if experiments.going else "tries the fixes over many seeds"
    hint = "runs them again" if experiments.fixes and not experiments.going else hint
    note = f"{experiments.note}; {key} {hint}" if experiments.note else f"{key} {hint}"
    return Content.assemble(heading, "\n", note)
