"""One execution of a person's program, in the process that calls it, as ``python FILE.py`` does it.

The program runs once and for real: its output is captured and its effects are kept in.  Whoever
analyses it sets hooks that its loops call, and forks it at that point.
"""

import ast
import atexit
import gc
import os
import sys
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.machinery import SourceFileLoader
from tempfile import mkdtemp
from types import ModuleType
from typing import Any, NoReturn, TypeVar

from nntui.program.control import forks
from nntui.program.control.ending import (
    END,
    EXIT,
    Ending,
    crash_ending,
    exit_ending,
    from_program,
)
from nntui.program.control.live import Live, Names
from nntui.program.control.loading.modules import LoopLine, Modules
from nntui.program.control.loading.source_file import read_program
from nntui.program.control.replying import Replying
from nntui.program.control.state_hash import state_hash
from nntui.program.control.world.captured_output import CapturedOutput
from nntui.program.control.world.effects import Refused
from nntui.program.control.world.identity_hashes import IdentityHashes
from nntui.program.control.world.scratch_folder import make_scratch, remove_scratch
from nntui.program.control.world.world import World
from nntui.program.program_error import ProgramError
from nntui.program.record.instrument import install
from nntui.program.record.places import Site
from nntui.program.record.recorder import Recorder

Hook = Callable[[int], None]
LAST_BYTES = 1000
"""Of what a program printed, in which its last line is looked for."""
Same = TypeVar("Same", bound="Execution")


