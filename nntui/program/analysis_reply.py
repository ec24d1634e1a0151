"""The reply of the analysis, which ran inside the program, as the answer to who asked.

What it could not tell gets its reason in words, and the option that would help; what is no program
to look at is a ProgramError.  Files are named as they were asked for, not by absolute paths.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nntui.program.answer import NO_INFORMATION, RIGHT, ProgramCheck
from nntui.program.program_error import ProgramError

LOOP = "--loop LINE, the line of the loop of which each turn is one update"
LOSS = '--loss TEXT, the loss in the names of the program, such as "np.sum((y-a)**2)"'
EFFECTS = "--allow-effects, which lets it"
MOST_NAMES = 4
"""Names that are listed in a reason."""


@dataclass(frozen=True)
class Request:
    """Which program was asked about, and with what."""

    path: str
    arguments: Sequence[str] = ()
    seed: int | None = None
    time: float = 10.0
    python: str = ""
    """The interpreter that ran it."""
    loss: str | None = None
    """The one that was asked for."""
    loop: int | None = None
    """The line of the loop that was asked for."""


def program_check(request: Request, reply: Mapping[str, Any]) -> ProgramCheck:
    """The answer that ``reply`` amounts to.

    Raises ProgramError if the program stopped before its first update, by an error or because it
    is none that can be looked at; ValueError for what is no reply.
    """
    known = {**_EMPTY, **{key: each for key, each in reply.items() if key in _EMPTY}}
    asked = {
        "program": request.path,
        "python": request.python,
        "arguments": list(request.arguments),
        "seed": request.seed if not known["seeded_by_us"] else 0,
    }
    asked["loss_asked"] = request.loss is not None
    check = {**known, **asked, "refused": _refused(known["refused"])}
    if not check["updates"]:
        _refuse_early_end(request, reply)
    check["notes"] = [*check["notes"], *_notes(request, reply)]
    if check["ok"] is None:
        reason, option = _undecided(request, reply, check["refused"])
        check.update(reason=check["reason"] or reason, option=check["option"] or option)
    return ProgramCheck.from_json(_with_short_names(check, request.path))


_EMPTY: dict[str, Any] = {
    "loop": None,
    "epoch_loop": None,
    "updates": 0,
    "loss": None,
    "confirmed": False,
    "parameters": [],
    "findings": [],
    "diff": None,
    "ok": None,
    "others": [],
    "optimiser": "",
    "seeded_by_us": False,
    "left_out": [],
    "refused": [],
    "notes": [],
    "reason": "",
    "option": "",
    "mended_ok": None,
}
"""What a reply may say, and what holds where it is silent."""


def effect_error(path: str, effect: Mapping[str, Any]) -> ProgramError:
    """That the program ``path`` was kept from an ``effect``, with its line, and what lets it."""
    place = _short(effect.get("file"), path) or path
    place += "" if effect.get("line") is None else f":{effect['line']}"
    what = effect.get("what", "did something outside")
    return ProgramError(f"{place}: the program {what}; --allow-effects lets it")


def _refused(effects: Any) -> list[dict[str, Any]]:
    """The effects that the program was kept from; one is what ended it."""
    several = [effects] if isinstance(effects, Mapping) else effects
    return [{key: each[key] for key in ("what", "file", "line")} for each in several]


def _refuse_early_end(request: Request, reply: Mapping[str, Any]) -> None:
    """Raise ProgramError if the program ended before an update, by itself, with its last line."""
    ending = reply.get("ending") or {}
    if ending.get("kind") == "crash":
        place = _short(ending.get("file"), request.path) or request.path
        place += "" if ending.get("line") is None else f":{ending['line']}"
        hint = f"; {ending['hint']}" if ending.get("hint") else ""
        raise ProgramError(
            f"{place}: the program stopped before its first update: {ending['message']}{hint}"
        )
    if ending.get("kind") == "exit" and not reply.get("any_began") and not reply.get("error"):
        if not ending["code"] and not request.arguments:
            return  # as many programs do at their end
        hint = "" if request.arguments else "; its arguments go behind --"
        told = f"{request.path}: the program{_exit(ending)}"
        raise ProgramError(f"{told} before its first loop{hint}")


def _exit(ending: Mapping[str, Any]) -> str:
    said = f" ({ending['message']})" if ending.get("message") else ""
    return f" ended itself with exit code {ending['code']}{said}"


def _notes(request: Request, reply: Mapping[str, Any]) -> Iterator[str]:
    """What else is told: that the program crashes behind the updates that were looked at."""
    ending = reply.get("ending") or {}
    if ending.get("kind") == "crash":
        yield f"later the program crashes{_in_line(request, ending)}: {ending['message']}"


def _in_line(request: Request, place: Mapping[str, Any]) -> str:
    """The place, which has a file and a line or None, as `` in line 3``."""
    file, line = _short(place.get("file"), request.path), place.get("line")
    if line is None:
        return "" if file in (None, request.path) else f" in {file}"
    return f" in line {line}" if file in (None, request.path) else f" in {file}:{line}"


def _undecided(
    request: Request, reply: Mapping[str, Any], refused: Sequence[Mapping[str, Any]]
) -> tuple[str, str]:
    """Why it could not tell, as a clause, and the option that would help, empty if none would."""
    ending, message = reply.get("ending") or {}, str(reply.get("message", ""))
    if refused:
        return _stopped(request, reply, refused[0]), EFFECTS
    if ending.get("kind") == "refused":
        return f"it was stopped{_in_line(request, ending)}: {ending.get('message', '')}", EFFECTS
    error = str(reply.get("error", ""))
    if error in _REASONS:
        reason, option = _REASONS[error]
        longer = f"--time {max(60, round(4 * request.time))}"
        return reason.format(message=message, time=request.time), option.format(longer=longer)
    if error:
        return f"the analysis ended early: {message or error}", ""
    if reply.get("loop") is None:
        return _without_loop(request, reply, ending)
    if reply.get("unjudged"):
        return "the loop ended before an update of it could be looked at", ""
    return _unproven(reply)


def _stopped(request: Request, reply: Mapping[str, Any], effect: Mapping[str, Any]) -> str:
    """That the program was stopped at an effect, and what was seen before."""
    verdicts = {each["verdict"] for each in reply.get("parameters", ())}
    before = ""
    if RIGHT in verdicts and verdicts <= {RIGHT, NO_INFORMATION}:
        before = "; the updates looked at before are the gradient of the loss"
    return f"it was stopped where it {effect['what']}{_in_line(request, effect)}{before}"


def _without_loop(
    request: Request, reply: Mapping[str, Any], ending: Mapping[str, Any]
) -> tuple[str, str]:
    """Why no loop was found, and what would help."""
    kind = ending.get("kind", "")
    ended = {"end": " before it ended", "exit": f" before it{_exit({'code': 0, **ending})}"}
    before = ended.get(kind, "")
    if kind and not reply.get("any_began"):
        return f"no turn of a loop began{before}", ""
    for what, names in (reply.get("not_differentiated") or {}).items():
        several = "are arrays" if len(names) > 1 else "is an array"
        return f"{_listed(names)} {several} of {what}, and only real numbers are followed", ""
    changing = reply.get("changing")
    if changing:
        return (
            f"the loop{_in_line(request, changing)} changes {_listed(changing['names'])}, but its "
            "steps do not depend on these through operations that have a derivative, as in a "
            "perceptron, a table or a random search",
            "",
        )
    if request.loop is not None:
        return f"no turn of the loop in line {request.loop} changes what its loss depends on", ""
    loop = "loop whose iterations change what its loss depends on"
    # All loops that began were looked at: to name one of them changes nothing.
    return f"no {loop} was found{before}", "" if kind else LOOP


def _listed(names: Sequence[str]) -> str:
    *start, last = names if len(names) <= MOST_NAMES else [*names[:MOST_NAMES], "more"]
    return f"{', '.join(start)} and {last}" if start else last


def _unproven(reply: Mapping[str, Any]) -> tuple[str, str]:
    """Why updates that were compared prove nothing."""
    verdicts = {each["verdict"] for each in reply.get("parameters", ())}
    if not verdicts:
        return "no number was found that the updates change and the loss depends on", LOSS
    if verdicts == {NO_INFORMATION}:
        return "the gradient of the loss is 0 for every parameter, wherever it was looked at", LOSS
    return "finite differences of the program do not confirm the gradient of its loss", LOSS


_REASONS = {
    "time": ("there was no time to look at an update", "{longer}"),
    "full": ("one update does more operations than can be recorded", "fewer samples in an update"),
    "memory": ("one update needs more memory than there is", "fewer samples in an update"),
    "several": ("each turn of the loop makes several updates, one after the other", LOOP),
    "asked": ("{message}", LOSS),
    "loss": ("no loss was found whose gradient the updates follow", LOSS),
    "died": ("a copy of the program was ended: {message}", ""),
    "ended": ("it ended before an update could be looked at", LOOP),
    "fork": ("it cannot be copied while it runs: {message}", ""),
}
"""By the error of a reply: why it could not tell, and what would help."""


def _with_short_names(value: Any, path: str) -> Any:
    """``value`` with every ``file`` in it named as the program was."""
    if isinstance(value, Mapping):
        return {
            key: _short(each, path) if key == "file" else _with_short_names(each, path)
            for key, each in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_with_short_names(each, path) for each in value]
    return value


def _short(file: str | None, path: str) -> str | None:
    """``file`` beside or below the program ``path``, as whoever named that would name it."""
    if file is None or not os.path.isabs(file):
        return file
    if os.path.realpath(file) == os.path.realpath(path):
        return path
    folder = os.path.dirname(os.path.realpath(path))
    beside = os.path.relpath(os.path.realpath(file), folder)
    return file if beside.startswith(os.pardir) else os.path.join(os.path.dirname(path), beside)
