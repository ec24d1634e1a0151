"""Finds and loads presets: by name from the library that ships with nntui, or by path."""

import difflib
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nntui.core.errors import ConfigError, quoted
from nntui.presets.compact_string import decode, is_compact
from nntui.presets.preset import Origin, Preset
from nntui.presets.schema import changed_table, override, read_preset
from nntui.presets.text_files import check_file, is_csv, read_text
from nntui.presets.toml_text import LARGEST_TOML, parse_toml


def _folder() -> Path:
    """The folder of the library: inside the installed package, or at the top of a checkout."""
    here = Path(__file__).parent
    shipped = here / "library"
    return shipped if shipped.is_dir() else here.parents[1] / "presets"


ORDER = (
    "add-relu",
    "add-tanh",
    "add-sigmoid",
    "add-relu-momentum",
    "add-fixed",
    "line-tanh",
    "line-leaky-relu",
    "line-leaky-relu-edited",
    "line-leaky-relu-bias",
    "xor-relu",
    "xor-sigmoid",
    "xor-relu-layernorm",
    "xor-relu-fixed",
    "square-leaky-relu",
    "square-linear-output",
    "square-fixed",
)
"""The order of the library: by question; each as asked, as answered, as fixed."""
SESSION = ".nntui"
"""How the name of a saved session ends."""


def preset_names() -> list[str]:
    """The library's names, in its order."""
    names = {path.stem for path in _folder().glob("*.toml")}
    ordered = [name for name in ORDER if name in names]
    return ordered + sorted(names - set(ordered))


def _is_path(text: str) -> bool:
    return Path(text).suffix == ".toml" or "/" in text


def is_string(text: str) -> bool:
    """Whether ``text`` is a preset string, not the name or path of a preset."""
    return is_compact(text) and not _is_path(text)


def is_session(text: str) -> bool:
    """Whether ``text`` names a saved session where a preset or a session can be named."""
    return Path(text).suffix == SESSION


def find_preset(name_or_path: str) -> Path:
    """The file of a library name or path; raises ConfigError, with the closest names, if none."""
    if is_csv(name_or_path):
        hint = f"nntui {shlex.quote(name_or_path)} makes a preset for it"
        raise ConfigError("", f"{quoted(name_or_path)} is no preset but data; {hint}")
    if _is_path(name_or_path):
        return check_file(Path(name_or_path))
    names = preset_names()
    if name_or_path in names:
        return _folder() / f"{name_or_path}.toml"
    near = difflib.get_close_matches(name_or_path, names, n=3, cutoff=0.4)
    said = f"did you mean {' or '.join(near)}?" if near else "nntui presets lists them"
    raise ConfigError("", f"there is no preset {quoted(name_or_path)}; {said}")


def preset_text(name_or_path: str) -> str:
    """The text of the file of a library name or path, valid or not; raises as `find_preset`."""
    return read_text(find_preset(name_or_path), LARGEST_TOML)


def load_preset(name_or_path: str, changes: Mapping[str, Any] | None = None) -> Preset:
    """Load a preset by its name in the library, by the path of a ``.toml`` file, or from a string.

    ``changes`` are made as by `override`; they may mend a file that is invalid without them.
    Raises ConfigError, in one line, if there is no such preset, if it is not valid TOML (with the
    line), or if an entry is invalid (with its dotted key).
    """
    changes, mended = changes or {}, False
    if is_string(name_or_path):
        loaded = decode(name_or_path)
    else:
        loaded, mended = _load_file(name_or_path, changes)
    origin = Origin(name_or_path, loaded.seed, changes if mended else {})
    loaded = replace(loaded, origin=origin)
    return loaded if mended or not changes else override(loaded, changes)


def _load_file(name_or_path: str, changes: Mapping[str, Any]) -> tuple[Preset, bool]:
    """The preset of a file, and whether ``changes`` had to be made for it to be valid."""
    path = find_preset(name_or_path)
    text = read_text(path, LARGEST_TOML)
    shown = path.stem if path.parent == _folder() else str(path)
    # A scenario of the library refers to no file; what is changed in it is the user's own.
    folder = None if path.parent == _folder() else path.absolute().parent
    return _read(text, path.stem, shown, folder, changes)


def preset_of_text(text: str, name: str) -> Preset:
    """The preset that ``text`` is: TOML as in a file, or a string as `encode` makes them.

    It is called ``name`` if it says none itself.  Raises ConfigError, in one line, for any other.
    """
    if is_compact(text.strip()):
        return decode(text.strip())
    if not text.strip():
        raise ConfigError("", "there is no preset in an empty text")
    return _read(text, name, "the text", Path(), {})[0]


def _read(
    text: str, name: str, shown: str, folder: Path | None, changes: Mapping[str, Any]
) -> tuple[Preset, bool]:
    """The preset of the TOML ``text``, and whether ``changes`` had to be made for it to be valid.

    Messages call the text ``shown``; relative paths in it are relative to ``folder``.
    """
    try:
        table = parse_toml(text)
        try:
            return read_preset(name, table, folder), False
        except ConfigError:
            if not changes:
                raise
            return read_preset(name, changed_table(table, changes), folder), True
    except tomllib.TOMLDecodeError as error:
        raise ConfigError("", f"{shown}: is not valid TOML: {error}") from None
    except ConfigError as error:
        if any(_is_about(error.key, key) for key in changes):
            raise  # the file does not say this
        raise ConfigError("", f"{shown}: {error}") from None
    except ValueError:
        raise ConfigError("", f"{shown}: has a whole number of too many digits") from None
    except RecursionError:
        raise ConfigError("", f"{shown}: is nested too deeply") from None


def _is_about(key: str, changed: str) -> bool:
    """Whether one of the dotted keys lies in the other."""
    return f"{key}.".startswith(f"{changed}.") or f"{changed}.".startswith(f"{key}.")


def library() -> Iterator[Preset]:
    """All presets of the library, in its order."""
    for name in preset_names():
        yield load_preset(name)
