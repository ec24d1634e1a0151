"""The one registry of what can be done in the app: it feeds keys, key bar, palette and help.

Presets name these actions in their stories, as ``{one_update}``; `fill_keys` puts in the keys.
"""

import re
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Action:
    """Something that can be done: its name, its keys, and how it is explained."""

    name: str
    keys: str
    """Comma-separated, in Textual's words."""
    label: str
    """One or two words for the key bar."""
    help: str
    shown: str = ""
    """The key as people read it, where Textual's word is another."""
    rank: int = 9
    """The key bar drops the highest ranks first when there is little room."""

    @property
    def key(self) -> str:
        """The first key, as people read it."""
        return self.shown or self.keys.split(",")[0]


WORKBENCH = (
    Action("one_update", "u", "update", "Make one update.", rank=1),
    Action("one_epoch", "e", "epoch", "Train to the end of this epoch.", rank=1),
    Action("many_epochs", "m", "100 epochs", "Train 100 epochs.", rank=5),
    Action(
        "run", "space", "run/pause", "Run until the budget or the stop rule; again: pause.", rank=1
    ),
    Action("one_back", "b", "back", "Go one update back.", rank=1),
    Action("jump", "j", "jump", "Go to an update by its number.", rank=3),
    Action(
        "previous_event",
        "comma",
        "event back",
        "Go to the previous event: a unit died, the loss rose, ...",
        shown=",",
        rank=5,
    ),
    Action("next_event", "full_stop", "event on", "Go to the next event.", shown=".", rank=5),
    Action(
        "when", "w", "when?", "Ask when a unit died, a weight changed sign, a loss was met.", rank=4
    ),
    Action("to_start", "0", "update 0", "Go to update 0.", rank=8),
    Action("to_head", "h", "to head", "Go to the furthest update and follow the training.", rank=7),
    Action(
        "train_on",
        "H",
        "train on",
        "Train at the head while you look at the past; again: pause.",
        rank=8,
    ),
    Action("checkpoint", "c", "checkpoint", "Set a checkpoint at this update.", rank=7),
    Action(
        "last_checkpoint",
        "B,backspace",
        "to checkpoint",
        "Back to the last checkpoint before here, or to update 0.",
        rank=8,
    ),
    Action(
        "fork", "f", "fork", "A new branch from this update on, with something changed.", rank=3
    ),
    Action(
        "change",
        "x",
        "change",
        "Change something from this update on; in the past, that forks.",
        rank=5,
    ),
    Action("edit", "E", "edit", "Edit the configuration, entry by entry.", rank=4),
    Action("undo", "U", "undo", "Take the last edit back.", rank=6),
    Action(
        "branches",
        "t",
        "branches",
        "The tree of branches: switch, overlay, rename, delete.",
        rank=4,
    ),
    Action("compare", "d", "A/B/A-B", "Heatmap of A, of the overlaid B, or of A minus B.", rank=6),
    Action("inspect", "i", "microscope", "Look at one update in arithmetic, part by part.", rank=3),
    Action(
        "heatmap",
        "v",
        "view",
        "The next kind of heatmap: z, deltas, weights, gradients, ...",
        rank=3,
    ),
    Action("layer", "L", "layer", "Heatmap of one layer, of the next, or of all.", rank=8),
    Action("sort", "A", "sort", "Heatmap sorted, the most active units first; again: not.", rank=8),
    Action("scale", "a", "scale", "Heatmap's colours by layer, the same for all, or held.", rank=8),
    Action("output", "k", "outputs", "To the outputs; again: take them away.", rank=4),
    Action(
        "output_view",
        "K",
        "output view",
        "The next view of them: of a unit, a table, a graph, ...",
    ),
    Action(
        "why", "W", "why?", "Why it does not learn, in the story's place; again: the story.", rank=4
    ),
    Action("next_seed", "n", "next seed", "A new branch from the next seed.", rank=2),
    Action("choose_seed", "N", "seed", "A new branch from a seed that you give.", rank=8),
    Action("many_seeds", "s", "100 seeds", "Train 100 seeds in the background; open one.", rank=5),
    Action("restart", "r", "restart", "A new branch from update 0 with the same seed.", rank=7),
    Action("faster", "plus,equals_sign", "faster", "Run faster.", shown="+", rank=7),
    Action("slower", "minus", "slower", "Run slower.", shown="-", rank=7),
    Action("plot", "P", "plot", "Plot the next: losses, gradients, steps, dead units.", rank=6),
    Action("recent", "G", "recent/whole", "Plot the recent epochs, or all of them.", rank=8),
    Action(
        "ghosts", "Y", "ghosts", "The other branches dotted in the loss plot; again: not.", rank=8
    ),
    Action("log_scale", "y", "log/linear", "Switch the loss axis: logarithmic or linear.", rank=8),
    Action(
        "do_step",
        "g",
        "do step",
        "Do the story's next step, and show where to look.",
        rank=1,
    ),
    Action("zoom", "z", "zoom", "Show the focused panel alone; again: all panels.", rank=4),
    Action("next_panel", "tab", "next panel", "Move the focus to the next panel.", rank=6),
    Action(
        "take", "X", "export", "Save or copy the configuration: preset, script, string.", rank=7
    ),
    Action("copy", "C", "copy", "Copy the numbers of the focused panel.", rank=8),
    Action("save", "S", "save", "Save the session now; it is also saved by itself.", rank=8),
    Action("resume", "O", "resume", "Open the latest saved session of this scenario.", rank=8),
    Action("library", "l", "library", "Back to the library of scenarios.", rank=3),
    Action("tour", "T", "tour", "Show around, in five pages.", rank=8),
    Action("help", "question_mark,f1", "help", "Explain the panel and the keys.", "?", rank=0),
    Action("manual", "f2", "manual", "Open the manual.", "F2", rank=8),
    Action("quit", "q", "quit", "Save and leave nntui.", rank=0),
)

