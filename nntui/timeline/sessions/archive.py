"""The session file: a JSON manifest and flat vectors of numbers, read whole or refused.

It is an uncompressed npz (a zip archive) with exactly the members named here.  Its last 64 bytes,
the archive's comment, are the SHA-256 of all bytes before them, so that a truncated or altered file
is recognised before any of it is interpreted.  Nothing in it is ever executed.
"""

import hashlib
import json
import os
import re
import stat
import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from nntui.core.errors import ConfigError
from nntui.presets.atomic_write import write_whole
from nntui.presets.text_files import check_file

AnyVector = npt.NDArray[Any]
Vectors = dict[str, AnyVector]
"""One-dimensional arrays by name, of the types in `VECTORS`."""

VECTORS = {
    "states": "<i8",
    "loss_sums": "<f8",
    "parameters": "<f8",
    "slots": "<f8",
    "random_keys": "<u4",
    "random_places": "<i8",
    "random_gauss": "<f8",
    "order_sizes": "<i8",
    "orders": "<i8",
    "losses": "<f8",
    "flips": "<i8",
    "dead": "|u1",
    "tables": "<f8",
}
MANIFEST = "session.json"
MEMBERS = (MANIFEST, *(f"{name}.npy" for name in VECTORS))

LARGEST = 2**30
"""Bytes of a session; a larger one is neither written nor read."""
LARGEST_MANIFEST = 8 * 2**20
"""Bytes of its JSON, which takes several times as much in memory; large tables are vectors."""
DIGITS = 64
CHUNK = 2**20

_START = b"PK\x03\x04"
_END, _ENDS = struct.Struct("<4s8xL4xH"), b"PK\x05\x06"
"""A zip archive's end before its comment: a mark, the lengths of its directory and the comment."""
_PREFIX = struct.Struct("<8sH")
_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER = re.compile(
    rb"\{'descr': '([<|][a-z]\d)', 'fortran_order': False, 'shape': \((\d{1,12}),\), \} *\n"
)
# What zipfile raises for a file that is not an archive, or whose headers are wrong.
_DAMAGED = (zipfile.BadZipFile, EOFError, RuntimeError, OverflowError, ValueError, struct.error)


def write_archive(path: Path, manifest: str, vectors: Mapping[str, Sequence[AnyVector]]) -> None:
    """Write ``manifest`` (JSON) and ``vectors`` (each in parts); all of it or nothing.

    Raises ConfigError if the file cannot be written, or would be too large to be read again.
    """
    text = manifest.encode()
    size = len(text) + sum(part.nbytes for parts in vectors.values() for part in parts)
    if len(text) > LARGEST_MANIFEST or size > LARGEST - CHUNK:
        raise ConfigError("", f"{path}: would take {size / 2**20:.0f} MiB, which is too large")

    def fill(file: IO[bytes]) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            archive.comment = b"0" * DIGITS
            with archive.open(zipfile.ZipInfo(MANIFEST), "w") as member:
                member.write(text)
            for name, kind in VECTORS.items():
                parts = vectors[name]
                with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w") as member:
                    member.write(_header(kind, sum(part.size for part in parts)))
                    for part in parts:
                        member.write(np.ascontiguousarray(part, dtype=kind).data)
        digest = _digest(file)
        file.seek(-DIGITS, os.SEEK_END)
        file.write(digest)

    write_whole(path, fill)


