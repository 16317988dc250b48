"""The record as one file: it comes back as it was, and whatever was done to it on the way is noticed."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepfield_cli.errors import DeepfieldError, LedgerError, WorkspaceError
from deepfield_cli.journey.parcel import format as parcel_format
from deepfield_cli.journey.parcel.format import ParcelError
from deepfield_cli.journey.parcel.importing import check_record, import_record
from deepfield_cli.journey.parcel.reading import Parcel
from deepfield_cli.journey.parcel.writing import export_record
from deepfield_cli.journey.workspace import Workspace, create_workspace
from deepfield_cli.ledger import Entry, Ledger
from deepfield_cli.ledger.entry import COLUMNS, chain_hash
from tests.conftest import MakeWorkspace, RunCli

Members = dict[str, bytes]
RIGHT = "def mean(values):\n    return sum(values) / len(values)\n\ndef center(x):\n    return x - x.sum() / x.size\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with a small past: files, a payload that is no number, two attempts, one of them unsolved."""
    made, _ = create_workspace(tmp_path / "owner")
    _fill(made.ledger())
    return made


def _fill(ledger: Ledger) -> None:
    with ledger:
        ledger.append("start", {"note": "é \u2028 ok"}, problem="llm/attention", files={"a/b.py": b"x = 1\n"})
        payload = {"score": float("nan"), "checks": []}
        ledger.append("attempt", payload, problem="llm/attention", rung="core", solved=False, score=0.25)
        files = {"a/b.py": b"x = 1\n", "c.py": b"\x00\xff" * 100}
        ledger.append("attempt", {"b": 2}, problem="llm/attention", rung="core", solved=True, score=1.0, files=files)


@pytest.fixture
def exported(workspace: Workspace, tmp_path: Path) -> Path:
    return export_record(workspace, tmp_path / "record.zip").path


