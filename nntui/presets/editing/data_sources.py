"""Changes of the data: another source, other columns, other rows, and what has to go with them."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from nntui.core.errors import ConfigError, quoted
from nntui.core.parts.datasets import DATASETS
from nntui.core.settings.data_settings import STANDARD
from nntui.presets.editing.applicability import CSV, SOURCE_WORDS, SOURCES, source_of, sources_of
from nntui.presets.editing.entries import Changes
from nntui.presets.editing.option import Option, Question
from nntui.presets.making.csv_columns import CsvColumns, csv_files, look_at_csv
from nntui.presets.making.first_preset import CROSS_ENTROPY, Tables, for_columns, for_set
from nntui.presets.preset import Preset
from nntui.presets.preset_table import data_table, embedded, plain_values
from nntui.presets.text_files import are_open, check_file

FORMULA = "sin(2*pi*x)"
"""What is offered as the first formula."""
INPUTS = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
TARGETS = [[0.0], [1.0], [1.0], [0.0]]
"""What is offered as the first table: exclusive or."""


def other_sources(preset: Preset) -> Iterator[Option]:
    """The sources that the data may come from."""
    now = source_of(preset)
    yield Option("table", partial(_to_table, preset), SOURCE_WORDS["table"], now == "table")
    words = SOURCE_WORDS["formula"]
    yield Option("formula", partial(_to_formula, preset), words, now == "formula")
    for name, each in DATASETS.items():
        same = preset.configuration.data.set == name
        yield Option(name, partial(to_set, preset, name), f"data set: {each.summary}", same)
    if are_open():
        folder = preset.folder or Path()
        listed, read = [each.name for each in csv_files(folder)], preset.csv_source.csv
        if read is not None and read not in listed:
            listed.insert(0, read)
        for name in listed:
            yield Option(name, partial(from_csv, preset, name), "CSV file", name == read)
        hint = f"Its first line names the columns. A relative path starts at {folder.absolute()}."
        asked = Question("A CSV file", hint, partial(from_csv, preset))
        yield Option("another CSV file", about="by its path", asks=asked)


def _kept(preset: Preset, source: str) -> dict[str, Any]:
    """The entries of the data that stay valid with another ``source``."""
    found = {}
    for key, value in data_table(preset).items():
        limited = sources_of(key)
        if key not in SOURCES and (not limited or source in limited):
            found[key] = value
    return found


def to_source(preset: Preset, name: str, value: Any) -> Changes:
    """The change that takes the data from another source: its entry ``name`` set to ``value``."""
    if name == "set":
        return to_set(preset, str(value))
    return {"data": plain_values({**_kept(preset, SOURCES[name]), name: value})}


def to_set(preset: Preset, name: str) -> Changes:
    """The change that takes the data from a set, with an output layer that fits."""
    kept = {k: v for k, v in _kept(preset, "set").items() if k not in ("probe", "target_divisor")}
    made = for_set(name, ())
    data = {**made["data"], **kept, "set": name}
    outputs = (data.get("classes") or 2) if data.get("one_hot") else 1
    if (data.get("classes") or 2) > DATASETS[name].most_classes:
        data, outputs = dict(made["data"]), 1
    return {"data": plain_values(data), **_fitting(preset, made, outputs)}


def _to_formula(preset: Preset) -> Changes:
    kept = {k: v for k, v in _kept(preset, "formula").items() if k != "probe"}
    data = {**kept, "formula": FORMULA}
    return {"data": plain_values(data), **_fitting(preset, _REGRESSION, 1)}


def _to_table(preset: Preset) -> Changes:
    """The rows of a CSV file written out; for another source, a small table to begin with."""
    if source_of(preset) == CSV:
        return {"data": plain_values(embedded(preset)["data"])}
    kept = {k: v for k, v in _kept(preset, "table").items() if k != "probe"}
    data = {**kept, "inputs": INPUTS, "targets": TARGETS}
    return {"data": plain_values(data), **_fitting(preset, for_set("xor", ()), 1)}


_REGRESSION: Tables = {
    "layers": [{"units": 1, "activation": "identity", "init": "xavier"}],
    "training": {"loss": "squared-error"},
    "report": {"loss": "squared-error"},
    "goal": {"loss": 0.01},
}
"""An output layer and losses for numbers."""


_CLASSES: Tables = {
    "layers": [{"units": 2, "activation": "softmax", "init": "xavier"}],
    "training": {"loss": "categorical-cross-entropy"},
    "report": {"loss": "categorical-cross-entropy"},
    "goal": {"loss": CROSS_ENTROPY},
}
"""An output layer and losses for one column a class."""


def with_classes(preset: Preset, name: str, value: Any) -> Changes:
    """The change of ``classes`` or ``one_hot`` of a data set, with an output layer that fits."""
    data = preset.configuration.data
    classes = (value or 2) if name == "classes" else data.classes or 2
    one_hot = bool(value) if name == "one_hot" else data.one_hot or classes > 2
    made: Changes = {f"data.{name}": value}
    if one_hot != data.one_hot:
        made["data.one_hot"] = one_hot
    outputs = classes if one_hot else 1
    return made | _fitting(preset, _CLASSES if one_hot else for_set(str(data.set), ()), outputs)


def _fitting(preset: Preset, made: Tables, outputs: int) -> Changes:
    """The output layer and losses of ``made``, unless those of ``preset`` fit ``outputs``."""
    if preset.configuration.layers[-1].units == outputs:
        return {}
    return brought(preset, made, outputs)


def brought(preset: Preset, made: Tables, outputs: int) -> Changes:
    """The change to the output layer, losses and goal of ``made``, with so many ``outputs``."""
    last = len(preset.configuration.layers) - 1
    return {
        f"layers.{last}": {**made["layers"][-1], "units": outputs},
        "training.loss": made["training"]["loss"],
        "report.loss": made["report"]["loss"],
        "goal.loss": made["goal"]["loss"],
    }


def csv_path(preset: Preset, text: str) -> str:
    """The path of a CSV file as it stands in ``preset``: as given, or absolute.

    A relative path starts at the folder of the preset; where there is no such file, at the working
    directory.  Raises ConfigError if it is in neither.
    """
    path, folder = Path(text.strip()).expanduser(), preset.folder or Path()
    if not are_open():
        check_file(path)  # which says why, and not whether there is such a file
    if path.is_absolute() or (folder / path).exists():
        return str(path)
    if path.exists():
        return str(path.absolute())
    if not text.strip():
        raise ConfigError("data.csv", "must be the path of a file, not an empty text")
    where = str(folder.absolute())
    if preset.folder is not None and folder.absolute() != Path().absolute():
        where += f" nor in {Path().absolute()}"
    raise ConfigError("data.csv", f"there is no file {text.strip()} in {where}")


def columns_of(preset: Preset) -> CsvColumns:
    """The columns of the CSV file that ``preset`` reads; ConfigError if that cannot be read."""
    return _look(preset, str(preset.csv_source.csv))


def _look(preset: Preset, path: str) -> CsvColumns:
    try:
        return look_at_csv((preset.folder or Path()) / path)
    except ConfigError as error:
        raise ConfigError("data.csv", error.message) from None


def from_csv(preset: Preset, text: str) -> Changes:
    """The change that takes the data from the CSV file ``text``, its last column as the target.

    The output layer, the losses and the goal become those of such a target.
    """
    path = csv_path(preset, text)
    if preset.csv_source.csv == path:
        return {"data.csv": path}
    found = _look(preset, path)
    target = found.columns[-1].name
    return _of_columns(preset, found, path, found.inputs_for(target), [target])


def with_inputs(preset: Preset, names: Sequence[str]) -> Changes:
    """The change that reads the columns ``names`` as the inputs."""
    if not names:
        raise ConfigError("data.input_columns", "at least one column has to be an input")
    targets = [*preset.csv_source.target_columns, preset.csv_source.classes_from]
    for name in names:
        if name in targets:
            raise ConfigError("data.input_columns", f"{quoted(name)} is the target already")
    return {"data.input_columns": list(names)}


def with_targets(preset: Preset, names: Sequence[str]) -> Changes:
    """The change that reads the columns ``names`` as the targets: numbers, or one of texts.

    A column that was an input is one no more.  The output layer, losses and goal are changed with
    it where the targets are of another kind or number.
    """
    found, source = columns_of(preset), preset.csv_source
    if not names:
        raise ConfigError("data.target_columns", "at least one column has to be a target")
    inputs = [each for each in source.input_columns if each not in names]
    if not inputs:
        inputs = [each for each in found.inputs_for(names[0]) if each not in names]
    return _of_columns(preset, found, str(source.csv), inputs, names)


def _of_columns(
    preset: Preset, found: CsvColumns, path: str, inputs: Sequence[str], targets: Sequence[str]
) -> Changes:
    try:
        made = for_columns(found, inputs, targets[0], ())
        for name in targets[1:]:
            for_columns(found, inputs, name, ())
    except ConfigError as error:
        raise ConfigError("data.csv", str(error)) from None
    data, one = {**made["data"], "csv": path}, made["layers"][-1]["units"]
    if len(targets) > 1:
        if "classes_from" in data:
            raise ConfigError("data.target_columns", f"{quoted(targets[0])} holds texts: classes")
        data |= {"target_columns": list(targets), "scale_targets": STANDARD}
        made = _REGRESSION
    outputs = one if len(targets) == 1 else len(targets)
    if preset.csv_source.csv != path:
        return {"data": data, **brought(preset, made, outputs)}
    # The file stays, and so does what else is said of it.
    kind = ("classes_from", "target_columns", "scale_targets")
    kept = {key: value for key, value in data_table(preset).items() if key not in kind}
    now = {**kept, "input_columns": list(inputs)}
    now |= {key: data[key] for key in kind if key in data}
    same = _is_same_task(preset, made, outputs)
    return {"data": plain_values(now), **({} if same else brought(preset, made, outputs))}


def _is_same_task(preset: Preset, made: Tables, outputs: int) -> bool:
    """Whether the output layer of ``preset`` fits, and its loss is that of such targets."""
    configuration = preset.configuration
    fits = configuration.layers[-1].units == outputs
    return fits and configuration.training.loss == made["training"]["loss"]
