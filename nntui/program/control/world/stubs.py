"""Modules that draw, and show nothing here: plots are no part of what a program computes.

Plotting is replaced even where it is installed: an analysis runs parts of the program many times,
and nobody sees the picture.  Progress bars and notebooks are replaced where they are missing.
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

import numpy as np

ALWAYS = ("matplotlib", "mpl_toolkits", "pylab", "seaborn", "plotly", "bokeh")
IF_MISSING = ("tqdm", "IPython")
STAR = """
    plot scatter bar hist imshow contour contourf pcolormesh figure subplot subplots show savefig
    title xlabel ylabel xlim ylim legend grid axis close clf cla pause draw ion ioff text colorbar
    semilogy semilogx loglog fill_between axhline axvline errorbar annotate tight_layout gca gcf
    xticks yticks suptitle style cm rcParams
"""
"""What ``from matplotlib.pyplot import *`` is expected to bring."""


class Shown:
    """Stands for whatever a drawing module offers: it can be called, indexed, entered, written."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Shown()

    def __call__(self, *arguments: Any, **_: Any) -> Any:
        # As a decorator it leaves the function as it is.
        if len(arguments) == 1 and callable(arguments[0]) and not isinstance(arguments[0], Shown):
            return arguments[0]
        return Shown()

    def __getitem__(self, _: Any) -> Any:
        return Shown()

    def __setitem__(self, _: Any, __: Any) -> None:
        pass

    def __delitem__(self, _: Any) -> None:
        pass

    def __contains__(self, _: Any) -> bool:
        return False

    def __iter__(self) -> Iterator[Any]:
        return iter((Shown(), Shown()))

    def __len__(self) -> int:
        return 2

    def __bool__(self) -> bool:
        return True

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def __instancecheck__(self, _: Any) -> bool:
        return False

    def __float__(self) -> float:
        return 0.0

    def __array__(self, *_: Any, **__: Any) -> Any:
        return np.zeros(())

    def __mro_entries__(self, _: Any) -> tuple[type, ...]:
        return (Shown,)

    def _number(self, *_: Any) -> Any:
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = _number
    __or__ = __ror__ = __and__ = __rand__ = _number


def subplots(nrows: int = 1, ncols: int = 1, *_: Any, squeeze: bool = True, **__: Any) -> Any:
    """A figure, and as many axes as were asked for, in the shape that matplotlib gives them."""
    axes = np.empty((nrows, ncols), object)
    for at in range(axes.size):
        axes.flat[at] = Shown()
    if not squeeze:
        return Shown(), axes
    return Shown(), axes.item() if axes.size == 1 else axes.squeeze()


def hist(x: Any, bins: Any = 10, range: Any = None, *_: Any, **__: Any) -> Any:
    """The counts and edges that ``matplotlib.pyplot.hist`` returns for one row of values."""
    counts, edges = np.histogram(np.asarray(x).ravel(), 10 if bins is None else bins, range)
    return counts.astype(float), edges, Shown()


class Bar:
    """A progress bar that passes on what it is given."""

    def __init__(self, iterable: Any = None, *_: Any, **__: Any) -> None:
        self.iterable, self.n = iterable, 0

    def __iter__(self) -> Iterator[Any]:
        return iter(self.iterable if self.iterable is not None else ())

    def __len__(self) -> int:
        return len(self.iterable)

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def update(self, n: int = 1) -> None:
        """Count, as the bar would."""
        self.n += n

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_, **__: None

    @staticmethod
    def write(text: str, *_: Any, **others: Any) -> None:
        """Print ``text``, as the bar would above itself."""
        print(text, end=others.get("end", "\n"))


class StubModule(ModuleType):
    """A module that has every name."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Shown()


class StubFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules named ``names`` and whatever is within them."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def find_spec(
        self, fullname: str, path: Any = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] not in self._names:
            return None
        return importlib.util.spec_from_loader(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return StubModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        name, names = module.__name__, module.__dict__
        names["__version__"] = "0"
        if name.partition(".")[0] == "tqdm":
            names.update(tqdm=Bar, trange=lambda *n, **_: Bar(range(*n)), notebook=Shown())
            return
        if name.startswith("IPython"):
            names["get_ipython"] = lambda: None
        if name.partition(".")[0] in ("matplotlib", "pylab"):
            names.update({each: Shown() for each in STAR.split()}, subplots=subplots, hist=hist)
        if name in ("pylab", "matplotlib.pylab"):  # it is NumPy's names as well
            names.update({each: getattr(np, each) for each in np.__all__ if hasattr(np, each)})
            names.update({each: getattr(np.random, each) for each in np.random.__all__})
            names.update(np=np, plt=importlib.import_module("matplotlib.pyplot"))


def finders() -> tuple[StubFinder, StubFinder]:
    """To put in front of the usual finders, and behind them."""
    return StubFinder(ALWAYS), StubFinder(IF_MISSING)
