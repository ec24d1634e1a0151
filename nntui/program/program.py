"""`Program`, the facade of a person's own program that is stepped and rewound."""

import operator
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any

from nntui.program.answer import ProgramCheck
from nntui.program.checking import CheckRequest, check, find_loop, words
from nntui.program.control.client import Task
from nntui.program.control.ending import END, Ending
from nntui.program.control.loading.source_file import read_program, text_of
from nntui.program.control.travel.timeline import FOREVER, Timeline
from nntui.program.program_error import ProgramError


class Program:
    """A person's program, unchanged, that stands at one of its updates.

    ``loop`` is the line of the loop of which each iteration is one update, in the program's file,
    or ``(file, line)``; without it the loop is looked for when it is needed.  Update n is the state
    at the start of iteration n, counted over all entries of the loop; where the program has left
    the loop for good, there is one more update, the state behind it.  ``seed`` seeds NumPy and
    `random`, and replaces the seeds that the program sets; ``python`` is another interpreter that
    has NumPy.

    The program runs in processes of its own, as ``python FILE.py ARGUMENTS`` would run it in the
    working folder; they end with `close`, at the end of a ``with``, or with this process.  Raises
    ProgramError if there is no such program, or it ends in front of the first update.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        arguments: Sequence[str] = (),
        seed: int | None = None,
        loop: int | tuple[str, int] | None = None,
        python: str | None = None,
        allow_effects: bool = False,
    ) -> None:
        self.path, self.arguments = os.fspath(path), words("arguments", arguments)
        line = loop[1] if isinstance(loop, tuple) and len(loop) == 2 else loop
        asked = CheckRequest(self.path, self.arguments, seed, line, python=python)
        for problem in asked.problems():
            raise ProgramError(problem)
        self._closed = False
        self._loop = loop
        loops: tuple[int | tuple[str, int], ...] = () if loop is None else (loop,)
        texts = {self.path: text_of(self.path)}  # once: it may be edited while it is stepped
        self._task = Task(
            self.path, self.arguments, seed, loops, python, allow_effects, texts=texts
        )
        self._timeline = Timeline(self._task)
        if loop is not None:
            self._start(loop)
        elif python is None:
            read_program(self.path)  # the error comes now, though nothing runs yet

    def _start(self, loop: int | tuple[str, int]) -> None:
        try:
            self._timeline.start()
            if self._timeline.update < 0:
                raise ProgramError(self._never_began(loop))
        except BaseException:
            self._timeline.close()
            raise

    @property
    def loop(self) -> int | tuple[str, int]:
        """The loop of which each iteration is one update: as it was given, or as it was found."""
        return self._needs_a_loop()

    @property
    def update(self) -> int:
        """The update that the program stands at."""
        self._needs_a_loop()
        return self._timeline.update

    @property
    def head(self) -> int:
        """The last update that was reached."""
        self._needs_a_loop()
        return self._timeline.head

    @property
    def ended(self) -> Ending | None:
        """How the program ended behind its last update; None while that was not reached."""
        return self._timeline.ending

    @property
    def seed(self) -> int | None:
        """The seed that nntui set; None if the program's own stand."""
        return self._timeline.seeds[0]

    @property
    def seeded_by_us(self) -> bool:
        """Whether the program draws from generators that it does not seed, and so got a seed."""
        return self._timeline.seeds[1]

    def step(self, n: int = 1) -> int:
        """Go ``n`` updates forward, or back if it is negative; the update that was reached.

        It goes at most to the first update, and to the last one.
        """
        return self.seek(max(self.update + _whole("n", n), 0))

    def seek(self, update: int, seconds: float | None = None) -> int:
        """Go to ``update``, at most to the last one; the update that was reached.

        With ``seconds`` it stops after that time, at an update on the way.  Raises ProgramError for
        what is no update, which count from 0.
        """
        if _whole("update", update) < 0:
            raise ProgramError(f"there is no update {update}; the first is 0")
        self._needs_a_loop()
        return self._timeline.seek(update, seconds)

    def run(self) -> Ending:
        """Run the program to its end, and stand at its last update; how it ended."""
        if self._closed:
            raise ProgramError(f"{self.path} was closed")
        if self._loop is None:
            if self.ended is None:
                self._timeline.start(FOREVER)
        else:
            self._timeline.seek(FOREVER)
        assert self.ended is not None
        return self.ended

    @property
    def variables(self) -> Mapping[str, Any]:
        """Copies of the numbers and arrays that are alive at this update, by name.

        The names are the program's own: ``W1``, ``network.W1``, ``params['W1']``, ``train:W1``
        for a local variable of a function where an inner one hides its name.  Large arrays are
        fetched when they are looked at, which must be before the program moves on.
        """
        self._needs_a_loop()
        return Variables(self._timeline)

    @property
    def output(self) -> str:
        """What the program has printed up to this update."""
        return self._timeline.text()

    @property
    def printed(self) -> str:
        """What the program has printed when it had ended, as far as it was kept."""
        return self._timeline.text(whole=True)

    @property
    def errors(self) -> str:
        """What the program has printed to standard error when it had ended."""
        return self._timeline.text(1, whole=True)

    @property
    def state_hash(self) -> str:
        """The hash of the values and random generators at this update: same hash, same future."""
        self._needs_a_loop()
        return str(self._timeline.ask({"do": "hash"})["hash"])

    def close(self) -> None:
        """End the program's processes, for good."""
        self._closed = True
        self._timeline.close()

    def __enter__(self) -> "Program":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def check(self, time: float = 10.0) -> ProgramCheck:
        """Whether its updates are the gradient of its loss; see `nntui.program.check`.

        The program stays at its update.
        """
        task, line = self._task, self._loop
        if isinstance(line, tuple) and os.path.realpath(line[0]) == os.path.realpath(self.path):
            line = line[1]
        return check(
            task.path,
            task.arguments,
            task.seed,
            line if isinstance(line, int) else None,
            time=time,
            allow_effects=task.allow_effects,
            python=task.python,
        )

    def _needs_a_loop(self) -> int | tuple[str, int]:
        """The loop, which is found now if it was not given."""
        if self._closed:
            raise ProgramError(f"{self.path} was closed")
        if self._loop is None:
            found = find_loop(replace(self._task, loops=None))
            self._timeline.close()
            self._task = replace(self._task, loops=(found,))
            self._timeline = Timeline(self._task)
            self._start(found)
            self._loop = found
        return self._loop

    def _never_began(self, loop: int | tuple[str, int]) -> str:
        ending = self.ended
        line = loop if isinstance(loop, int) else f"{loop[1]} of {loop[0]}"
        if ending is None or ending.kind == END:
            return f"{self.path} ended before the loop on line {line} began"
        place = "" if ending.line is None else f", line {ending.line}"
        hint = f"; {ending.hint}" if ending.hint else ""
        told = ending.message or f"exit code {ending.code}"
        return f"{self.path}{place}: {told}, before the first update{hint}"


def _whole(name: str, value: int) -> int:
    """``value`` as an int, which may be NumPy's; raises ProgramError for any other number."""
    try:
        return operator.index(value)
    except TypeError:
        raise ProgramError(f"{name} must be a whole number, not {value!r}") from None


class Variables(Mapping[str, Any]):
    """The variables of a program at the update where it stood when they were asked for."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline, self._update = timeline, timeline.update
        self._values: dict[str, Any] = timeline.ask({"do": "variables"})["variables"]

    def __getitem__(self, name: str) -> Any:
        value = self._values[name]
        if isinstance(value, dict):  # the shape of an array that was too large to come along
            if self._timeline.update != self._update:
                raise LookupError(f"the program has left update {self._update}")
            answer = self._timeline.ask({"do": "value", "name": name})
            value = self._values[name] = answer["value"]
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<{len(self)} variables at update {self._update}: {', '.join(self)}>"
