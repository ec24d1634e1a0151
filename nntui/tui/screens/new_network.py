"""Asks, one question after the other, what a new network is to learn, and makes its preset."""

import tomllib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textual.app import App

from nntui.core.errors import ConfigError
from nntui.core.parts.datasets import DATASETS
from nntui.presets.atomic_write import write_bytes
from nntui.presets.editing.option import Option
from nntui.presets.lookup import load_preset
from nntui.presets.making.csv_columns import CsvColumns, csv_files, look_at_csv
from nntui.presets.making.first_preset import (
    HIDDEN,
    Hidden,
    Tables,
    file_of,
    for_columns,
    for_set,
    hidden_layers,
)
from nntui.presets.preset import Preset
from nntui.presets.schema import read_preset
from nntui.presets.writer import toml_of
from nntui.tui.screens.dialogs.ask import Ask
from nntui.tui.screens.dialogs.choose import Choose
from nntui.tui.screens.dialogs.choose_value import ChooseSome

BACK = "Enter goes on, Esc back"
PROGRAM = "program"
"""The answer where a program is wanted."""


@dataclass
class _Wanted:
    """What was answered so far."""

    source: str = ""
    """A file, or the name of a data set."""
    columns: CsvColumns | None = None
    target: str = ""
    inputs: list[str] = field(default_factory=list)
    hidden: Hidden = ()

    def tables(self) -> Tables:
        if self.columns is None:
            return for_set(self.source, self.hidden)
        return for_columns(self.columns, self.inputs, self.target, self.hidden)


class NewNetwork:
    """The questions; Escape goes back to the one before.

    A ``visitor`` has no files: only data sets are offered, and the preset is not saved.
    """

    def __init__(
        self, app: App[Any], visitor: bool = False, data: CsvColumns | None = None
    ) -> None:
        """What to learn from is not asked at first where there are ``data``."""
        self._app, self._visitor = app, visitor
        self._wanted = _Wanted() if data is None else _Wanted(str(data.path), data)

    async def ask(self) -> Preset | str | None:
        """The preset that was made; `PROGRAM` where a program is wanted, None after Escape."""
        steps: list[Callable[[], Awaitable[Any]]] = [
            self._source,
            self._target,
            self._inputs,
            self._hidden,
            self._save,
        ]
        at, answer = 0 if self._wanted.columns is None else 1, None
        while 0 <= at < len(steps):
            answer = await steps[at]()
            if answer == PROGRAM:
                return PROGRAM
            at += -1 if answer is None else 1
            while answer is None and at > 0 and self._is_idle(steps[at]):
                at -= 1
        return answer if isinstance(answer, Preset) else None

    def _titled(self, question: str) -> str:
        """A question with the name of what is learned from in front of it."""
        return f"{Path(self._wanted.source).name}: {question[0].lower()}{question[1:]}"

    def _is_idle(self, step: Callable[[], Awaitable[Any]]) -> bool:
        """Whether ``step`` asks nothing, as the data is no file."""
        return self._wanted.columns is None and step in (self._target, self._inputs)

    async def _source(self) -> Any:
        sets = list(DATASETS)
        files = [] if self._visitor else csv_files(Path())
        texts = [str(each) for each in files]
        if not self._visitor:
            texts += ["another CSV file, by its path", "a program of your own (.py)"]
        texts += [f"data set {name}: {DATASETS[name].summary}" for name in sets]
        chosen = await self._choose("A new network: what is it to learn from?", texts)
        if chosen is None:
            return None
        first_set = len(texts) - len(sets)
        if chosen >= first_set:
            self._wanted = _Wanted(sets[chosen - first_set])
            return True
        if chosen == first_set - 1:
            return PROGRAM
        if chosen < len(files):
            return await self._take(files[chosen])
        hint = f"Its first line names the columns. A relative path starts at {Path().absolute()}."
        asked = Ask("A CSV file", hint, _look, keys=BACK)
        found = await self._app.push_screen_wait(asked)
        if found is None:
            return await self._source()
        self._wanted = _Wanted(str(found.path), found)
        return True

    async def _take(self, path: Path) -> Any:
        try:
            found = look_at_csv(path)
        except ConfigError as error:
            said = [str(error), "choose something else"]
            await self._choose(f"{path} cannot be used", said)
            return await self._source()
        self._wanted = _Wanted(str(path), found)
        return True

    async def _target(self) -> Any:
        found = self._wanted.columns
        if found is None:
            return True
        texts = [f"{each.name}  {each.in_words}" for each in found.columns]
        title = self._titled("Which column is to be predicted?")
        chosen = await self._choose(title, texts, len(texts) - 1)
        if chosen is None:
            return None
        column = found.columns[chosen]
        inputs = found.inputs_for(column.name)
        problem = column.problem or ("" if inputs else "no other column holds numbers")
        if problem:
            await self._choose(f"{column.name}: {problem}", ["choose another column, or Esc"])
            return await self._target()
        self._wanted.target = column.name
        return True

    async def _inputs(self) -> Any:
        found, target = self._wanted.columns, self._wanted.target
        if found is None:
            return True
        likely = found.inputs_for(target)
        options = [
            Option(each.name, about=each.in_words, present=each.name in likely)
            for each in found.columns
            if each.is_numeric and not each.problem and each.name != target
        ]
        title = self._titled(f"From which columns is {target} predicted?")
        inputs = await self._app.push_screen_wait(ChooseSome(title, options, ""))
        if inputs is None:
            return None
        try:
            for_columns(found, inputs, target, ())
        except ConfigError as error:
            await self._choose("That cannot be learned", [f"{error}; choose again"])
            return await self._inputs()
        self._wanted.inputs = inputs
        return inputs

    async def _hidden(self) -> Any:
        hint = (
            "Units and activation of each layer, such as 8 tanh, 4 relu; empty for none. "
            "Enter takes what stands there: good to begin with."
        )
        title = self._titled("The hidden layers")
        asked = Ask(title, hint, hidden_layers, HIDDEN, keys=BACK)
        hidden = await self._app.push_screen_wait(asked)
        if hidden is None:
            return None
        self._wanted.hidden = hidden
        return True

    async def _save(self) -> Any:
        wanted = self._wanted
        tables = wanted.tables()
        if self._visitor:
            return read_preset(wanted.source, tomllib.loads(toml_of(tables)))
        beside = Path(f"{wanted.source}.csv") if wanted.columns is None else wanted.columns.path

        def read(text: str) -> Preset:
            path = Path(text.strip()).expanduser()
            if path.suffix != ".toml":
                raise ConfigError("", "a name that ends in .toml, please")
            if path.exists():
                raise ConfigError("", f"{path} is there already; choose another name")
            if wanted.columns is not None and path.absolute().parent != beside.absolute().parent:
                tables["data"]["csv"] = str(beside.absolute())
            write_bytes(path, toml_of(tables).encode())
            return load_preset(str(path))

        hint = "The preset is saved here: nntui FILE opens it again, and any editor changes it."
        title = self._titled("Save it as")
        asked = Ask(title, hint, read, str(file_of(beside)), keys=BACK)
        return await self._app.push_screen_wait(asked)

    async def _choose(self, title: str, texts: list[str], at: int = 0) -> int | None:
        return await self._app.push_screen_wait(Choose(title, texts, "Enter chooses, Esc back", at))


def _look(text: str) -> CsvColumns:
    return look_at_csv(Path(text.strip()).expanduser())