def _members(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _rewrite(path: Path, members: Members) -> Path:
    """Another parcel, with a manifest that agrees with it as far as a forger can make it agree."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def _with_manifest(members: Members, **changes: Any) -> Members:
    manifest = json.loads(members["manifest.json"])
    manifest["entries_digest"] = hashlib.sha256(members["entries.jsonl"]).hexdigest()
    manifest["blobs"] = sum(name.startswith("blobs/") for name in members)
    manifest["entries"] = members["entries.jsonl"].count(b"\n")
    return {**members, "manifest.json": json.dumps({**manifest, **changes}).encode()}


def _lines(members: Members) -> list[dict[str, Any]]:
    return [json.loads(line) for line in members["entries.jsonl"].splitlines()]


def _with_lines(members: Members, lines: list[dict[str, Any]], **changes: Any) -> Members:
    text = b"".join(json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines)
    head = lines[-1]["hash"] if lines else "0" * 64
    return _with_manifest({**members, "entries.jsonl": text}, **{"head": head, **changes})


def _everything(ledger: Ledger) -> tuple[list[Entry], dict[str, bytes]]:
    return list(ledger.walk_entries()), {blob.digest: blob.content for blob in ledger.walk_blobs()}


# There and back


def test_it_comes_back_as_it_was(workspace: Workspace, exported: Path, tmp_path: Path) -> None:
    imported = import_record(exported, tmp_path / "guest")
    assert imported.workspace is not None
    with workspace.record() as before, imported.workspace.record() as after:
        assert _everything(before) == _everything(after)
        assert after.verify().ok
        assert after.verify().head == before.verify().head == imported.contents.head
        assert after.files(after.entry(3)) == {"a/b.py": b"x = 1\n", "c.py": b"\x00\xff" * 100}
    assert imported.contents.solved == (("llm/attention", "core"),)
    assert imported.contents.attempts == 2


def test_the_same_record_gives_the_same_bytes(workspace: Workspace, exported: Path, tmp_path: Path) -> None:
    again = export_record(workspace, tmp_path / "again.zip").path
    assert again.read_bytes() == exported.read_bytes()


def test_an_imported_record_exports_to_the_same_bytes(exported: Path, tmp_path: Path) -> None:
    imported = import_record(exported, tmp_path / "guest")
    assert imported.workspace is not None
    assert export_record(imported.workspace, tmp_path / "again.zip").path.read_bytes() == exported.read_bytes()


def test_an_empty_record_travels_too(tmp_path: Path) -> None:
    made, _ = create_workspace(tmp_path / "fresh")
    made.ledger().close()
    contents = check_record(export_record(made, tmp_path / "fresh.zip").path).contents
    assert (contents.entries, contents.blobs, contents.head) == (0, 0, "0" * 64)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    past=st.lists(
        st.tuples(
            st.sampled_from(["start", "hint", "gap", "review"]),
            st.dictionaries(st.text(max_size=8), st.none() | st.floats() | st.text(max_size=20) | st.integers()),
            st.none() | st.floats(allow_nan=False, allow_infinity=False),
            st.none() | st.booleans(),
            st.none() | st.dictionaries(st.sampled_from(["a.py", "b/c.py", "d"]), st.binary(max_size=200)),
        ),
        max_size=6,
    )
)
def test_any_past_comes_back(past: list[Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("any")
    made, _ = create_workspace(folder / "owner")
    with made.ledger() as ledger:
        for kind, payload, score, solved, files in past:
            ledger.append(kind, payload, score=score, solved=solved, files=files, at=datetime(2026, 1, 1, tzinfo=UTC))
        before = _everything(ledger)
    imported = import_record(export_record(made, folder / "r.zip").path, folder / "guest")
    assert imported.workspace is not None
    with imported.workspace.record() as ledger:
        assert _everything(ledger) == before


def test_what_is_appended_meanwhile_does_not_break_it(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk = Ledger.walk_entries

    def slow(self: Ledger) -> Iterator[Entry]:
        yield from walk(self)
        with workspace.ledger() as other:
            other.append("hint", {"late": True})

    monkeypatch.setattr(Ledger, "walk_entries", slow)
    path = export_record(workspace, tmp_path / "r.zip").path
    assert check_record(path).contents.entries == 3


# Nothing is overwritten, nothing is left behind


def test_nothing_is_overwritten(workspace: Workspace, exported: Path, tmp_path: Path) -> None:
    before = exported.read_bytes()
    with pytest.raises(DeepfieldError, match="such a file already"):
        export_record(workspace, exported)
    assert exported.read_bytes() == before
    for there in (workspace.root, tmp_path / "empty"):
        there.mkdir(exist_ok=True)
        with pytest.raises(WorkspaceError, match="such a folder already"):
            import_record(exported, there)
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(WorkspaceError, match="such a folder already"):
        import_record(exported, tmp_path / "link")


def test_a_failed_import_leaves_nothing(exported: Path, tmp_path: Path) -> None:
    members = _members(exported)
    blob = next(name for name in members if name.startswith("blobs/"))
    bad = _rewrite(tmp_path / "bad.zip", {**members, blob: b"other"})
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(ParcelError):
        import_record(bad, tmp_path / "guest")
    assert sorted(os.listdir(tmp_path)) == before


def test_a_failed_export_leaves_nothing(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Ledger, digest: str) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Ledger, "blob", full)
    with pytest.raises(DeepfieldError, match="No space left"):
        export_record(workspace, tmp_path / "out.zip")
    assert sorted(os.listdir(tmp_path)) == ["owner"]


def test_a_record_that_was_changed_is_not_exported(workspace: Workspace, tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(workspace.database) as connection:
        connection.execute("DROP TRIGGER entries_are_never_changed")
        connection.execute("UPDATE entries SET score = 1.0 WHERE id = 2")
    connection.close()
    with pytest.raises(LedgerError, match="not as it was written"):
        export_record(workspace, tmp_path / "r.zip")
    assert not (tmp_path / "r.zip").exists()


def test_nothing_is_added_to_an_imported_record(exported: Path, tmp_path: Path) -> None:
    imported = import_record(exported, tmp_path / "guest")
    assert imported.workspace is not None
    with pytest.raises(WorkspaceError, match="it is for reading"):
        imported.workspace.ledger()


# Everything that was done to it is noticed


def _swap(members: Members, first: str, second: str) -> Members:
    return {**members, first: members[second], second: members[first]}


def _blobs(members: Members) -> list[str]:
    return sorted(name for name in members if name.startswith("blobs/"))


def _changed(column: str, value: Any) -> Callable[[Members], Members]:
    def change(members: Members) -> Members:
        lines = _lines(members)
        lines[1][column] = value
        return _with_lines(members, lines)

    return change


def _rechained_without_blob(members: Members) -> Members:
    """A forger who computes all hashes again, but names a payload that is not there."""
    lines = _lines(members)
    lines[-1]["payload_digest"] = "ab" * 32
    columns = {name: lines[-1][name] for name in COLUMNS if name != "hash"}
    columns["solved"] = int(columns["solved"])
    lines[-1]["hash"] = chain_hash(columns)
    return _with_lines(members, lines)


TAMPERS: dict[str, Callable[[Members], Members]] = {
    "score": _changed("score", 1.0),
    "solved": _changed("solved", True),
    "solved is a number": _changed("solved", 0),
    "score is an integer": _changed("score", 1),
    "score is NaN": _changed("score", float("nan")),
    "kind": _changed("kind", "hint"),
    "time": _changed("at", "2020-01-01T00:00:00.000+00:00"),
    "problem": _changed("problem", "llm/bpe"),
    "rung": _changed("rung", "paper"),
    "payload": _changed("payload_digest", "0" * 64),
    "number": _changed("id", 7),
    "number is true": _changed("id", True),
    "previous": _changed("previous", "0" * 64),
    "hash": _changed("hash", "f" * 64),
    "extra column": _changed("comment", "hello"),
    "entry removed": lambda members: _with_lines(members, [_lines(members)[0], _lines(members)[2]]),
    "entry cut off": lambda members: _with_lines(members, _lines(members)[:2], head=_lines(members)[2]["hash"]),
    "entry cut off, count kept": lambda members: _with_lines(members, _lines(members)[:2], entries=3),
    "entries swapped": lambda members: _with_lines(members, [_lines(members)[i] for i in (1, 0, 2)]),
    "entry doubled": lambda members: _with_lines(members, [*_lines(members), _lines(members)[2]]),
    "entries digest": lambda members: _with_manifest(members, entries_digest="0" * 64),
    "head": lambda members: _with_manifest(members, head="0" * 64),
    "blob changed": lambda members: {**members, _blobs(members)[0]: b"{}"},
    "blobs swapped": lambda members: _swap(members, *_blobs(members)[:2]),
    "blob removed": lambda members: _with_manifest(
        {name: content for name, content in members.items() if name != _blobs(members)[0]}
    ),
    "blob added": lambda members: _with_manifest({**members, f"blobs/{hashlib.sha256(b'x').hexdigest()}": b"x"}),
    "blob count": lambda members: _with_manifest(members, blobs=99),
    "unknown part": lambda members: {**members, "notes.txt": b"hello"},
    "no entries file": lambda members: {"manifest.json": members["manifest.json"]},
    "no manifest": lambda members: {name: content for name, content in members.items() if name != "manifest.json"},
    "entries are no JSON": lambda members: _with_manifest({**members, "entries.jsonl": b"{\n"}),
    "entries are a list": lambda members: _with_manifest({**members, "entries.jsonl": b"[]\n"}),
    "an entry without end": lambda members: _with_manifest({**members, "entries.jsonl": b" " * 100_000}),
    "an entry of brackets": lambda members: _with_manifest({**members, "entries.jsonl": b"[" * 16_000 + b"\n"}),
    "manifest is a list": lambda members: {**members, "manifest.json": b"[]"},
    "manifest is no text": lambda members: {**members, "manifest.json": b"\xff\xfe"},
    "manifest too large": lambda members: {**members, "manifest.json": b" " * 100_000},
    "manifest with more keys": lambda members: _with_manifest(members, comment="hi"),
    "manifest counts text": lambda members: _with_manifest(members, entries="3"),
    "manifest version 0": lambda members: _with_manifest(members, version=0),
    "manifest counts backwards": lambda members: _with_manifest(members, entries=-1),
    "forged hashes, no payload": _rechained_without_blob,
}


@pytest.mark.parametrize("tamper", TAMPERS.values(), ids=TAMPERS.keys())
def test_every_tamper_is_noticed(tamper: Callable[[Members], Members], exported: Path, tmp_path: Path) -> None:
    bad = _rewrite(tmp_path / "bad.zip", tamper(_members(exported)))
    with pytest.raises(ParcelError) as refused:
        check_record(bad)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 400


def test_rewriting_alone_is_no_tamper(exported: Path, tmp_path: Path) -> None:
    """Else the tests above would prove nothing."""
    assert check_record(_rewrite(tmp_path / "same.zip", _with_manifest(_members(exported)))).contents.entries == 3


def test_a_past_cut_short_is_told_by_its_head(exported: Path, tmp_path: Path) -> None:
    """The file alone cannot tell: whoever knows the last hash can."""
    members = _members(exported)
    lines = _lines(members)
    kept = {lines[0]["payload_digest"], lines[0]["files_digest"], hashlib.sha256(b"x = 1\n").hexdigest()}
    short = {
        name: content
        for name, content in members.items()
        if name.removeprefix("blobs/") in {*kept, "entries.jsonl", "manifest.json"}
    }
    path = _rewrite(tmp_path / "short.zip", _with_lines(short, lines[:1]))
    assert check_record(path).contents.entries == 1
    with pytest.raises(ParcelError, match="it ends with"):
        check_record(path, lines[2]["hash"])
    with pytest.raises(ParcelError, match="it ends with"):
        check_record(exported, lines[2]["hash"][:4])
    assert check_record(exported, lines[2]["hash"][:16].upper()).contents.entries == 3


def test_a_newer_version_says_so(exported: Path, tmp_path: Path) -> None:
    members = _members(exported)
    manifest = {"format": "deepfield-record", "version": 2, "surprise": True}
    path = _rewrite(tmp_path / "newer.zip", {**members, "manifest.json": json.dumps(manifest).encode()})
    with pytest.raises(ParcelError, match=r"version 2.*upgrade deepfield"):
        check_record(path)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_flipped_bit_changes_nothing_or_is_noticed(data: st.DataObject, exported: Path, tmp_path: Path) -> None:
    content = bytearray(exported.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path / "flipped.zip"
    path.write_bytes(content)
    with Parcel(exported) as before:
        head = before.check().head
        whole = list(before.entries()), sorted(before.contents())
    try:
        with Parcel(path) as after:
            assert after.check().head == head
            assert (list(after.entries()), sorted(after.contents())) == whole
    except ParcelError:
        pass


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_short_is_noticed(share: float, exported: Path, tmp_path: Path) -> None:
    content = exported.read_bytes()
    path = tmp_path / "cut.zip"
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ParcelError):
        check_record(path)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300))
def test_any_bytes_are_refused_in_words(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "any.zip"
    path.write_bytes(content)
    with pytest.raises(ParcelError):
        check_record(path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.zip", tmp_path):
        with pytest.raises(ParcelError, match="no such file"):
            check_record(path)


# Files that were made to do harm


@pytest.mark.parametrize(
    "name",
    [
        "../evil.py",
        "/etc/passwd",
        "blobs/../../evil",
        "blobs/",
        "blobs/" + "0" * 63,
        "blobs/" + "0" * 64 + "/x",
        "blobs/" + "G" * 64,
        "blobs\\" + "0" * 64,
        "Manifest.json",
        "manifest.json ",
        "C:manifest.json",
        "blobs/" + "0" * 64 + "\n",
    ],
)
def test_no_name_but_ours_is_taken_in(name: str, exported: Path, tmp_path: Path) -> None:
    bad = _rewrite(tmp_path / "bad.zip", {**_members(exported), name: b"x"})
    with pytest.raises(ParcelError, match="no part of a record"):
        import_record(bad, tmp_path / "guest")
    assert not (tmp_path / "guest").exists() and not (tmp_path / "evil.py").exists()


def test_a_name_with_a_hidden_end_is_refused(exported: Path, tmp_path: Path) -> None:
    """Zip readers cut a name at a NUL: what is shown and what is meant then differ."""
    content = _rewrite(tmp_path / "bad.zip", {**_members(exported), "manifest.jsonXpwn": b"x"}).read_bytes()
    (tmp_path / "bad.zip").write_bytes(content.replace(b"manifest.jsonXpwn", b"manifest.json\0pwn"))
    with pytest.raises(ParcelError):
        check_record(tmp_path / "bad.zip")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO, stat.S_IFCHR])
def test_no_link_and_no_device_is_taken_in(kind: int, exported: Path, tmp_path: Path) -> None:
    members = _members(exported)
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = ((kind if name == "entries.jsonl" else stat.S_IFREG) | 0o644) << 16
            archive.writestr(info, content)
    with pytest.raises(ParcelError, match="no plain file"):
        check_record(tmp_path / "bad.zip")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_no_part_is_taken_in_twice(exported: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        for name, content in [*_members(exported).items(), ("entries.jsonl", b"")]:
            archive.writestr(name, content)
    with pytest.raises(ParcelError, match="a part twice"):
        check_record(tmp_path / "bad.zip")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_no_other_packing_is_taken_in(method: int, exported: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bad.zip", "w", method) as archive:
        for name, content in _members(exported).items():
            archive.writestr(name, content)
    with pytest.raises(ParcelError, match="packed in a way"):
        check_record(tmp_path / "bad.zip")


def test_a_bomb_is_not_unpacked(exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """300 MB of zeros in 300 kB: more than 200 times its size, and that before anything is unpacked."""
    zeros = bytes(60 * 1024**2)
    bad = _rewrite(
        tmp_path / "bomb.zip", {**_members(exported), **{f"blobs/{number:064x}": zeros for number in range(5)}}
    )
    monkeypatch.setattr(Parcel, "_read", _never)
    with pytest.raises(ParcelError, match="times its size"):
        check_record(bad)


def test_a_part_that_lies_about_its_size_is_cut_off(exported: Path, tmp_path: Path) -> None:
    """The directory says 10 bytes; what unpacks is a hundred megabytes."""
    name = "blobs/" + "0" * 64
    path = _rewrite(tmp_path / "liar.zip", {**_members(exported), name: bytes(100 * 1024**2)})
    content = bytearray(path.read_bytes())
    place = content.rfind(b"PK\x01\x02", 0, content.rfind(name.encode()))
    struct.pack_into("<I", content, place + 24, 10)
    path.write_bytes(content)
    with pytest.raises(ParcelError):
        check_record(path)


def test_overlapping_parts_are_refused(exported: Path, tmp_path: Path) -> None:
    """Many directory lines that point at one packed part: small file, large content."""
    members = _members(exported)
    packed = zlib.compress(b"0" * 50_000_000, 9)[2:-4]
    name = "blobs/" + "1" * 64
    path = tmp_path / "overlap.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for other, content in members.items():
            archive.writestr(other, content)
        archive.writestr(name, b"0" * 50_000_000)
        line = archive.getinfo(name)
        for number in range(2, 40):
            twin = zipfile.ZipInfo(f"blobs/{number:064x}")
            twin.compress_type, twin.CRC = line.compress_type, line.CRC
            twin.compress_size, twin.file_size, twin.header_offset = (
                line.compress_size,
                line.file_size,
                line.header_offset,
            )
            archive.filelist.append(twin)
            archive.NameToInfo[twin.filename] = twin
    assert len(packed) * 38 > path.stat().st_size
    with pytest.raises(ParcelError, match="overlap"):
        check_record(path)


def test_too_much_is_too_much(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value, words in (("TOTAL_BYTES", 100, "would unpack to"), ("MEMBERS", 2, "parts; at most")):
        with monkeypatch.context() as patch:
            patch.setattr(parcel_format, name, value)
            with pytest.raises(ParcelError, match=words):
                check_record(exported)


def test_an_encrypted_part_is_refused(exported: Path, tmp_path: Path) -> None:
    content = bytearray(exported.read_bytes())
    place = content.find(b"PK\x01\x02")
    struct.pack_into("<H", content, place + 8, 1)
    path = tmp_path / "secret.zip"
    path.write_bytes(content)
    with pytest.raises(ParcelError, match="packed in a way"):
        check_record(path)


def _never(*_: object) -> bytes:
    raise AssertionError("it was unpacked")


# From the command line


@pytest.mark.slow
def test_another_machine_grades_it_again(make_workspace: MakeWorkspace, run_cli: RunCli, tmp_path: Path) -> None:
    owner = make_workspace("tiny/mean", RIGHT)
    assert run_cli("grade", "tiny/mean", cwd=owner.root).returncode == 0
    written = run_cli("export", tmp_path / "record.zip", "--json", cwd=owner.root)
    head = json.loads(written.stdout)["head"]
    guest = tmp_path / "elsewhere"
    guest.mkdir()
    told = run_cli("import", tmp_path / "record.zip", "--as", "theirs", "--head", head[:16], cwd=guest)
    assert told.returncode == 0, told.stderr
    assert "The chain holds" in told.stdout and "tiny/mean core" in told.stdout
    again = run_cli("verify", "--regrade", "--json", cwd=guest / "theirs")
    assert again.returncode == 0, again.stdout + again.stderr
    assert json.loads(again.stdout)["regrades"][0]["score_now"] == 1.0
    refused = run_cli("start", "tiny/square", cwd=guest / "theirs")
    assert refused.returncode == 2 and "for reading" in refused.stderr


def test_the_command_line_says_what_is_wrong(workspace: Workspace, run_cli: RunCli, tmp_path: Path) -> None:
    (tmp_path / "junk.zip").write_bytes(b"PK\x03\x04 junk")
    told = run_cli("import", "junk.zip", cwd=tmp_path)
    assert told.returncode == 2 and "junk.zip" in told.stderr and "Traceback" not in told.stderr
    checked = run_cli("export", "../r.zip", cwd=workspace.root)
    assert checked.returncode == 0 and "your code" in checked.stdout
    proved = run_cli("import", "r.zip", "--check", "--json", cwd=tmp_path)
    assert json.loads(proved.stdout)["ok"] is True
    assert json.loads(proved.stdout)["workspace"] is None