TIMELINE = (
    Action("scrub(-1)", "left", "-1", "One update back.", shown="left", rank=0),
    Action("scrub(1)", "right", "+1", "One update on.", shown="right", rank=0),
    Action(
        "scrub(-10)",
        "shift+left,left_square_bracket",
        "-10",
        "Ten updates back.",
        shown="[",
        rank=0,
    ),
    Action("scrub(10)", "shift+right,right_square_bracket", "+10", "Ten on.", shown="]", rank=0),
    Action(
        "scrub(-100)", "ctrl+left,left_curly_bracket", "-100", "A hundred back.", shown="{", rank=0
    ),
    Action(
        "scrub(100)", "ctrl+right,right_curly_bracket", "+100", "A hundred on.", shown="}", rank=0
    ),
    Action("scrub(-1000)", "pageup", "-1000", "A thousand back.", shown="PgUp", rank=1),
    Action("scrub(1000)", "pagedown", "+1000", "A thousand on.", shown="PgDn", rank=1),
    Action("scrub_to(0)", "home", "start", "To update 0.", shown="Home", rank=1),
    Action("scrub_to(-1)", "end", "head", "To the furthest update.", shown="End", rank=1),
)
"""Only while the timeline has the focus."""

PLOT = (
    Action("look(-1)", "left", "read left", "Read the epoch before.", shown="left", rank=0),
    Action("look(1)", "right", "read right", "Read the next epoch.", shown="right", rank=0),
    Action("look(-10)", "shift+left,left_square_bracket", "-10", "Ten back.", shown="[", rank=2),
    Action("look(10)", "shift+right,right_square_bracket", "+10", "Ten on.", shown="]", rank=2),
    Action(
        "look(-100)", "ctrl+left,left_curly_bracket", "-100", "A hundred back.", shown="{", rank=2
    ),
    Action(
        "look(100)", "ctrl+right,right_curly_bracket", "+100", "A hundred on.", shown="}", rank=2
    ),
    Action("look_to(0)", "home", "first", "To the first epoch.", shown="Home", rank=2),
    Action("look_to(-1)", "end", "last", "To the last epoch.", shown="End", rank=2),
    Action("go", "enter", "go there", "Take the cursor to that epoch.", rank=1),
    Action("look_away", "delete", "no line", "Take the inspector line away.", rank=2),
)
"""Only while the plot has the focus; the same keys go as far as in the timeline."""

