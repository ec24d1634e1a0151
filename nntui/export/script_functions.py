"""The functions that a script defines: printed from formulas, or written out here."""

import re
from collections import Counter
from collections.abc import Mapping

from nntui.core.formulas.calculus import simplified
from nntui.core.formulas.expression import Call, Expression, Name
from nntui.core.formulas.printing import NumpyPrinter, definitions
from nntui.core.parts.faults import STEP_NAMES
from nntui.core.parts.normalisation import EPSILON, MEAN, NORMALISED, SPREAD, THROUGH
from nntui.core.parts.optimisers import CLIPPED, Optimiser
from nntui.export.formatting import WIDTH

LONGEST = 64
"""Maximum characters of a formula written in place; a longer one becomes a function."""
_LOCALS = "pqrs"


class FormulaWriter:
    """Writes the formulas of one script: in place, or as functions defined at its top."""

    def __init__(self, printer: type[NumpyPrinter]) -> None:
        self._printer = printer
        self._called = printer()
        self._functions: dict[str, str] = {}

    def text(self, expression: Expression, names: Mapping[str, str], function: str) -> str:
        """Source of ``expression`` with variables renamed by ``names``; a call if it is long.

        The function is then called ``function``, with a number if another formula has that name.
        """
        text = self._print(expression, names)
        if len(text) <= LONGEST:
            return text
        arguments = sorted(expression.names)
        definition = self._defined(function, arguments, expression)
        number, name = 2, function
        while self._functions.setdefault(name, definition.format(name=name)) != definition.format(
            name=name
        ):
            name, number = f"{function}_{number}", number + 1
        return f"{name}({', '.join(names.get(each, each) for each in arguments)})"

    def _print(self, expression: Expression, names: Mapping[str, str]) -> str:
        printer = self._printer(names)
        text = printer.text(simplified(expression))
        self._called.called.update(printer.called)
        return text

    def _defined(self, function: str, arguments: list[str], expression: Expression) -> str:
        """The definition of ``function``; a part that is repeated or too long gets its own line."""
        lines = [f"def {{name}}({', '.join(arguments)}):"]
        for letter in _LOCALS:
            part = _largest_shared(expression)
            if part is None and len(self._print(expression, {})) > WIDTH - len("    return "):
                part = max(expression.parts, key=lambda each: sum(1 for _ in each.walk()))
            if part is None:
                break
            lines.append(f"    {letter} = {self._print(part, {})}")
            expression = expression.replaced({part: Name(letter)})
        return "\n".join([*lines, f"    return {self._print(expression, {})}"])

    def definitions(self) -> list[str]:
        """The definitions of all functions, dependencies first."""
        return [*definitions(self._called), *self._functions.values()]


def _largest_shared(expression: Expression) -> Expression | None:
    """The part that occurs most often, the largest of these; None if none occurs twice."""
    counts = Counter(node for node in expression.walk() if node.parts)
    shared = [node for node, count in counts.items() if count > 1]
    if not shared:
        return None
    return max(shared, key=lambda node: (counts[node], sum(1 for _ in node.walk())))


def with_shape(text: str, expression: Expression, like: str, library: str) -> str:
    """``text``, the source of ``expression``, as an array of the shape of ``like``."""
    expression = simplified(expression)
    if expression.names <= set(STEP_NAMES):
        return f"{library}.full_like({like}, {text})"
    return f"{library}.zeros_like({like}) + {text}" if _is_number(expression) else text


def _is_number(expression: Expression) -> bool:
    """Whether ``expression`` gives one number, whatever the shapes of its arrays."""
    match expression:
        case Name() | Call("outer"):
            return False
        case Call("dot"):
            return True
    return all(map(_is_number, expression.parts))