class Execution(Replying):
    """The program at ``path`` with ``arguments``; it starts with `run`.

    ``loops`` restricts the loops that call the hooks, and that can be recorded, to those on the
    given lines: the rest of the program then costs what it costs alone.  ``texts`` has, by file,
    source to run in the place of what the file holds; the expressions at ``sites`` tell the
    recorder their values.  Raises ProgramError if the file is no program that can be looked at, or
    has no such loop.

    `run` changes the process (streams, arguments, seeds, audit hook) and does not change it back.
    """

    def __init__(
        self,
        path: str,
        arguments: Sequence[str] = (),
        seed: int | None = None,
        loops: Collection[LoopLine] | None = None,
        *,
        allow_effects: bool = False,
        scratch: str | None = None,
        texts: Mapping[str, str] | None = None,
        sites: Sequence[Site] = (),
    ) -> None:
        super().__init__()
        self.source = read_program(path, texts)
        self.arguments, self.seed = tuple(arguments), seed
        self.allow_effects = allow_effects
        self._scratch = scratch
        given = {os.path.realpath(file): text for file, text in (texts or {}).items()}
        self.texts = {**given, os.path.realpath(path): self.source.text}
        """By file, what is not read again, though the file may have changed since."""
        self._loaded = Modules(self.source.path, loops, self.texts, self.rewrite, sites)
        self.places, self.files = self._loaded.places, self._loaded.files
        self.modules = self._loaded.named
        """The program's modules by name, the main one first."""
        self.sources = self.places.sources
        self.recorder = Recorder(self.places)
        self.names = Names(self.files, self.modules, self._loaded.aliases)
        self.running = False
        self.ending: Ending | None = None
        self.on_end: Callable[[], None] | None = None
        """Called when the program has ended, with `ending` set."""
        self.on_refused: Callable[[], dict[str, Any]] | None = None
        """What to answer, beside the effect, when one is refused: what was found before."""
        self.around_recording: tuple[Callable[[], None], Callable[[Any], None]] | None = None
        """Called before an iteration is recorded, and behind it with the recording, to add to."""
        self.memory: int | None = None
        """Bytes that a fork may take beyond what its parent has; None: half of what is free."""
        self.world: World
        """What the program meets instead of the world; there once it runs."""

    def varied(
        self,
        seed: int | None,
        texts: Mapping[str, str],
        loops: Collection[LoopLine] | None = None,
    ) -> "Execution":
        """The same program from another seed, with ``texts`` in the place of what files hold."""
        return self.renewed(Execution, seed, texts, loops)

    def renewed(
        self,
        kind: type[Same],
        seed: int | None,
        texts: Mapping[str, str],
        loops: Collection[LoopLine] | None = None,
    ) -> Same:
        """The same, as another ``kind`` of execution, with a scratch folder of its own.

        That lies in the folder of this one, if it has one, and else is made when it is run.
        """
        return kind(
            self.source.given,
            self.arguments,
            seed,
            loops,
            allow_effects=self.allow_effects,
            scratch=mkdtemp(dir=self._scratch) if self._scratch else None,
            texts=self.texts | {os.path.realpath(file): text for file, text in texts.items()},
        )

    def rewrite(self, file: str, tree: ast.Module) -> None:
        """Change the tree of ``file`` before it is run; here it stays as it is."""

    # The hooks.

    @property
    def on_iteration(self) -> Hook | None:
        """Called with a loop's number at the start of each of its iterations."""
        return self.recorder.on_iteration

    @on_iteration.setter
    def on_iteration(self, hook: Hook | None) -> None:
        self.recorder.on_iteration = self._guarded(hook)

    @property
    def on_left(self) -> Hook | None:
        """Called with a loop's number behind its last iteration, a ``break`` included."""
        return self.recorder.on_left

    @on_left.setter
    def on_left(self, hook: Hook | None) -> None:
        self.recorder.on_left = self._guarded(hook)

    def _guarded(self, hook: Hook | None) -> Hook | None:
        """A fault of ours must not be caught by an ``except:`` of the program."""
        if hook is None:
            return None

        def guarded(number: int) -> None:
            try:
                hook(number)
            except BaseException as error:
                self.fail(error)

        return guarded

    # Running.

    def run(self) -> Ending:
        """Run the program to its end; how it ended."""
        self._enter()
        self.running = True
        try:
            ending = self._execute()
        finally:
            self.recorder.on = False
        return self._ended(ending)

    def _ended(self, ending: Ending) -> Ending:
        """Tell that the program has ended so; a fork replies, and ends."""
        self.world.flush(at_end=True)
        self.ending = ending = self._with_last_line(ending)
        if self.on_end is not None:
            try:
                self.on_end()
            except BaseException as error:
                self.fail(error)
        if self.is_fork:
            self.reply({"error": "ended", "message": "the program ended", **_told(ending)})
        return ending

    def analyse(self, job: Callable[[forks.Reply], None], seconds: float) -> dict[str, Any]:
        """Run the program in a fork that does ``job`` first; its reply.

        The job sets the hooks.  This process stays as it is.
        """
        # No TemporaryDirectory: the copy would remove it as well, among its exit functions.
        scratch = None if self._scratch else make_scratch()
        self._scratch = self._scratch or scratch
        answer = self.fork(job, seconds)
        if answer is None:
            try:
                self.run()
            except ProgramError as error:
                self.reply({"problem": str(error)})
            except BaseException as error:
                self.fail(error)
            finally:
                os._exit(1)
        if scratch is not None:
            remove_scratch(scratch)
            self._scratch = None
        if "problem" in answer:
            raise ProgramError(answer["problem"])
        return answer

    def _enter(self) -> None:
        """Make this process the one that ``python FILE.py`` would be."""
        folder = os.path.dirname(os.path.realpath(self.source.path))  # as Python takes it
        scratch = self._scratch or make_scratch()
        self.world = World(scratch, folder, self.files, self.seed, self._refuse, self.allow_effects)
        self.world.install()
        if not self.allow_effects:  # then each process of the program is one of ours
            vars(os)["_exit"] = self._exiting(os._exit)
        sys.argv = [self.source.given, *self.arguments]
        if not sys.flags.safe_path:
            sys.path.insert(0, folder)
        self._loaded.finder().install()
        self.hashes = IdentityHashes(self._loaded.plain_classes)
        self.hashes.install()
        install(self.recorder)
        # Collections need not look at what is ours, and in a fork would copy its pages.
        gc.collect()
        gc.freeze()

    def _exiting(self, original: Callable[[int], NoReturn]) -> Callable[[int], NoReturn]:
        """`os._exit` for the program, behind which what was found would be lost."""

        def _exit(status: int) -> NoReturn:
            """Exit to the system with specified status, without normal exit processing."""
            by_program = sys._getframe(1).f_code.co_filename in self.files
            if by_program and self.is_fork and self.on_end is not None:
                self.recorder.on = False
                self._ended(exit_ending(SystemExit(status)))
            original(status)

        return _exit

    def _refuse(self, refused: Refused) -> NoReturn:
        """End the whole analysis, and say what was refused."""
        self.flush()
        self._end_refused({"refused": refused.as_dict()})

    def _end_refused(self, answer: dict[str, Any]) -> NoReturn:
        found = self.on_refused() if self.on_refused is not None else {}
        self.reply({**found, **answer})

    def _execute(self) -> Ending:
        source = self.source
        main = ModuleType("__main__")
        main.__file__ = source.path
        main.__loader__ = SourceFileLoader("__main__", source.path)
        vars(main)["__cached__"] = None
        if sys.version_info < (3, 14):
            vars(main)["__annotations__"] = {}
        vars(main)["__builtins__"] = sys.modules["builtins"]
        sys.modules["__main__"] = main
        try:
            code = self._loaded.compile(source.path, source.text)
        except (OSError, SyntaxError) as error:
            raise ProgramError(f"{source.given}: {error}") from None
        self._loaded.require_loops(source.given)
        self._loaded.add(main, source.path)
        ending = self._guard(lambda: exec(code, main.__dict__))
        # Python waits for threads before the exit functions, by what has no public name.
        threading._shutdown()  # type: ignore[attr-defined]
        self._guard(atexit._run_exitfuncs)
        return ending

    def _guard(self, part: Callable[[], object]) -> Ending:
        """Do a ``part`` of the program; how it ended, its traceback printed as Python does."""
        try:
            part()
        except SystemExit as error:
            if error.code is not None and not isinstance(error.code, int):
                with suppress(Exception):
                    print(error.code, file=sys.stderr)
            return exit_ending(error)
        except BaseException as error:
            trace = from_program(error.__traceback__, self.files)
            with suppress(Exception):
                sys.excepthook(type(error), error.with_traceback(trace), trace)
            return crash_ending(error, self.files, self.world.hint(error))
        return Ending(END, 0)

    def _with_last_line(self, ending: Ending) -> Ending:
        """``ending`` with what the program printed last, where it ended with a code alone."""
        if ending.kind != EXIT or not ending.code or ending.message:
            return ending
        printed = (stream.text(LAST_BYTES) for stream in (self.world.errors, self.world.output))
        lines = [line.strip() for text in printed for line in text.splitlines()[-1:]]
        return replace(ending, message=next(filter(None, lines), ""))

    # What is seen of it.

    def live(self, whole: bool = False) -> list[Live]:
        """Every number and array that is alive, by the program's own names (see `Names`).

        Integers and booleans, which count and choose, are among them with ``whole`` only.
        """
        return self.names.live(whole=whole)

    def state_hash(self) -> str:
        """The hash of all that decides the program's future, as far as it can be seen."""
        return state_hash(self.names.live(everything=True))

    @property
    def output(self) -> CapturedOutput:
        """What the program has printed; `flush` first."""
        return self.world.output

    def flush(self) -> None:
        """Move what was printed to the captured output."""
        self.world.flush()

    # Forks.

    def fork(self, job: Callable[[forks.Reply], None], seconds: float) -> dict[str, Any] | None:
        """Call ``job(reply)`` in an exact copy of this process; the dictionary that it replies.

        In the copy this returns None, without hooks but those that the job has set, and the
        program goes on until something calls ``reply``.  Where there is no reply the answer has
        an ``error``: ``time``, ``died`` (killed, or out of memory), ``ended`` (the program did),
        ``failed`` (an exception of ours), ``fork`` (the system has none); and a ``message``.
        """
        copy = self.start_fork(job)
        if copy is None:
            return None
        answer = copy.answer(seconds)
        if answer.keys() == {"refused"} and self.is_awaited:
            # Alone it ends what waits for the copy, too; otherwise it comes with an answer.
            self._end_refused(answer)
        return answer

    def start_fork(self, job: Callable[[forks.Reply], None]) -> forks.Copy | None:
        """Begin a `fork` whose answer is awaited later; None in the copy."""
        if not hasattr(os, "fork"):
            return forks.Copy(error="this system cannot fork a process")
        memory = forks.memory_to_give() if self.memory is None else self.memory
        ours, theirs = os.pipe()
        parent = os.getpid()
        try:
            with forks.for_us():
                parting = self.world.part() if self.running else None
            child = forks.exact_fork(parting.separate if parting else None)
        except OSError as error:
            os.close(ours)
            os.close(theirs)
            return forks.Copy(error=str(error))
        if child == 0:
            forks.die_with_parent(parent)
            os.close(ours)
            forks.limit_memory(memory)
            self._become_copy(theirs)
            try:
                job(self.reply)
            except BaseException as error:
                self.fail(error)
            return None
        os.close(theirs)
        return forks.Copy(ours, child, parting.remove if parting else lambda: None)

    def _become_copy(self, descriptor: int) -> None:
        self.reply_to(descriptor)
        self.recorder.on_iteration = self.recorder.on_left = self.on_end = self.on_refused = None


def _told(ending: Ending) -> dict[str, Any]:
    return {"ending": ending.as_dict()}