OUTPUT = (
    Action("choose(-1)", "left,up", "row back", "The sample before.", shown="left", rank=0),
    Action("choose(1)", "right,down", "row on", "The next sample.", shown="right", rank=0),
    Action("choose(-10)", "pageup", "-10", "Ten samples back.", shown="PgUp", rank=2),
    Action("choose(10)", "pagedown", "+10", "Ten samples on.", shown="PgDn", rank=2),
    Action("choose(-1000000)", "home", "first", "The first sample.", shown="Home", rank=2),
    Action("choose(1000000)", "end", "last", "The last sample.", shown="End", rank=2),
)
"""Only while the outputs have the focus."""

WHY = (
    Action("choose(-1)", "up", "finding back", "The finding before.", rank=3),
    Action("choose(1)", "down", "next", "The next finding, or fix that was tried.", rank=0),
    Action(
        "want('go')", "enter", "go there", "To where it began; a fix that was tried: apply.", rank=0
    ),
    Action("want('explain')", "M", "more", "More about it: formula, source, disproof.", rank=0),
    Action("want('fix')", "F", "try fix", "Try its fix as a branch, overlaid on this one.", rank=0),
    Action(
        "want('try_all')",
        "R",
        "experiments",
        "Try all fixes over many seeds in the background; again: cancel.",
        rank=1,
    ),
    Action("page_up", "pageup", "text up", "Scroll the text up.", shown="PgUp", rank=3),
    Action("page_down", "pagedown", "text down", "Scroll the text down.", shown="PgDn", rank=2),
)
"""Only while the Why panel has the focus."""

BRANCHES = (
    Action("select", "enter", "switch", "Switch to the branch under the cursor.", rank=0),
    Action("overlay", "o", "overlay", "Overlay it on the loss plot, as B; again: not.", rank=0),
    Action("rename", "underscore", "rename", "Give it another name.", shown="_", rank=1),
    Action("pin", "p", "pin", "Pin it, so that it cannot be deleted; again: unpin.", rank=1),
    Action("delete", "D,delete", "delete", "Delete it and what parted from it.", rank=1),
)
"""Only while the branches have the focus."""

HEATMAP = (
    Action(
        "point", "enter", "set", "Set the weight or bias under the cursor (view: weights).", rank=2
    ),
)
"""Only while the heatmap has the focus."""

NETWORK = (
    Action("move(-1)", "up", "entry back", "The entry before.", "up", rank=3),
    Action("move(1)", "down", "entry on", "The next entry.", "down", rank=3),
    Action(
        "edit_entry", "enter", "edit", "Edit the entry: write it, or choose from a list.", rank=0
    ),
    Action("seek", "slash", "filter", "List the entries with these words in their names.", "/", 0),
    Action("remove", "D,delete", "delete", "Take the fault or layer away.", rank=1),
    Action("leave", "escape", "leave", "List all entries; then leave the editor.", "Esc", rank=0),
    Action("jump_table(-1)", "left", "table back", "The table before.", "left", rank=3),
    Action("jump_table(1)", "right", "table on", "The next table.", "right", rank=2),
    Action("move(-10)", "pageup", "-10", "Ten entries back.", "PgUp", rank=8),
    Action("move(10)", "pagedown", "+10", "Ten entries on.", "PgDn", rank=8),
    Action("move(-1000)", "home", "first", "The first entry.", "Home", rank=8),
    Action("move(1000)", "end", "last", "The last entry.", "End", rank=8),
)
"""Only while the network has the focus."""

