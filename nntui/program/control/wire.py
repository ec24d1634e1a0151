"""Values as bytes between processes: JSON with the arrays raw behind it, in frames with a length.

Nothing that arrives is executed: no pickle.  Dictionaries have text as keys, tuples become lists,
NumPy's numbers become Python's, and numbers that are not finite stay what they are.
"""

import json
import os
import select
import struct
import time
from typing import Any

import numpy as np

LENGTH = struct.Struct("<Q")
MOST = 1 << 31
"""Bytes of the largest frame."""
LONGEST_WAIT = 3600.0
"""Seconds of one call of the system, which takes no more than a few weeks."""
ARRAY, COMPLEX = "\0array", "\0complex"
"""Keys that stand for what JSON has not; no name in a program holds a NUL."""
KINDS = "fiubc"
"""Kinds of dtypes that are sent as they are; other arrays are sent as text."""


class LateError(OSError):
    """The other side did not answer in time."""


class GoneError(OSError):
    """The other side has ended."""


def encode(value: Any) -> bytes:
    """The bytes that `decode` reads; raises TypeError for what is no such value."""
    arrays: list[np.ndarray] = []
    text = json.dumps(_plain(value, arrays), check_circular=False)
    head = json.dumps([[array.dtype.str, list(array.shape)] for array in arrays])
    first = json.dumps([len(head), len(text)]).encode()
    parts = [bytes([len(first)]), first, head.encode(), text.encode()]
    return b"".join(parts + [array.tobytes() for array in arrays])


def decode(data: bytes) -> Any:
    """The value in ``data``; raises ValueError if it was not written by `encode`."""
    try:
        at = 1 + data[0]
        head_size, text_size = json.loads(data[1:at])
        head = json.loads(data[at : at + head_size])
        at += head_size
        value = json.loads(data[at : at + text_size])
        at += text_size
        arrays = []
        for name, shape in head:
            dtype = np.dtype(name)
            if dtype.kind not in KINDS:
                raise ValueError(f"an array of {name}")
            count = int(np.prod(shape, dtype=np.int64))
            array = np.frombuffer(data, dtype, count, at).reshape(shape).copy()
            at += array.nbytes
            arrays.append(array)
        if at != len(data):
            raise ValueError(f"a frame of {len(data)} bytes in place of {at}")
        return _restored(value, arrays)
    except (IndexError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"not a frame: {error}") from None


def send(descriptor: int, value: Any) -> None:
    """Write ``value`` as one frame; raises GoneError if nobody reads."""
    data = encode(value)
    view = memoryview(LENGTH.pack(len(data)) + data)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except (BrokenPipeError, ConnectionResetError):
        raise GoneError("the other side has ended") from None


def receive(descriptor: int, deadline: float | None = None) -> Any:
    """Read one frame; ``deadline`` is a time of `time.monotonic`.

    Raises LateError behind it, and GoneError at the end.
    """
    size = LENGTH.unpack(exactly(descriptor, LENGTH.size, deadline))[0]
    if size > MOST:
        raise ValueError(f"a frame of {size} bytes")
    return decode(exactly(descriptor, size, deadline))


def exactly(descriptor: int, count: int, deadline: float | None) -> bytes:
    """Read ``count`` bytes; raises as `receive` does."""
    parts = []
    while count:
        if deadline is not None and not wait(descriptor, deadline):
            raise LateError("no answer in time")
        try:
            part = os.read(descriptor, min(count, 1 << 20))
        except ConnectionResetError:
            part = b""
        if not part:
            raise GoneError("the other side has ended")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def wait(descriptor: int, deadline: float) -> bool:
    """Whether something can be read from ``descriptor`` before ``deadline``."""
    while True:
        left = max(deadline - time.monotonic(), 0.0)
        once = min(left, LONGEST_WAIT)
        if hasattr(select, "poll"):
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            ready = bool(poll.poll(once * 1000))
        else:
            ready = bool(select.select([descriptor], [], [], once)[0])
        if ready or once == left:
            return ready


def _plain(value: Any, arrays: list[np.ndarray]) -> Any:
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(each, arrays) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each, arrays) for each in value]
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in KINDS:
            return repr(value)
        arrays.append(np.ascontiguousarray(value).reshape(value.shape))
        return {ARRAY: len(arrays) - 1}
    if isinstance(value, np.generic):
        item = value.item()
        return _plain(float(value) if isinstance(item, np.generic) else item, arrays)
    if isinstance(value, complex):
        return {COMPLEX: [value.real, value.imag]}
    for plain in (bool, int, float, str):
        if isinstance(value, plain):
            return plain(value)
    raise TypeError(f"a {kind.__name__} cannot be sent")


def _restored(value: Any, arrays: list[np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_restored(each, arrays) for each in value]
    if isinstance(value, dict):
        if len(value) == 1:
            if ARRAY in value:
                return arrays[value[ARRAY]]
            if COMPLEX in value:
                return complex(*value[COMPLEX])
        return {key: _restored(each, arrays) for key, each in value.items()}
    return value
