"""Finds and loads presets: by name from the library that ships with nntui, or by path."""

import difflib
import tomllib
from collections.abc import Iterator
from pathlib import Path

from nntui.core.errors import ConfigError, quoted
from nntui.presets.compact_string import decode, is_compact
from nntui.presets.preset import Preset
from nntui.presets.schema import read_preset
from nntui.presets.text_files import check_file, read_text

__all__ = ["find_preset", "library", "load_preset", "preset_names", "read_text"]


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


def find_preset(name_or_path: str) -> Path:
    """The file of a library name or path; raises ConfigError, with the closest names, if none."""
    if _is_path(name_or_path):
        return check_file(Path(name_or_path))
    names = preset_names()
    if name_or_path in names:
        return _folder() / f"{name_or_path}.toml"
    near = difflib.get_close_matches(name_or_path, names, n=3, cutoff=0.4)
    said = f"did you mean {' or '.join(near)}?" if near else "nntui presets lists them"
    raise ConfigError("", f"there is no preset {quoted(name_or_path)}; {said}")


def load_preset(name_or_path: str) -> Preset:
    """Load a preset by its name in the library, by the path of a ``.toml`` file, or from a string.

    Raises ConfigError, in one line, if there is no such preset, if it is not valid TOML (with the
    line), or if an entry is invalid (with its dotted key).
    """
    if is_string(name_or_path):
        return decode(name_or_path)
    path = find_preset(name_or_path)
    text = read_text(path)
    shown = path.stem if path.parent == _folder() else str(path)
    try:
        return read_preset(path.stem, tomllib.loads(text), path.absolute().parent)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError("", f"{shown}: is not valid TOML: {error}") from None
    except ConfigError as error:
        raise ConfigError("", f"{shown}: {error}") from None
    except ValueError:
        raise ConfigError("", f"{shown}: has a whole number of too many digits") from None
    except RecursionError:
        raise ConfigError("", f"{shown}: is nested too deeply") from None


def library() -> Iterator[Preset]:
    """All presets of the library, in its order."""
    for name in preset_names():
        yield load_preset(name)