WRITING = (
    Action("submit", "enter", "set it", "Take what is written.", rank=0),
    Action("leave", "escape", "leave it", "Leave the entry as it is.", "Esc", rank=0),
)
"""Only while a value is written."""

FILTERING = (
    Action("submit", "enter", "edit", "Edit the entry under the cursor; the list stays.", rank=0),
    Action("leave", "escape", "list all", "List all entries again.", "Esc", rank=0),
    Action("move(-1)", "up", "entry back", "The entry before.", "up", rank=1),
    Action("move(1)", "down", "entry on", "The next entry.", "down", rank=1),
)
"""Only while the editor's filter is written."""

MICROSCOPE = (
    Action("next_part", "space", "next part", "Walk to the next part of this update.", rank=0),
    Action("previous_part", "backspace", "part back", "Walk one part back.", "bksp", rank=5),
    Action("first_part", "home", "first", "To the first part.", "Home", rank=7),
    Action("all_parts", "end", "all", "Show all parts.", "End", rank=6),
    Action("one_update", "enter,u", "update", "Make this update; then look at the next.", rank=0),
    Action("one_back", "b", "back", "Go one update back.", rank=4),
    Action("unit(1)", "down", "unit", "The next unit; up: the one before.", "up/down", rank=1),
    Action("unit(-1)", "up", "unit back", "The unit before."),
    Action("unit(10)", "shift+down,ctrl+down", "+10 units", "Ten units on.", "S-down"),
    Action("unit(-10)", "shift+up,ctrl+up", "-10 units", "Ten units back.", "S-up"),
    Action("layer(1)", "tab", "layer", "The next layer; after the last, the first.", rank=6),
    Action("layer(-1)", "shift+tab", "layer back", "The layer before.", "S-tab"),
    Action(
        "sample(1)", "right", "sample", "The next sample; left: the one before.", "left/right", 3
    ),
    Action("sample(-1)", "left", "sample back", "The sample before, of this batch."),
    Action("sample(10)", "shift+right,ctrl+right", "+10 samples", "Ten samples on.", "S-right"),
    Action("sample(-10)", "shift+left,ctrl+left", "-10 samples", "Ten samples back.", "S-left"),
    Action(
        "weight(1)",
        "right_square_bracket",
        "weight",
        "The next weight, then the bias; [: the one before.",
        "[ ]",
        rank=2,
    ),
    Action("weight(-1)", "left_square_bracket", "weight back", "The weight before.", "["),
    Action("weight(10)", "right_curly_bracket", "+10 weights", "Ten weights on.", "}"),
    Action("weight(-10)", "left_curly_bracket", "-10 weights", "Ten weights back.", "{"),
    Action("scroll(-1)", "pageup", "text up", "Scroll the arithmetic up.", "PgUp", rank=8),
    Action("scroll(1)", "pagedown", "text down", "Scroll the arithmetic down.", "PgDn", rank=8),
    Action("copy", "C", "copy", "Copy the arithmetic.", rank=8),
    Action("help", "question_mark,f1", "help", "Explain the microscope and the keys.", "?", rank=0),
    Action("manual", "f2", "manual", "Open the manual.", "F2", rank=8),
    Action("close", "escape,i", "close", "Back to all panels.", "Esc", rank=0),
    Action("quit", "q", "quit", "Save and leave nntui.", rank=2),
)
"""Under the microscope, a screen of its own."""

