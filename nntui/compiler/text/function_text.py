"""The text of one function in LLVM IR: instructions, loops, and local variables."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nntui.compiler.text.elementary import Functions
from nntui.compiler.text.vector_formulas import Formulas, type_of

Index = int | str
"""A known number, or the name of a whole number that is known when the code runs."""


class FunctionText:
    """Collects the instructions of a function; its local variables are declared at its start."""

    def __init__(self, known: Functions) -> None:
        self._known = known
        self._lines: list[str] = []
        self._locals: list[str] = []
        self._count = 0
        self._formulas: dict[int, Formulas] = {}
        self._block = "entry"

    def write(self, instruction: str) -> str:
        """Append an instruction, and return the name of its result."""
        name = self.name()
        self._lines.append(f"  {name} = {instruction}")
        return name

    def run(self, instruction: str) -> None:
        """Append an instruction without a result."""
        self._lines.append(f"  {instruction}")

    def name(self) -> str:
        """A name that nothing has yet."""
        self._count += 1
        return f"%t{self._count}"

    def formulas(self, width: int) -> Formulas:
        """What writes formulas of ``width`` numbers side by side into this function."""
        if width not in self._formulas:
            self._formulas[width] = Formulas(self.write, width, self._known)
        return self._formulas[width]

    def declare(self, name: str, count: int) -> None:
        """A local array of ``count`` numbers."""
        self._locals.append(f"  {name} = alloca [{count} x double], align 64")

    def local(self, kind: str, start: str = "") -> str:
        """A local variable that begins with the value ``start``."""
        name = f"%local{len(self._locals)}"
        text = f"  {name} = alloca {kind}, align 64"
        if start:
            text += f"\n  store {kind} {start}, ptr {name}, align 8"
        self._locals.append(text)
        return name

    def label(self, name: str) -> None:
        """Begin a block; the one before must have ended with a branch."""
        self._lines.append(f"{name}:")
        self._block = name

    @contextmanager
    def loop(self, count: int, stride: int = 1) -> Iterator[str]:
        """Repeat what is written inside, with an index from 0 to below ``count``."""
        at = self.name()
        number = at[2:]
        before, inside, after = self._block, f"in{number}", f"out{number}"
        self.run(f"br label %{inside}")
        self.label(inside)
        phi = len(self._lines)
        self._lines.append("")
        yield at
        following = self.write(f"add nuw nsw i64 {at}, {stride}")
        again = self.write(f"icmp ult i64 {following}, {count}")
        self._lines[phi] = f"  {at} = phi i64 [ 0, %{before} ], [ {following}, %{self._block} ]"
        self.run(f"br i1 {again}, label %{inside}, label %{after}")
        self.label(after)

    def repeat(self, count: int, unrolled: bool, body: Callable[[Index], None]) -> None:
        """Write ``body`` for each index below ``count``, in a loop or one after the other."""
        if unrolled or count == 1:
            for at in range(count):
                body(at)
        else:
            with self.loop(count) as index:
                body(index)

    def load(self, kind: str, pointer: str) -> str:
        """What ``pointer`` points at."""
        return self.write(f"load {kind}, ptr {pointer}, align 8")

    def store(self, kind: str, value: str, pointer: str) -> int:
        """Put ``value`` where ``pointer`` points; returns the number of the line."""
        self.run(f"store {kind} {value}, ptr {pointer}, align 8")
        return len(self._lines) - 1

    def erase(self, line: int) -> None:
        """Take out a line."""
        self._lines[line] = ""

    def splat(self, scalar: str, width: int) -> str:
        """``scalar`` in every place of a vector."""
        if width == 1:
            return scalar
        kind = type_of(width)
        first = self.write(f"insertelement {kind} poison, double {scalar}, i32 0")
        zeros = f"<{width} x i32> zeroinitializer"
        return self.write(f"shufflevector {kind} {first}, {kind} poison, {zeros}")

    def text(self, head: str) -> str:
        """The whole function; ``head`` is what stands before its braces."""
        return "\n".join([f"{head} {{", "entry:", *self._locals, *self._lines, "}"])
