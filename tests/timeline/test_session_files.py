"""Session files: read exactly as nntui wrote them, or refused in one line."""

import hashlib
import io
import json
import os
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import preset

import nntui
from nntui.timeline import Snapshot
from nntui.timeline.sessions import archive, session, session_folder, unpack
from nntui.timeline.sessions.archive import MEMBERS, VECTORS, read_archive, write_archive

Manifest = dict[str, Any]


def example(name: str = "add-relu", **changes: Any) -> nntui.Run:
    """A run with a change, two branches and a checkpoint, shuffled and with slots."""
    run = nntui.Run(
        preset(name, training__order="shuffled", training__momentum=0.9, **changes), seed=7
    )
    run.step(200)
    run.set_checkpoint()
    run.change(**{"training.optimiser": "adam"})
    run.step(100)
    run.seek(130)
    run.change(**{"training.learning_rate": 0.5})
    run.step(20)
    return run


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "it.nntui"
    example().save(path)
    return path


def refused(path: Path) -> str:
    """What is said about a file that is no session."""
    with pytest.raises(nntui.ConfigError) as caught:
        session.load(path)
    said = str(caught.value)
    assert said.startswith(f"{path}: ")
    assert said.isprintable()
    return said.removeprefix(f"{path}: ")


def test_a_file_that_was_cut_off_is_refused_wherever_it_was(whole: Path, tmp_path: Path) -> None:
    content, path = whole.read_bytes(), tmp_path / "it.nntui"
    with zipfile.ZipFile(whole) as members:
        places = [each.header_offset for each in members.infolist()] + [members.start_dir]
    places += [place + shift for place in places for shift in (1, 30, 60)]
    draw = random.Random(0)
    places += [draw.randrange(len(content)) for _ in range(100)]
    places += range(len(content) - 70, len(content))
    for place in places:
        path.write_bytes(content[:place])
        refused(path)


def test_any_bit_that_is_flipped_is_noticed(whole: Path, tmp_path: Path) -> None:
    content, path = whole.read_bytes(), tmp_path / "it.nntui"
    draw = random.Random(1)
    places = [draw.randrange(len(content)) for _ in range(400)]
    for place in [*range(30), *places, *range(len(content) - 90, len(content))]:
        altered = bytearray(content)
        altered[place] ^= 1 << draw.randrange(8)
        path.write_bytes(altered)
        refused(path)


def test_what_is_added_is_noticed(whole: Path, tmp_path: Path) -> None:
    content, path = whole.read_bytes(), tmp_path / "it.nntui"
    for altered in (content + b"\n", b"\n" + content, content + content, content[:4] + content):
        path.write_bytes(altered)
        refused(path)


