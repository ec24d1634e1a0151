"""Seeds: the program's own, one in their place, or 0 where it sets none.

Generators that a program makes without a seed draw theirs from the operating system; here they get
one that depends on their order only, so that every run of the program is the same.
"""

import random
from typing import Any

import numpy as np

DEFAULT = 0
"""The seed of a program that sets none."""
GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


class Seeding:
    """What becomes of the seeds of one program.

    With ``seed`` every seed that the program sets is replaced: the first by ``seed`` itself, so
    that it is as if it had been written there; other ones by numbers that depend on both, and the
    same ones by the same.
    """

    def __init__(self, seed: int | None) -> None:
        self._seed = seed
        self._replaced: dict[Any, int] = {}
        self._unseeded = self._seeded_later = 0
        self._ours: set[str] = set()
        """Streams that the program has not seeded, by the name of their module."""
        self._first: dict[str, Any] = {}

    def install(self) -> None:
        """Seed both modules, and put the replacements into them."""
        start = DEFAULT if self._seed is None else self._seed
        np.random.seed(start % (1 << 32))
        random.seed(start)
        self._ours = {"numpy", "random"}
        self._first = {"numpy": _numpy_state(), "random": random.getstate()}
        self._replace_numpy()
        self._replace_random()

    @property
    def chosen(self) -> int | None:
        """The seed that nntui set; None if the program's own stand."""
        if self._seed is not None:
            return self._seed
        return DEFAULT if self.seeded_by_us else None

    @property
    def seeded_by_us(self) -> bool:
        """Whether the program has drawn from a generator that it did not seed."""
        if self._seed is not None:
            return False
        return (
            self._unseeded > self._seeded_later
            or ("numpy" in self._ours and _numpy_state() != self._first["numpy"])
            or ("random" in self._ours and random.getstate() != self._first["random"])
        )

    def seed_for(self, given: Any) -> Any:
        """The seed to use where the program says ``given``; None is no seed."""
        if given is None:
            self._unseeded += 1
            start = DEFAULT if self._seed is None else self._seed
            return start if self._unseeded == 1 else _mixed(start, self._unseeded)
        if self._seed is None:
            return given
        key = _key(given)
        if key is None:
            return given  # a state, such as a SeedSequence, that was made from a seed itself
        if key not in self._replaced:
            count = len(self._replaced)
            self._replaced[key] = self._seed if count == 0 else _mixed(self._seed, count)
        return self._replaced[key]

    def _replace_numpy(self) -> None:
        module: Any = np.random
        seed, default_rng = module.seed, module.default_rng
        own_state, sequence = module.RandomState, module.SeedSequence

        def new_seed(seed_: Any = None, /, **named: Any) -> None:
            self._ours.discard("numpy")
            seed(self._legacy(named.get("seed", seed_)))

        def new_default_rng(seed: Any = None) -> np.random.Generator:
            found: np.random.Generator = default_rng(self.seed_for(seed))
            return found

        def make_state(state: Any, seed: Any = None) -> None:
            own_state.__init__(state, self._legacy(seed))
            self._note(state, seed)

        def seed_state(state: Any, seed: Any = None) -> None:
            own_state.seed(state, self._legacy(seed))
            self._note(state, seed)

        def make_sequence(made: Any, entropy: Any = None, **others: Any) -> None:
            sequence.__init__(made, self.seed_for(entropy), **others)

        module.seed, module.default_rng = new_seed, new_default_rng
        module.RandomState = _like(own_state, __init__=make_state, seed=seed_state)
        module.SeedSequence = _like(sequence, __init__=make_sequence)
        for name in GENERATORS:
            if hasattr(module, name):
                setattr(module, name, self._bit_generator(getattr(module, name)))

    def _bit_generator(self, kind: Any) -> Any:
        def make(generator: Any, seed: Any = None, **others: Any) -> None:
            kind.__init__(generator, seed if others else self.seed_for(seed), **others)

        return _like(kind, __init__=make)

    def _replace_random(self) -> None:
        module: Any = random
        seed, kind = module.seed, module.Random

        def new_seed(a: Any = None, version: int = 2) -> None:
            self._ours.discard("random")
            seed(self.seed_for(a), version)

        def seed_state(state: Any, a: Any = None, version: int = 2) -> None:
            kind.seed(state, self.seed_for(a), version)  # the initialiser calls it
            self._note(state, a)

        module.seed = new_seed
        module.Random = _like(kind, seed=seed_state)

    def _note(self, state: Any, seed: Any) -> None:
        """A generator that was made without a seed may get one before it is used."""
        if seed is not None and vars(state).pop("_unseeded", False):
            self._seeded_later += 1
        elif seed is None:
            vars(state)["_unseeded"] = True

    def _legacy(self, given: Any) -> Any:
        """A seed for the Mersenne Twister, which takes 32 bits."""
        seed = self.seed_for(given)
        return seed % (1 << 32) if isinstance(seed, int) and seed is not given else seed


def _numpy_state() -> Any:
    kind, key, *rest = np.random.get_state()
    return kind, np.asarray(key).tobytes(), rest


def _mixed(seed: int, other: int) -> int:
    """A seed of 32 bits for each pair, far from ``seed`` itself."""
    return (seed * 1_000_003 + other * 7_919 + 12_345) % (1 << 32)


def _key(given: Any) -> Any:
    """What tells seeds apart; None for what is no seed but a generator or its state."""
    if isinstance(given, int | float | str | bytes | bytearray):
        return given
    if isinstance(given, np.integer):
        return int(given)
    if isinstance(given, list | tuple | np.ndarray):
        return tuple(np.asarray(given).ravel().tolist())
    return None


def _like(old: Any, **methods: Any) -> Any:
    """A class with other ``methods`` that can stand for ``old``: NumPy goes by its name."""

    class Kind(type(old)):  # type: ignore[misc]
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, old)

    # Pickle finds it under the name where it stands for the other.
    home = "random" if old.__module__ == "random" else "numpy.random"
    return Kind(old.__name__, (old,), {"__module__": home, "__doc__": old.__doc__, **methods})
