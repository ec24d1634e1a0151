"""The section of a script that makes the data: inputs and targets, one row per sample."""

from collections.abc import Iterator
from dataclasses import replace

from nntui.core.engine.data import Scaling, load_data
from nntui.core.formulas.calculus import simplified
from nntui.core.formulas.parsing import formula
from nntui.core.formulas.prepared import expanded
from nntui.core.formulas.printing import NumpyPrinter
from nntui.core.settings.configuration import Configuration
from nntui.core.settings.data_settings import Data
from nntui.core.settings.layer_settings import Layer
from nntui.core.settings.report_settings import Report
from nntui.core.settings.training_settings import Training
from nntui.core.tape import Array
from nntui.export.formatting import table


def data_section(data: Data, units: bool = False) -> Iterator[str]:
    """Statements that make ``inputs`` and ``targets``, and the training rows ``x`` and ``y``.

    They also make ``probe`` if there are probe rows, the row numbers ``train`` and ``test`` if
    there are test rows, and the ``units`` of scaled targets if they are wanted.
    """
    yield "# Data: one row a sample."
    if _is_drawn(data):
        yield f"data_random = np.random.RandomState({data.seed})"
    yield from _source(data)
    if data.test_rows:
        count = data.test_rows
        yield f"order = data_random.permutation({data.rows})  # the first are kept for testing"
        yield f"test, train = np.sort(order[:{count}]), np.sort(order[{count}:])"
    if data.probe is not None:
        yield table("probe", [row[: data.given] for row in data.probe])
    x, y = _raw(data)
    also = ["probe"] if data.probe is not None else []
    yield from _scaling(data.scale_inputs, "inputs", x, also, bool(data.test_rows))
    yield from _scaling(data.scale_targets, "targets", y, [], bool(data.test_rows))
    if units:
        large = (Scaling.fitted(data.scale_targets, y).unit != 1.0).any()
        yield f"units = spread{' * unit' if large else ''}  # of the reported errors"
    if data.target_divisor != 1.0:
        yield f"targets = targets / {data.target_divisor!r}"
    if data.constant_inputs:
        yield f"constants = {list(data.constant_inputs)}  # the same in every row"
        for name in ["inputs", *also]:
            yield f"{name} = np.hstack([{name}, np.tile(constants, (len({name}), 1))])"
    chosen = "[train]" if data.test_rows else ""
    yield f"x, y = inputs{chosen}, targets{chosen}"


def _is_drawn(data: Data) -> bool:
    return bool(data.noise or data.set == "xor" or data.test_rows)


def _formula(text: str) -> str:
    """Source of a formula of x that gives an array of the shape of x."""
    expression = simplified(formula(text))
    written = NumpyPrinter().text(expanded(expression))
    return written if expression.names else f"np.full_like(x, {written})"


def _source(data: Data) -> Iterator[str]:
    if data.formula is not None:
        yield f"x = np.linspace({data.start!r}, {data.stop!r}, {data.rows}).reshape(-1, 1)"
        yield f"inputs, targets = x, {_formula(data.formula)}"
        if data.noise:
            yield f"targets = targets + {data.noise!r} * data_random.randn({data.rows}, 1)"
    elif data.set is not None:
        yield from _points(data)
        if data.one_hot:
            yield f"targets = np.eye({data.classes})[labels]"
        else:
            yield "targets = labels.reshape(-1, 1).astype(float)"
    else:
        yield table("inputs", data.inputs or ())
        yield table("targets", data.targets or ())


def _points(data: Data) -> Iterator[str]:
    """Statements that make the points of a set and their classes."""
    rows, classes = data.rows, data.classes or 2
    if data.set == "xor":
        yield f"inputs = data_random.uniform(-1.0, 1.0, ({rows}, 2))"
        yield "labels = (inputs[:, 0] * inputs[:, 1] < 0.0).astype(int)"
    else:
        yield f"labels = np.arange({rows}) % {classes}"
        if data.set != "clusters":
            steps = max(-(-rows // classes) - 1, 1)
            yield f"along = np.arange({rows}) // {classes} / {steps}  # from 0 to 1 in each class"
        yield from _curve(str(data.set), classes)
    if data.noise or data.test_rows:  # the test split is drawn after the noise, even if that is 0
        yield f"inputs = inputs + {data.noise!r} * data_random.randn({rows}, 2)"


def _curve(name: str, classes: int) -> Iterator[str]:
    match name:
        case "circles":
            yield f"angle, radius = 2.0 * np.pi * along, (labels + 1.0) / {classes}"
            yield "inputs = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])"
        case "moons":
            yield "angle = np.pi * along"
            yield "upper = np.column_stack([np.cos(angle), np.sin(angle)])"
            yield "lower = np.column_stack([1.0 - np.cos(angle), 0.5 - np.sin(angle)])"
            yield "inputs = np.where(labels[:, None] == 0, upper, lower)"
        case "spiral":
            yield f"angle = 3.5 * np.pi * along + 2.0 * np.pi * labels / {classes}"
            yield "inputs = np.column_stack([along * np.sin(angle), along * np.cos(angle)])"
        case "clusters":
            yield f"angle = 2.0 * np.pi * labels / {classes}"
            yield "inputs = np.column_stack([np.cos(angle), np.sin(angle)])"
        case _:
            raise KeyError(name)


def _raw(data: Data) -> tuple[Array, Array]:
    """Unscaled inputs and targets of the training rows, (columns, rows)."""
    bare = replace(
        data,
        scale_inputs="none",
        scale_targets="none",
        target_divisor=1.0,
        constant_inputs=(),
        probe=None,
    )
    loss = "half-squared-error"
    found = load_data(
        Configuration(
            data=bare,
            layers=(Layer(units=data.outputs),),
            training=Training(loss=loss, learning_rate=0.0),
            report=Report(loss=loss),
        )
    )
    return found.x, found.y


def _scaling(kind: str, name: str, values: Array, also: list[str], split: bool) -> Iterator[str]:
    """Statements that scale the columns of ``name``, fitted to its training rows ``values``."""
    if kind == "none":
        return
    unit = Scaling.fitted(kind, values).unit.ravel()
    if (unit != 1.0).any():
        yield f"unit = np.array({unit.tolist()})  # powers of 2, so that no square overflows"
        for each in [name, *also]:
            yield f"{each} = {each} / unit"
    yield f"fitted = {name}{'[train]' if split else ''}  # scaled to " + (
        "mean 0, deviation 1" if kind == "standard" else "0..1"
    )
    if kind == "standard":
        yield "shift, spread = fitted.mean(axis=0), fitted.std(axis=0)"
    else:
        yield "shift = fitted.min(axis=0)"
        yield "spread = fitted.max(axis=0) - shift"
    if (values == values[:, :1]).all(axis=1).any():
        yield "constant = (fitted == fitted[0]).all(axis=0)  # such a column becomes 0"
        yield "shift = np.where(constant, fitted[0], shift)"
        yield "spread = np.where(constant, 1.0, spread)"
    for each in [name, *also]:
        yield f"{each} = ({each} - shift) / spread"