def read_archive(path: Path) -> tuple[dict[str, Any], Vectors]:
    """The manifest and the vectors of a session.

    Raises ConfigError for any file that is not byte for byte as `write_archive` wrote it.
    """
    with _opened(path) as (file, size):
        digest = _digest(file)
        if file.read(DIGITS) != digest:
            raise ConfigError("", "is cut off or altered: the checksum does not match")
        with zipfile.ZipFile(file) as archive:
            members = _members(archive, size)
            vectors = {
                name: _vector(name, kind, archive.read(members[f"{name}.npy"]))
                for name, kind in VECTORS.items()
            }
            return _manifest(archive, members), vectors


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest alone; fast, because the checksum is not verified.

    Raises ConfigError for what does not look like a session.
    """
    with _opened(path) as (file, size), zipfile.ZipFile(file) as archive:
        return _manifest(archive, _members(archive, size))


@contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[bytes], int]]:
    """The file, and its size; every error inside becomes a ConfigError that names ``path``."""
    check_file(path)
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ConfigError("", "is not a regular file")
            if status.st_size > LARGEST:
                raise ConfigError("", f"is larger than {LARGEST // 2**20} MiB")
            if file.read(len(_START)) != _START:
                raise ConfigError("", "is not an nntui session")
            _check_end(file)
            file.seek(0)
            yield file, status.st_size
    except ConfigError as error:
        raise ConfigError("", f"{path}: {error}") from None
    except OSError as error:
        raise ConfigError("", f"{path}: cannot be read ({error.strerror or error})") from None
    except RecursionError:
        raise ConfigError("", f"{path}: is nested too deeply") from None
    except _DAMAGED:
        raise ConfigError("", f"{path}: is damaged, or not an nntui session") from None


def _check_end(file: IO[bytes]) -> None:
    """Raise ConfigError if the file was cut off, which shows before all of it is read."""
    file.seek(-min(_END.size + DIGITS, os.fstat(file.fileno()).st_size), os.SEEK_END)
    mark, listed, comment = _END.unpack_from(file.read(_END.size))
    if mark != _ENDS or comment != DIGITS or listed > CHUNK:
        raise ConfigError("", "is cut off or altered: it does not end as a session does")


def _digest(file: IO[bytes]) -> bytes:
    """The checksum of all but the last `DIGITS` bytes; leaves ``file`` positioned at those."""
    digest, left = hashlib.sha256(), file.seek(0, os.SEEK_END) - DIGITS
    file.seek(0)
    while left > 0:
        part = file.read(min(left, CHUNK))
        if not part:
            raise EOFError
        digest.update(part)
        left -= len(part)
    return digest.hexdigest().encode()


def _members(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """The members by name; ConfigError unless they are those of a session and fit into ``size``."""
    found = archive.infolist()
    if tuple(each.filename for each in found) != MEMBERS:
        raise ConfigError("", "is not an nntui session: it has other members")
    stored = all(
        each.compress_type == zipfile.ZIP_STORED and each.compress_size == each.file_size
        for each in found
    )
    if not stored or sum(each.file_size for each in found) > size:
        raise ConfigError("", "has members of impossible sizes")
    return {each.filename: each for each in found}


def _manifest(archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo]) -> dict[str, Any]:
    if members[MANIFEST].file_size > LARGEST_MANIFEST:
        raise ConfigError("", "has a manifest that is too large")
    manifest = json.loads(archive.read(members[MANIFEST]), parse_constant=_refuse_constant)
    if not isinstance(manifest, dict):
        raise ConfigError("", "has a manifest that is not a table")
    return manifest


def _refuse_constant(name: str) -> None:
    raise ConfigError("", f"has {name} in its manifest")


def _header(kind: str, count: int) -> bytes:
    """The header of a vector in the npy format, version 1.0."""
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': ({count},), }}"
    width = -(-(_PREFIX.size + len(text) + 1) // 64) * 64 - _PREFIX.size
    return _PREFIX.pack(_MAGIC, width) + text.ljust(width - 1).encode() + b"\n"


def _vector(name: str, kind: str, content: bytes) -> AnyVector:
    """The numbers of an npy file, whose header is matched and not evaluated as NumPy does it."""
    magic, width = _PREFIX.unpack_from(content)
    start = _PREFIX.size + width
    found = _HEADER.fullmatch(content[_PREFIX.size : start])
    if magic != _MAGIC or found is None or found[1].decode() != kind:
        raise ConfigError(name, f"is not a vector of {np.dtype(kind).name}")
    if int(found[2]) * np.dtype(kind).itemsize != len(content) - start:
        raise ConfigError(name, "has a length that does not match its header")
    return np.frombuffer(content, kind, offset=start)