@pytest.mark.parametrize("place", ["nowhere.nntui", ".", "fifo", "link", "x" * 300, "a\nb"])
def test_only_regular_files_are_read(place: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to(tmp_path / "fifo")
    with pytest.raises(nntui.ConfigError, match=r"not a regular file|no such file") as caught:
        session.load(tmp_path / place)
    assert str(caught.value).isprintable()


def test_devices_are_not_read() -> None:
    assert refused(Path("/dev/zero")) == "is not a regular file"


def test_a_link_to_a_session_is_followed(whole: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(whole)
    assert nntui.load_session(tmp_path / "link").update == 150


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "it.nntui"
    with path.open("wb") as file:
        file.write(b"PK\x03\x04")
        file.truncate(archive.LARGEST + 1)
    assert refused(path) == "is larger than 1024 MiB"


def test_what_does_not_end_as_a_session_is_refused_unread(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_digest", None)
    path = tmp_path / "it.nntui"
    path.write_bytes(whole.read_bytes())
    os.truncate(path, archive.LARGEST)
    assert refused(path) == "is cut off or altered: it does not end as a session does"


def test_what_would_be_too_large_to_be_read_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "LARGEST", archive.CHUNK + 10_000)
    with pytest.raises(nntui.ConfigError, match="too large"):
        example().save(tmp_path / "it.nntui")
    assert list(tmp_path.iterdir()) == []


# Archives with a true checksum that nntui did not write


def sealed(content: bytes) -> bytes:
    """``content``, an archive with a comment, with the checksum that belongs there."""
    body = content[: -archive.DIGITS]
    return body + hashlib.sha256(body).hexdigest().encode()


def members_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as members:
        return {each.filename: members.read(each) for each in members.infolist()}


def zipped(members: list[tuple[zipfile.ZipInfo | str, bytes]], kind: int = 0) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", kind) as made:
        made.comment = b"0" * archive.DIGITS
        for name, content in members:
            made.writestr(name, content)
    return sealed(file.getvalue())


def npy(values: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, values, **options)
    return file.getvalue()


def header(text: str, content: bytes = b"", magic: bytes = b"\x93NUMPY\x01\x00") -> bytes:
    return magic + struct.pack("<H", len(text)) + text.encode() + content


class Evil:
    """Unpickling it makes a file."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("evil",)


VECTOR = "losses.npy"
FOREIGN: dict[str, Callable[[dict[str, bytes]], list[Any]]] = {
    "empty": lambda m: [],
    "one is missing": lambda m: list(m.items())[:-1],
    "one too many": lambda m: [*m.items(), ("more.npy", b"")],
    "another order": lambda m: list(m.items())[::-1],
    "a folder": lambda m: [(f"{n}/" if n == VECTOR else n, c) for n, c in m.items()],
    "a path": lambda m: [(f"../{n}" if n == VECTOR else n, c) for n, c in m.items()],
    "no npy": lambda m: list({**m, VECTOR: b""}.items()),
    "half a header": lambda m: list({**m, VECTOR: m[VECTOR][:40]}.items()),
    "objects": lambda m: list({**m, VECTOR: npy(np.array([Evil()]), allow_pickle=True)}.items()),
    "a bare pickle": lambda m: list({**m, VECTOR: __import__("pickle").dumps(Evil())}.items()),
    "another type": lambda m: list({**m, VECTOR: npy(np.zeros(50, np.float32))}.items()),
    "big-endian": lambda m: list({**m, VECTOR: npy(np.zeros(50, ">f8"))}.items()),
    "two dimensions": lambda m: list({**m, VECTOR: npy(np.zeros((5, 10)))}.items()),
    "version 2": lambda m: list({**m, VECTOR: npy(np.zeros(50), version=(2, 0))}.items()),
    "a shape beyond the content": lambda m: list(
        {
            **m,
            VECTOR: header(
                "{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999,), }\n"
            ),
        }.items()
    ),
    "a shape beyond all bounds": lambda m: list(
        {
            **m,
            VECTOR: header(
                f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({'9' * 400},), }}\n"
            ),
        }.items()
    ),
    "a header that is code": lambda m: list(
        {**m, VECTOR: header("__import__('os').mkdir('evil')\n")}.items()
    ),
    "a deep header": lambda m: list({**m, VECTOR: header("(" * 60_000)}.items()),
    "no JSON": lambda m: list({**m, "session.json": b"{"}.items()),
    "no UTF-8": lambda m: list({**m, "session.json": b"\xff\xfe{}"}.items()),
    "a JSON list": lambda m: list({**m, "session.json": b"[]"}.items()),
    "a JSON table without anything": lambda m: list({**m, "session.json": b"{}"}.items()),
    "deep JSON": lambda m: list({**m, "session.json": b"[" * 1_000_000}.items()),
    "NaN": lambda m: list({**m, "session.json": b'{"format": NaN}'}.items()),
    "a long number": lambda m: list(
        {**m, "session.json": b'{"format": ' + b"9" * 100_000 + b"}"}.items()
    ),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_an_archive_of_something_else_is_refused(
    name: str, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "it.nntui"
    path.write_bytes(zipped(FOREIGN[name](members_of(whole))))
    assert "checksum" not in refused(path)
    assert list(tmp_path.iterdir()) == [path]


def test_the_archive_that_is_made_for_these_tests_is_a_session(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "it.nntui"
    path.write_bytes(zipped(list(members_of(whole).items())))
    assert nntui.load_session(path).update == 150


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_there_twice_is_refused(whole: Path, tmp_path: Path) -> None:
    members, path = members_of(whole), tmp_path / "it.nntui"
    path.write_bytes(zipped([*members.items(), (VECTOR, members[VECTOR])]))
    refused(path)


@pytest.mark.parametrize("kind", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_is_compressed_is_not_unpacked(kind: int, whole: Path, tmp_path: Path) -> None:
    members, path = members_of(whole), tmp_path / "it.nntui"
    members[VECTOR] = npy(np.zeros(10_000_000))
    path.write_bytes(zipped(list(members.items()), kind))
    assert path.stat().st_size < 200_000
    assert refused(path) == "has members of impossible sizes"


DIRECTORY = b"PK\x01\x02"
FIELDS = {"flags": (8, "H"), "method": (10, "H"), "crc": (16, "L")}
FIELDS |= {"compressed": (20, "L"), "size": (24, "L"), "offset": (42, "L"), "extra": (30, "H")}


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", [0, 1, 99, 2**16 - 1, 2**31, 2**32 - 1])
@pytest.mark.parametrize("member", [0, 5, len(MEMBERS) - 1])
def test_a_directory_that_lies_is_refused_or_changes_nothing(
    field: str, value: int, member: int, whole: Path, tmp_path: Path
) -> None:
    content, path, at = bytearray(whole.read_bytes()), tmp_path / "it.nntui", -1
    for _ in range(member + 1):
        at = content.index(DIRECTORY, at + 1)
    place, kind = FIELDS[field]
    struct.pack_into(f"<{kind}", content, at + place, value % 2 ** (16 if kind == "H" else 32))
    path.write_bytes(sealed(bytes(content)))
    try:
        run = nntui.load_session(path)
    except nntui.ConfigError:
        refused(path)
    else:
        assert run.state_hash == nntui.load_session(whole).state_hash


# Manifests and vectors with a true checksum that say what cannot be


def rewritten(whole: Path, path: Path, alter: Callable[[Manifest, dict[str, Any]], None]) -> None:
    manifest, vectors = read_archive(whole)
    own = {name: values.copy() for name, values in vectors.items()}
    alter(manifest, own)
    parts = {name: [np.asarray(values)] for name, values in own.items()}
    write_archive(path, json.dumps(manifest), parts)


def put(path: str, value: Any) -> Callable[[Manifest, dict[str, Any]], None]:
    """Put ``value`` at a dotted place of the manifest; ``...`` removes what is there."""

    def alter(manifest: Manifest, vectors: dict[str, Any]) -> None:
        *way, last = path.split(".")
        place: Any = manifest
        for part in way:
            place = place[int(part)] if isinstance(place, list) else place[part]
        if value is ...:
            del place[last]
        else:
            place[int(last) if isinstance(place, list) else last] = value

    return alter


def set_number(name: str, at: int, value: float) -> Callable[[Manifest, dict[str, Any]], None]:
    def alter(manifest: Manifest, vectors: dict[str, Any]) -> None:
        vectors[name][at] = value

    return alter


def resized(name: str, by: int) -> Callable[[Manifest, dict[str, Any]], None]:
    def alter(manifest: Manifest, vectors: dict[str, Any]) -> None:
        vectors[name] = np.resize(vectors[name], max(len(vectors[name]) + by, 0))

    return alter


FLIP = "branches.0.flips"
NONSENSE: dict[str, Callable[[Manifest, dict[str, Any]], None]] = {
    f"{key} = {str(value)[:30]}": put(key, value)
    for key, values in {
        "format": ["other", None, ...],
        "version": [0, 4, "1", 1.0, True, None, ...],
        "view": [[], None, ...],
        "active": [-1, 2, 2**70, 0.0, "0", None, ...],
        "cursor": [-1, 10**6, 10**30, True, "1", ...],
        "branches": [[], {}, None, [None], "branches", ...],
        "branches.0.player": ["", "jax", None, 1, ...],
        "preset": [None, [], {}, ...],
        "preset.name": ["", "a\nb", "\x1b[2J", 3, "x" * 300, ...],
        "preset.source": [None, [], {}, {"data": {}}, ...],
        "preset.source.data": [None, [], {}, {"csv": "/etc/passwd"}, {"formula": "open"}],
        "preset.source.data.inputs": [[[1e999]], {"table": [0, 2, 2]}, {"table": 0}, [["1"]]],
        "preset.source.layers": [[], [{"units": 10**7}], "layers", [None]],
        "preset.source.layers.0.units": [5, 0, "4", 100_000],
        "preset.source.training": [{}, None],
        "preset.source.training.learning_rate": ["1", -1, None],
        "preset.source.seed": [-1, 2**32],
        "preset.source.more": [1, {}],
        "branches.0.parent": [0, 1, -1, "none"],
        "branches.1.parent": [None, 1, 2, -1],
        "branches.0.name": ["", None, "a\x07", "x" * 500, ...],
        "branches.0.renamed": [0, "yes", ...],
        "branches.0.pinned": [1, None, ...],
        "branches.0.seed": [-1, 2**32, 1.5, ...],
        "branches.0.left_at": [-1, None, 2**60],
        "branches.0.states": [0, -1, 1, 10**9, 2**62, 2**70, "5", ...],
        "branches.0.keyframes": [0, -1, 1, 10**9, ...],
        "branches.0.distance": [0, -64, 1, 63, 128, 2**60],
        "branches.0.head": [-1, 0, 10**9, ...],
        "branches.0.divergence": [{}, [], "inf", {"update": 300, "tensor": "z"}],
        "branches.0.looked_at": [-2, -1, 10**9, None],
        FLIP: [-1, 10**6, 2**62, None],
        "branches.0.marks": [None, {}, [None], [{"update": 1}], ...],
        "branches.0.marks.0.update": [-1, 201, 199, 10**9],
        "branches.0.marks.0.state": [-1, 0, 10**9, "1"],
        "branches.0.stretches": [[], None, {}, ...],
        "branches.0.stretches.0.state": [-1, 1, 10**9],
        "branches.0.stretches.1.state": [0, -1, 10**9],
        "branches.0.stretches.1.since": [-1, 201, None],
        "branches.0.stretches.1.source": [
            None,
            {"training": None},
            {"layers": None},
            {"data": {"formula": "x", "samples": 8}},
            {"faults": ["unheard-of"]},
            {"data": {"csv": "rows.csv", "input_columns": ["a"], "target_columns": ["b"]}},
        ],
        "branches.0.stretches.1.source.draws": [{"order": "bias-first"}],
        "branches.0.stretches.1.source.layers": [[{"units": 1}]],
        "branches.0.stretches.1.changes": [None, [], {"a": {"table": [0, 9, 9]}}, ...],
        "branches.1.marks": [[{"update": 129, "state": None}]],
        "branches.1.stretches.0.state": [1, 99],
    }.items()
    for value in values
} | {
    f"{name}[{at}] = {value}": set_number(name, at, value)
    for name, at, value in [
        ("states", 0, 64),
        ("states", 0, -1),
        ("states", 3, 63),
        ("states", 3, 2**62),
        ("states", 1, -1),
        ("states", 1, 10**6),
        ("states", 2, -1),
        ("states", 2, 10**6),
        ("random_places", 0, 625),
        ("random_places", 0, -1),
        ("random_places", 1, 2),
        ("random_gauss", 0, np.nan),
        ("order_sizes", 0, 0),
        ("order_sizes", 0, -1),
        ("order_sizes", 0, 2**62),
        ("orders", 0, 6),
        ("orders", 0, -1),
        ("orders", 0, 2**62),
        ("dead", 0, 2),
        ("flips", 0, -1),
        ("flips", 0, 3),
        ("flips", 1, 4),
        ("flips", 2, 2),
        ("flips", 3, -2),
        ("flips", 3, 10**6),
        ("flips", 4, 10**6),
    ]
}
NONSENSE |= {
    f"{name} {by:+}": resized(name, by)
    for name in VECTORS
    for by in (1, -1, -(10**9))
    if name != "tables"  # what nothing refers to is of no consequence
}


def flipping() -> nntui.Run:
    """The example, with units that died."""
    run = example(layers__0__bias="none")
    assert run.tree.root.watch.flips
    return run


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rich") / "it.nntui"
    flipping().save(path)
    return path


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_under_a_true_checksum_is_refused(name: str, rich: Path, tmp_path: Path) -> None:
    path = tmp_path / "it.nntui"
    rewritten(rich, path, NONSENSE[name])
    assert "checksum" not in refused(path)


def test_the_examples_of_nonsense_are_made_of_a_good_session(rich: Path, tmp_path: Path) -> None:
    path = tmp_path / "it.nntui"
    rewritten(rich, path, lambda manifest, vectors: None)
    assert path.read_bytes() == rich.read_bytes()
    assert [len(each.keyframes) for each in nntui.load_session(path).tree.branches] == [5, 1]


def test_a_newer_format_is_called_one(rich: Path, tmp_path: Path) -> None:
    path = tmp_path / "it.nntui"

    def alter(manifest: Manifest, vectors: dict[str, Any]) -> None:
        manifest |= {"version": 4, "nntui": "9.1", "branches": "told in another way"}

    rewritten(rich, path, alter)
    assert refused(path) == "was written by nntui '9.1', in format 4; this one reads up to 3"


@pytest.mark.parametrize("version", [1, 2])
def test_a_session_from_before_there_were_players_is_opened(
    version: int, rich: Path, tmp_path: Path
) -> None:
    path = tmp_path / "it.nntui"

    def alter(manifest: Manifest, vectors: dict[str, Any]) -> None:
        manifest["version"] = version
        for branch in manifest["branches"]:
            del branch["player"]

    rewritten(rich, path, alter)
    assert nntui.load_session(path).state_hash == nntui.load_session(rich).state_hash


def test_there_are_never_more_branches_than_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = tmp_path / "it.nntui", tmp_path / "other.nntui"
    run = example()
    run.save(path)
    for module in (unpack, session):
        monkeypatch.setattr(module, "MOST_BRANCHES", 1)
    assert "at most 1" in refused(path)
    with pytest.raises(nntui.ConfigError, match="more than 1 branches"):
        run.save(other)
    assert not other.exists()


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 400),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.just([]),
    st.just({}),
)


def places(value: Any, path: str = "") -> list[str]:
    """The dotted places of everything within ``value``, but for keys that have dots themselves."""
    found = [path] if path else []
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in entries:
        if "." in str(key):
            continue
        inner = f"{path}.{key}" if path else str(key)
        found += places(each, inner) if isinstance(each, (dict, list)) else [inner]
    return found


def use(path: Path) -> None:
    """Open a session that may be anything, and go back and forth; it must end."""
    try:
        run = nntui.load_session(path)
    except nntui.ConfigError:
        refused(path)
        return
    for branch in run.tree.branches:
        run.switch(branch)
        run.seek(0)
        run.seek(run.head)
        run.seek(run.head // 2)
        run.step(min(run.head, 400))
        assert Snapshot.of(run).update == run.update
    run.save(path)
    nntui.load_session(path)


@pytest.mark.slow
@given(st.data())
def test_any_altered_manifest_is_refused_or_can_be_used(
    rich: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("junk") / "it.nntui"
    where = [each for each in places(read_archive(rich)[0]) if "story" not in each]
    rewritten(rich, path, put(data.draw(st.sampled_from(where)), data.draw(JUNK)))
    use(path)


@pytest.mark.slow
@given(st.sampled_from(sorted(VECTORS)), st.integers(0, 10**6), st.integers(0, 2**64 - 1))
def test_any_altered_number_is_refused_or_can_be_used(
    rich: Path, tmp_path_factory: pytest.TempPathFactory, name: str, at: int, bits: int
) -> None:
    path = tmp_path_factory.mktemp("junk") / "it.nntui"

    def alter(manifest: Manifest, vectors: dict[str, Any]) -> None:
        values = vectors[name]
        if len(values):
            word = np.array([bits], np.uint64).view(values.dtype)[0]
            values[at % len(values)] = word

    rewritten(rich, path, alter)
    use(path)


def test_a_past_that_leads_astray_ends_where_it_diverges(tmp_path: Path) -> None:
    """As on a machine whose rounding is another one; here by an altered first state."""
    run, path = nntui.Run(preset("square-leaky-relu"), 7), tmp_path / "it.nntui"
    run.step(500)
    run.save(path)
    rewritten(path, path, lambda manifest, vectors: vectors["parameters"].__setitem__(0, 1e200))
    run = nntui.load_session(path)
    report = run.seek(30)
    assert report.divergence is not None
    assert (run.divergence, run.update) == (report.divergence, 1)
    assert run.step(10).update == 1
    assert run.seek(500).divergence is None


@pytest.mark.parametrize("name", [*FOREIGN, "branches = []", "active = 2", "preset.name = \x1b[2J"])
def test_the_shelf_shows_a_bad_file_and_goes_on(
    name: str, rich: Path, tmp_path: Path, data_folder: Path
) -> None:
    good = session_folder.new_path("good")
    example().save(good)
    bad = session_folder.new_path("bad")
    if name in FOREIGN:
        bad.write_bytes(zipped(FOREIGN[name](members_of(rich))))
    else:
        rewritten(rich, bad, NONSENSE[name])
    found = {entry.path: entry for entry in session_folder.entries()}
    assert found[good].problem is None
    assert found[good].branches == 2
    problem = found[bad].problem
    if name in FOREIGN and VECTOR[:-4] in refused(bad):
        assert problem is None  # only the manifest is read
    elif problem is not None:
        assert problem.isprintable()
    lines = "\n".join(session_folder.listing(list(found.values())))
    assert "\x1b" not in lines
