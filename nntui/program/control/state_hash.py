"""The hash of a program's state: equal states have equal futures."""

import hashlib
import random
from collections.abc import Iterable
from typing import Any

import numpy as np

from nntui.program.control.live import Live

DIGITS = 16


def state_hash(live: Iterable[Live]) -> str:
    """The hash of all values that are ``live``, and of the random generators."""
    digest = hashlib.sha256()
    for each in sorted(live, key=lambda one: one.name):
        digest.update(each.name.encode("utf-8", "replace"))
        digest.update(_bytes(each.value))
    digest.update(_bytes(np.random.mtrand._rand))
    digest.update(repr(random.getstate()).encode())
    return digest.hexdigest()[:DIGITS]


def _bytes(value: Any) -> bytes:
    if isinstance(value, np.ndarray):
        return f"{value.dtype.str}{value.shape}".encode() + value.tobytes()
    if isinstance(value, np.generic):
        return value.dtype.str.encode() + value.tobytes()
    if hasattr(value, "bit_generator"):
        return repr(_ordered(value.bit_generator.state)).encode()
    if isinstance(value, np.random.RandomState):
        return repr(_ordered(value.get_state(legacy=False))).encode()
    if isinstance(value, random.Random):
        return repr(value.getstate()).encode()
    return repr(value).encode("utf-8", "replace")


def _ordered(state: Any) -> Any:
    if isinstance(state, dict):
        return [(key, _ordered(state[key])) for key in sorted(state)]
    return state.tolist() if isinstance(state, np.ndarray) else state
