"""The reply of the analysis, which ran inside the program, as the answer to who asked.

What it could not tell gets its reason in words, and the option that would help; what is no program
to look at is a ProgramError.  Files are named as they were asked for, not by absolute paths.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nntui.program.answer import NO_INFORMATION, ProgramCheck
from nntui.program.program_error import ProgramError

LOOP = "--loop LINE, the line of the loop of which each turn is one update"
LOSS = '--loss TEXT, the loss in the names of the program, such as "np.sum((y-a)**2)"'
EFFECTS = "--allow-effects, which lets it"


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
        _refuse_crash(request, reply)
    if check["ok"] is None:
        reason, option = _undecided(request, reply)
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


def _refused(effects: Any) -> list[dict[str, Any]]:
    """The effects that the program was kept from; one is what ended it."""
    several = [effects] if isinstance(effects, Mapping) else effects
    return [{key: each[key] for key in ("what", "file", "line")} for each in several]


def _refuse_crash(request: Request, reply: Mapping[str, Any]) -> None:
    """Raise ProgramError if the program crashed, with its own last line."""
    ending = reply.get("ending") or {}
    if ending.get("kind") != "crash":
        return
    where = _short(ending.get("file"), request.path) or request.path
    line = "" if ending.get("line") is None else f":{ending['line']}"
    hint = f"; {ending['hint']}" if ending.get("hint") else ""
    raise ProgramError(
        f"{where}{line}: the program stopped before its first update: {ending['message']}{hint}"
    )


def _undecided(request: Request, reply: Mapping[str, Any]) -> tuple[str, str]:
    """Why it could not tell, as a clause, and the option that would help, empty if none would."""
    ending, message = reply.get("ending") or {}, str(reply.get("message", ""))
    if reply.get("refused") or ending.get("kind") == "refused":
        return "", EFFECTS
    error = str(reply.get("error", ""))
    if error in _REASONS:
        reason, option = _REASONS[error]
        longer = f"--time {max(60, round(4 * request.time))}"
        return reason.format(message=message, time=request.time), option.format(longer=longer)
    if error:
        return f"the analysis ended early: {message or error}", ""
    if reply.get("loop") is None:
        ended = _ENDED.get(ending.get("kind", ""), "").format(**ending)
        return f"no loop was found{ended} whose turns change what its loss depends on", LOOP
    if reply.get("unjudged"):
        return "the loop ended before an update of it could be looked at", ""
    return _unproven(reply)


def _unproven(reply: Mapping[str, Any]) -> tuple[str, str]:
    """Why updates that were compared prove nothing."""
    verdicts = {each["verdict"] for each in reply.get("parameters", ())}
    if not verdicts:
        return "no number was found that the updates change and the loss depends on", LOSS
    if verdicts == {NO_INFORMATION}:
        return "the gradient of the loss is 0 for every parameter, wherever it was looked at", LOSS
    return "finite differences of the program do not confirm the gradient of its loss", LOSS


_ENDED = {"end": " before it ended", "exit": " before it ended itself with exit code {code}"}
"""By the kind of an ending: that it came first."""
_REASONS = {
    "time": ("there was no time to look at an update", "{longer}"),
    "full": ("one update does more operations than can be recorded", "fewer samples in an update"),
    "memory": ("one update needs more memory than there is", "fewer samples in an update"),
    "half": (
        "it computes in half precision (float16), too coarse to compare steps with a gradient",
        "np.float64 in the place of np.float16",
    ),
    "chosen": (
        "its updates are no steps: they replace values by others chosen through comparisons, as "
        "k-means does, and follow no gradient",
        "",
    ),
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