LIBRARY = (
    Action("open", "enter", "open", "Open the scenario, or resume the session.", rank=0),
    Action("resume", "r,O", "resume", "Resume the latest saved session.", rank=0),
    Action("new", "n", "new", "A new network for a CSV file or a data set, as a preset.", rank=0),
    Action("program", "p", "your program", "Open a program of your own by its path.", rank=0),
    Action(
        "text",
        "t",
        "preset text",
        "Open a preset that is typed or pasted: TOML, or a string.",
        rank=1,
    ),
    Action("tour", "T", "tour", "Show around, in five pages.", rank=1),
    Action("help", "question_mark,f1", "help", "Explain the library and the keys.", "?", rank=0),
    Action("manual", "f2", "manual", "Open the manual.", "F2", rank=1),
    Action("quit", "q", "quit", "Leave nntui.", rank=0),
)
"""In the library."""


def _same(name: str, help: str = "", label: str = "", rank: int | None = None) -> Action:
    """The workbench's action of that name: the same key for the same thing, in other words."""
    known = next(each for each in WORKBENCH if each.name == name)
    return replace(
        known,
        help=help or known.help,
        label=label or known.label,
        rank=known.rank if rank is None else rank,
    )


PROGRAM = (
    _same("one_update", "Let the program make one update."),
    _same("one_epoch", "To the next turn of the loop around the updates."),
    _same("many_epochs", "A hundred turns of that loop; without one, a hundred updates."),
    _same("run", "Run the program to its end; again: pause."),
    _same("one_back"),
    _same("jump"),
    _same("previous_event", "Go to the previous event: the loss rose, the program printed, ..."),
    _same("next_event"),
    _same("when", "Ask when the loss was last below a number, or what happened when."),
    _same("to_start"),
    _same("to_head", "Go to the furthest update."),
    _same("checkpoint"),
    _same("last_checkpoint"),
    _same(
        "fork",
        "A new branch from this update on, with a variable or a constant of the source changed.",
    ),
    _same(
        "edit",
        "Run the edited file to this update, as a branch; what a session has kept: run it again.",
        "take edit",
        rank=6,
    ),
    _same("branches"),
    _same("heatmap", "The next array: of the line, then every parameter's.", "array"),
    _same("compare", "Arrays of A, of the overlaid B at the same update, or of A minus B.", rank=8),
    Action("variables", "V", "variables", "The variables, with shapes and norms.", rank=5),
    _same("output", "What the program has printed.", "output"),
    _same("why", "What is wrong with the program, line by line, and what mends it."),
    Action("mend", "F", "try fix", "Try its fix as a branch, overlaid on this one.", rank=2),
    Action("preset", "J", "preset", "Open the preset that computes the same, if one does.", rank=8),
    _same("next_seed"),
    _same("choose_seed"),
    _same("restart", "A new branch from update 0 with the same text and seed."),
    _same("recent", "Plot the recent part, or all of it."),
    _same("log_scale"),
    _same("zoom"),
    _same("next_panel"),
    _same("take", "Write the mend of the findings: as a diff, or the mended file.", "write mend"),
    _same("copy", "Copy what the focused panel shows."),
    _same("save"),
    _same("resume", "Open the latest saved session of this program."),
    Action("interrupt", "I", "interrupt", "End an update that takes too long; go back.", rank=8),
    _same("library"),
    _same("help"),
    _same("manual"),
    _same("quit"),
)
"""On a program of the person's own."""

SOURCE = (
    Action("move(-1)", "up", "line back", "The line before.", "up", rank=3),
    Action("move(1)", "down", "line on", "The next line.", "down", rank=3),
    Action("arrays", "enter", "arrays", "Show the arrays of this line in the heatmap.", rank=0),
    Action("move(-10)", "pageup", "-10", "Ten lines back.", "PgUp", rank=6),
    Action("move(10)", "pagedown", "+10", "Ten lines on.", "PgDn", rank=6),
    Action("move(-100000)", "home", "top", "The first line.", "Home", rank=8),
    Action("move(100000)", "end", "bottom", "The last line.", "End", rank=8),
    Action("to_mark(1)", "right_square_bracket", "mark on", "The next marked line.", "]", rank=1),
    Action("to_mark(-1)", "left_square_bracket", "mark back", "The marked line before.", "[", 6),
    Action("to_loop", "asterisk", "to loop", "To the loop of the updates.", "*", rank=6),
    Action("next_file", "semicolon", "next file", "The next file of the program.", ";", rank=7),
)
"""Only while the source has the focus."""