def step_function(rule: Optimiser, name: str, library: str = "np") -> str:
    """The definition of a function that performs the optimiser's step in place."""
    printer = NumpyPrinter({key: key.upper() for key in rule.parameters})
    written = rule.readable
    letters = [letter for letter, _ in written[:-1]]
    count = ["t"] if rule.counts else []
    lines = [
        f"def {name}({', '.join(['p', 'g', *letters, *count, 'rate'])}):",
        '    """Change the parameters p in place along their gradient g'
        + (', in update t (the first is 1)."""' if count else '."""'),
    ]
    lines += [f"    {letter}[:] = {printer.text(each)}" for letter, each in written[:-1]]
    lines.append(f"    p -= {printer.text(written[-1][1])}")
    return "\n".join(lines).replace("np.", f"{library}.")


def _normalise() -> str:
    printer = NumpyPrinter()
    return "\n".join(
        [
            "def normalise(a):",
            '    """Each sample centred and scaled over the units of the layer."""',
            f"    mean = {printer.text(MEAN)}",
            f"    spread = {printer.text(SPREAD)}",
            f"    return {printer.text(NORMALISED)}",
        ]
    )


def _through_normalise() -> str:
    printer = NumpyPrinter()
    return "\n".join(
        [
            "def through_normalise(u, a, h):",
            '    """dL/da from u = dL/dh."""',
            f"    mean = {printer.text(MEAN)}",
            f"    spread = {printer.text(SPREAD)}",
            f"    return {printer.text(THROUGH)}",
        ]
    )


ENDS = "A number that is no longer finite ends the run, after this epoch"

NUMPY = {
    "all_finite": '''
def all_finite(*arrays):
    """Whether no number in the arrays is infinite or NaN."""
    return all(np.isfinite(each).all() for each in arrays)
''',
    "normalise": _normalise(),
    "through_normalise": _through_normalise(),
    "clip_value": '''
def clip_value(*gradients):
    """Each number of the gradients, cut to between minus and plus CLIP_VALUE."""
    return [@CLIP@ for g in gradients]
'''.replace("@CLIP@", NumpyPrinter({"clip_value": "CLIP_VALUE"}).text(CLIPPED)),
    "clip_norm": '''
def clip_norm(*gradients):
    """The gradients, shrunk together to the norm CLIP_NORM if theirs is larger."""
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    return [g * (CLIP_NORM / norm) if norm > CLIP_NORM else g for g in gradients]
''',
}

PYTORCH = {
    "all_finite": '''
def all_finite(*tensors):
    """Whether no number in the tensors is infinite or NaN."""
    return all(torch.isfinite(each).all().item() for each in tensors)
''',
    "remembered": '''
def remembered(optimiser):
    """All tensors that the optimiser keeps from update to update."""
    kept = [each for state in optimiser.state.values() for each in state.values()]
    return [each for each in kept if torch.is_tensor(each)]
''',
    "normalise": f'''
def normalise(a):
    """Each sample centred and scaled over the units of the layer."""
    return F.layer_norm(a, a.shape[1:], eps={EPSILON!r})
''',
    "as_if": '''
def as_if(value, other):
    """``value``, through which backpropagation passes as if it were ``other``."""
    return value.detach() + (other - other.detach())
''',
    "clip_value": '''
def clip_value(*parameters):
    """Cut each number of the gradients to between minus and plus CLIP_VALUE."""
    for p in parameters:
        p.grad.clamp_(-CLIP_VALUE, CLIP_VALUE)
''',
    "clip_norm": '''
def clip_norm(*parameters):
    """Shrink the gradients together to the norm CLIP_NORM if theirs is larger."""
    norm = torch.sqrt(sum((p.grad**2).sum() for p in parameters))
    if norm > CLIP_NORM:
        for p in parameters:
            p.grad *= CLIP_NORM / norm
''',
}


def needed(functions: Mapping[str, str], text: str) -> list[str]:
    """The definitions of the ``functions`` that ``text`` calls; none of them calls another."""
    return [
        definition.strip("\n")
        for name, definition in functions.items()
        if re.search(rf"\b{name}\(", text)
    ]
