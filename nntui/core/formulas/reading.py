"""Reading the formulas of a preset: parsed, and refused if a constant in them is not finite."""

import re
from collections.abc import Collection

import numpy as np

from nntui.core.errors import ConfigError, one_of
from nntui.core.formulas.evaluation import evaluate
from nntui.core.formulas.expression import Call, Expression
from nntui.core.formulas.parsing import parse_formula
from nntui.core.formulas.printing import formula_text


def read_formula(
    key: str, text: str, names: Collection[str], products: Collection[str] = ()
) -> Expression:
    """`parse_formula`; raises ConfigError also for constants such as 1/0 and 9^9^9."""
    expression = parse_formula(key, text, names, products)
    for part in _constants(expression):
        with np.errstate(all="ignore"):
            value = float(evaluate(part, {}))
        if not np.isfinite(value):
            raise ConfigError(key, f"{formula_text(part)} is not finite")
    return expression


def read_choice(
    key: str, text: str, choices: Collection[str], names: Collection[str], example: str
) -> Expression | None:
    """The formula ``text``, or None for one of ``choices``.

    Raises ConfigError where it is neither: about the choices if it is a mere word, and otherwise
    about the formula.
    """
    if text in choices:
        return None
    try:
        return read_formula(key, text, names)
    except ConfigError:
        if re.fullmatch(r"\s*[A-Za-z][\w-]+\s*", text) is None:
            raise
        raise ConfigError(key, f"{one_of(text, choices)}; or {example}") from None


def _constants(expression: Expression) -> list[Expression]:
    """The largest parts in which no name is read."""
    is_matrix = isinstance(expression, Call) and expression.function == "outer"
    if not expression.names and not is_matrix:
        return [expression]
    return [each for part in expression.parts for each in _constants(part)]