FINDINGS = (
    Action("choose(-1)", "up", "finding back", "The finding before.", rank=3),
    Action("choose(1)", "down", "next", "The next finding.", rank=0),
    Action("want('go')", "enter", "go there", "To its line in the source.", rank=0),
    Action("page_up", "pageup", "text up", "Scroll the text up.", shown="PgUp", rank=3),
    Action("page_down", "pagedown", "text down", "Scroll the text down.", shown="PgDn", rank=2),
)
"""Only while the findings of a program have the focus."""

ARRAYS = (
    Action("turn(-1)", "left_square_bracket", "turn back", "The value before, of this line.", "["),
    Action("turn(1)", "right_square_bracket", "turn on", "The next value of this line.", "]", 1),
)
"""Only while the heatmap of a program has the focus."""

FIRST = (
    *("one_update", "one_epoch", "run", "one_back", "next_event"),
    *("fork", "inspect", "why", "do_step", "help"),
)
"""The ten actions to begin with."""
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Train", ("many_epochs", "faster", "slower", "interrupt")),
    (
        "Back and forth",
        (
            *("previous_event", "jump", "when", "to_start", "to_head", "train_on"),
            *("checkpoint", "last_checkpoint"),
        ),
    ),
    (
        "Change and compare",
        (
            *("change", "edit", "undo", "branches", "compare", "mend"),
            *("next_seed", "choose_seed", "many_seeds", "restart"),
        ),
    ),
    (
        "Heatmap, outputs, plot",
        (
            *("heatmap", "layer", "sort", "scale", "variables", "output", "output_view"),
            *("plot", "recent", "ghosts", "log_scale"),
        ),
    ),
    ("Panels and screens", ("next_panel", "zoom", "library", "preset", "tour", "manual", "quit")),
    ("Take along", ("take", "copy", "save", "resume")),
)
"""The others, by what they are for."""


def grouped(actions: tuple[Action, ...]) -> list[tuple[str, list[Action]]]:
    """``actions`` under the headings of `FIRST` and `GROUPS`, empty ones left out."""
    known = {each.name: each for each in actions}
    groups = [("The keys to begin with", FIRST), *GROUPS]
    found = [(title, [known[name] for name in names if name in known]) for title, names in groups]
    named = {name for _, names in groups for name in names}
    more = [each for each in actions if each.name not in named]
    if 2 * len(more) > len(actions):
        return [("Keys", list(actions))]  # a screen of few keys, with a purpose of its own
    found.append(("More", more))
    return [(title, listed) for title, listed in found if listed]


ACTIONS = {
    "library": LIBRARY,
    "workbench": WORKBENCH,
    "timeline": TIMELINE,
    "loss plot": PLOT,
    "heatmap": HEATMAP,
    "output": OUTPUT,
    "network": NETWORK,
    "entry": WRITING,
    "filter": FILTERING,
    "branches": BRANCHES,
    "why": WHY,
    "microscope": MICROSCOPE,
    "program": PROGRAM,
    "source": SOURCE,
    "findings": FINDINGS,
    "arrays": ARRAYS,
}
"""All of them, by the screen or panel that they belong to."""


KEY = re.compile("{(" + "|".join(action.name for action in WORKBENCH) + ")}")
"""The name of an action in a story's text."""


def fill_keys(text: str) -> str:
    """``text`` with each ``{action}`` replaced by its key; unknown names stay as they are."""
    keys = {action.name: action.key for action in WORKBENCH}
    return KEY.sub(lambda found: keys[found[1]], text)


def fill_program_keys(text: str) -> str:
    """The same with the names of a program's actions."""
    for action in PROGRAM:
        text = text.replace(f"{{{action.name}}}", action.key)
    return text
