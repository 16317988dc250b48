"""Fetching datasets: what is verified, recorded, compared with what came before, unpacked, and never half there."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from deepfield_cli.datasets import disk, locate, missing
from deepfield_cli.datasets.adding import add
from deepfield_cli.datasets.dataset import Dataset
from deepfield_cli.datasets.errors import DatasetError, DiskRefused, NotOffered
from deepfield_cli.datasets.getting import get
from deepfield_cli.datasets.holding import look
from deepfield_cli.datasets.place import Place
from deepfield_cli.datasets.removing import remove
from deepfield_cli.datasets.verifying import verify
from tests.datasets.conftest import MakeDataset, state_file
from tests.datasets.server import Server, Step

TEXT = b"some words, and then some more\n" * 1_000
OTHER = b"quite other words than those\n" * 1_000


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def refusal(dataset: Dataset, **options: Any) -> DatasetError:
    with pytest.raises(DatasetError) as caught:
        get(dataset, pause=lambda seconds: None, **options)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_file_is_fetched_verified_and_found(make_dataset: MakeDataset, cache: Path) -> None:
    dataset = make_dataset("words", {"words.txt": TEXT})
    assert locate("words") is None
    fetched = get(dataset)
    assert [file.name for file in fetched.new] == ["words.txt"]
    assert locate("words") == cache / "words" / "words.txt"
    assert (cache / "words" / "words.txt").read_bytes() == TEXT
    record = fetched.holding.receipt.files["words.txt"]
    assert (record.sha256, record.known_by) == (hashlib.sha256(TEXT).hexdigest(), "beforehand")
    assert names(cache / "words") == [".deepfield.json", "words.txt"]


def test_what_is_here_is_not_fetched_again(make_dataset: MakeDataset, server: Server) -> None:
    dataset = make_dataset("words", {"words.txt": TEXT})
    get(dataset)
    assert get(dataset).new == ()
    assert len(server.files["/words.txt"].asked) == 1


def test_a_folder_is_found_when_all_files_are_here(make_dataset: MakeDataset, cache: Path, server: Server) -> None:
    dataset = make_dataset("words", {"a.txt": TEXT, "b.txt": OTHER})
    get(dataset, first=1)
    assert look(dataset).state == "some"
    assert locate("words") is None
    get(dataset)
    assert locate("words") == cache / "words"
    assert [len(served.asked) for served in server.files.values()] == [1, 1]


def test_enough_files_are_enough(make_dataset: MakeDataset, cache: Path) -> None:
    dataset = make_dataset("words", {"a.txt": TEXT, "b.txt": OTHER}, enough=1)
    assert "deepfield data get words --files 1" in str(missing("words"))
    assert "(31 kB)" in str(missing("words"))
    get(dataset, first=1)
    assert look(dataset).state == "enough"
    assert locate("words") == cache / "words"


def test_a_file_that_changed_its_size_is_not_here(make_dataset: MakeDataset, cache: Path) -> None:
    dataset = make_dataset("words", {"words.txt": TEXT})
    get(dataset)
    (cache / "words" / "words.txt").write_bytes(TEXT[:-1])
    assert locate("words") is None
    get(dataset)
    assert (cache / "words" / "words.txt").read_bytes() == TEXT


def test_a_changed_file_is_found_by_reading_and_fetched_again(
    make_dataset: MakeDataset, cache: Path, server: Server
) -> None:
    dataset = make_dataset("words", {"a.txt": TEXT, "b.txt": OTHER})
    get(dataset)
    (cache / "words" / "a.txt").write_bytes(TEXT[:-1] + b"!")
    assert [one.verdict for one in verify(dataset)] == ["changed", "same"]
    assert [file.name for file in get(dataset, check=True).new] == ["a.txt"]
    assert [one.verdict for one in verify(dataset)] == ["same", "same"]
    assert len(server.files["/b.txt"].asked) == 1


def test_a_right_file_without_a_record_is_taken(make_dataset: MakeDataset, cache: Path, server: Server) -> None:
    """As it is when a process was killed at the wrong moment, or when somebody copied the file into the cache."""
    dataset = make_dataset("words", {"words.txt": TEXT})
    (cache / "words").mkdir(parents=True)
    (cache / "words" / "words.txt").write_bytes(TEXT)
    assert locate("words") is None
    get(dataset)
    assert locate("words") is not None
    assert server.files["/words.txt"].asked == []


def test_a_wrong_file_of_the_right_name_is_replaced(make_dataset: MakeDataset, cache: Path) -> None:
    dataset = make_dataset("words", {"words.txt": TEXT})
    (cache / "words").mkdir(parents=True)
    (cache / "words" / "words.txt").write_bytes(bytes(len(TEXT)))
    get(dataset)
    assert (cache / "words" / "words.txt").read_bytes() == TEXT


def test_a_wrong_file_is_never_found(make_dataset: MakeDataset, cache: Path, server: Server) -> None:
    dataset = make_dataset("words", {"words.txt": TEXT})
    server.files["/words.txt"].content = bytes(len(TEXT))
    assert "what came is not words.txt" in str(refusal(dataset))
    assert locate("words") is None
    assert names(cache / "words") == []


def test_without_a_known_checksum_it_is_recorded_and_said(make_dataset: MakeDataset) -> None:
    dataset = make_dataset("words", {"words.txt": TEXT}, known=False)
    record = get(dataset).holding.receipt.files["words.txt"]
    assert record.known_by == "nobody"
    assert record.sha256 == hashlib.sha256(TEXT).hexdigest()
    assert "the publisher names none" in verify(dataset)[0].words


def test_the_servers_checksum_is_used_and_said(make_dataset: MakeDataset, server: Server) -> None:
    dataset = make_dataset("words", {"words.txt": TEXT}, known=False)
    server.files["/words.txt"].headers = {"X-Linked-ETag": hashlib.sha256(TEXT).hexdigest()}
    assert get(dataset).holding.receipt.files["words.txt"].known_by == "server"
    assert "as the server told it" in verify(dataset)[0].words


def test_another_file_than_the_first_time_is_refused_until_the_first_is_forgotten(
    make_dataset: MakeDataset, server: Server, cache: Path
) -> None:
    dataset = make_dataset("words", {"words.txt": TEXT}, known=False)
    get(dataset)
    remove(dataset)
    server.files["/words.txt"].content = TEXT[::-1]
    told = str(refusal(dataset))
    assert "words.txt is not what came from there on" in told
    assert "deepfield data remove --forget words" in told
    assert not (cache / "words" / "words.txt").exists()
    remove(dataset, forget=True)
    get(dataset)
    assert (cache / "words" / "words.txt").read_bytes() == TEXT[::-1]


def test_without_a_known_checksum_it_must_look_right(make_dataset: MakeDataset, cache: Path) -> None:
    dataset = make_dataset("words", {"words.txt": b"\xff\xfe\x00\x01" * 100}, known=False)
    assert "what came is not words.txt: this is no text in UTF-8" in str(refusal(dataset))
    assert names(cache / "words") == []


def test_files_in_folders_keep_their_paths(make_dataset: MakeDataset, cache: Path) -> None:
    get(make_dataset("words", {"en/a.txt": TEXT, "de/a.txt": OTHER}))
    assert (cache / "words" / "de" / "a.txt").read_bytes() == OTHER


def test_the_named_cache_comes_first(make_dataset: MakeDataset, cache: Path, tmp_path: Path) -> None:
    get(make_dataset("words", {"words.txt": TEXT}), cache=tmp_path / "elsewhere")
    assert locate("words") is None
    assert locate("words", cache=tmp_path / "elsewhere") == tmp_path / "elsewhere" / "words" / "words.txt"
    assert not cache.exists()


def test_no_room_is_told_before_anything_is_fetched(make_dataset: MakeDataset, server: Server, cache: Path) -> None:
    stated = {**state_file(server, "words.txt", TEXT), "bytes": 10**18}
    dataset = make_dataset("words", {"words.txt": TEXT}, files=[stated])
    told = refusal(dataset)
    assert isinstance(told, DiskRefused)
    assert "1e+06 TB are needed" not in str(told)
    assert "are needed and" in str(told)
    assert server.files["/words.txt"].asked == []


def test_a_file_in_the_way_of_the_cache_is_told(make_dataset: MakeDataset, cache: Path) -> None:
    cache.write_text("not a folder")
    told = refusal(make_dataset("words", {"words.txt": TEXT}))
    assert isinstance(told, DiskRefused)
    assert "choose another folder with DEEPFIELD_DATA or --cache" in str(told)
    assert locate("words") is None


def test_a_receipt_that_cannot_be_read_is_made_anew(make_dataset: MakeDataset, cache: Path, server: Server) -> None:
    dataset = make_dataset("words", {"words.txt": TEXT})
    get(dataset)
    (cache / "words" / ".deepfield.json").write_bytes(b"{\xff")
    assert locate("words") is None
    get(dataset)
    assert locate("words") is not None
    assert len(server.files["/words.txt"].asked) == 1


def test_a_receipt_of_another_kind_is_passed_over(make_dataset: MakeDataset, cache: Path) -> None:
    make_dataset("words", {"words.txt": TEXT})
    (cache / "words").mkdir(parents=True)
    documents: list[Any] = [[], {"files": []}, {"files": {"words.txt": {"bytes": 1}}, "addition": None}, 7]
    for document in documents:
        (cache / "words" / ".deepfield.json").write_text(json.dumps(document))
        assert locate("words") is None


# ------------------------------------------------------------------------------------------------ archives


def zipped(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def tarred(members: dict[str, bytes], *links: tarfile.TarInfo) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        for link in links:
            archive.addfile(link)
    return packed.getvalue()


def packed_dataset(
    make: MakeDataset, server: Server, packed: bytes, *, inside: str, kind: str = "tar.gz", **stated: Any
) -> Dataset:
    server.serve("/packed", packed, always=Step(chunked=True), etag=None)
    archive = {"kind": kind, "inside": inside, "bytes": len(packed)}
    file = {"name": "words", "urls": [server.url("/packed")], "archive": archive, **stated}
    return make("words", {"words": b""}, files=[file], kind="folder" if kind == "tar.gz" else "file")


def listing(files: dict[str, bytes]) -> str:
    lines = [f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


TREE = {"level1/a.py": b"a = 1\n", "level1/b.py": b"b = 2\n", "notes.txt": b"words\n"}


def test_one_file_of_a_zip_is_unpacked(make_dataset: MakeDataset, server: Server, cache: Path) -> None:
    packed = zipped(words=TEXT, other=OTHER)
    digest = hashlib.sha256(TEXT).hexdigest()
    dataset = packed_dataset(make_dataset, server, packed, inside="words", kind="zip", bytes=len(TEXT), sha256=digest)
    get(dataset)
    assert locate("words") == cache / "words" / "words"
    assert (cache / "words" / "words").read_bytes() == TEXT
    assert names(cache / "words") == [".deepfield.json", "words"]


def test_one_folder_of_a_tarball_is_unpacked(make_dataset: MakeDataset, server: Server, cache: Path) -> None:
    members = {f"repo-1/tasks/{name}": content for name, content in TREE.items()}
    packed = tarred({**members, "repo-1/README": b"no\n"})
    size = sum(map(len, TREE.values()))
    dataset = packed_dataset(make_dataset, server, packed, inside="repo-1/tasks", bytes=size, sha256=listing(TREE))
    get(dataset)
    assert locate("words") == cache / "words"
    assert {name: (cache / "words" / "words" / name).read_bytes() for name in TREE} == TREE
    (cache / "words" / "words" / "level1" / "__pycache__").mkdir()
    (cache / "words" / "words" / "level1" / "__pycache__" / "a.pyc").write_bytes(b"left behind")
    assert [one.verdict for one in verify(dataset)] == ["same"]
    (cache / "words" / "words" / "level1" / "c.py").write_text("c = 3\n")
    assert locate("words") is None
    assert [one.verdict for one in verify(dataset)] == ["changed"]
    get(dataset)
    assert not (cache / "words" / "words" / "level1" / "c.py").exists()


def link(name: str, target: str, kind: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def test_nothing_is_written_elsewhere(make_dataset: MakeDataset, server: Server, cache: Path, tmp_path: Path) -> None:
    evil = {
        "repo/../../../evil.py": b"evil\n",
        str(tmp_path / "evil.py"): b"evil\n",
        "repo/../evil.py": b"evil\n",
        "repo/good.py": b"good\n",
    }
    links = (link("repo/passwd", "/etc/passwd", tarfile.SYMTYPE), link("repo/hard", "repo/good.py", tarfile.LNKTYPE))
    dataset = packed_dataset(
        make_dataset, server, tarred(evil, *links), inside="repo", bytes=5, sha256=listing({"good.py": b"good\n"})
    )
    get(dataset)
    assert names(cache / "words") == [".deepfield.json", "words/good.py"]
    assert list(tmp_path.rglob("evil.py")) == []


@pytest.mark.parametrize(
    ("packed", "words"),
    [
        (b"not an archive at all", "the archive is broken"),
        (tarred({"repo/a": TEXT})[:-40], "the archive is broken"),
        (tarred({"other/a": TEXT}), 'there is no "repo" in the archive'),
        (tarred({"repo/a": bytes(10_000_000)}), "holds more than it should"),
        (tarred({"repo/a": OTHER}), "(another sha256)"),
    ],
    ids=["none", "cut", "without", "bomb", "other"],
)
def test_a_wrong_archive_leaves_nothing(
    make_dataset: MakeDataset, server: Server, cache: Path, packed: bytes, words: str
) -> None:
    digest = listing({"a": TEXT})
    dataset = packed_dataset(make_dataset, server, packed, inside="repo", bytes=len(TEXT), sha256=digest)
    told = refusal(dataset)
    assert isinstance(told, NotOffered)
    assert words in str(told)
    assert names(cache / "words") == []
    assert locate("words") is None


@pytest.mark.parametrize("packed", [b"PK\x03\x04 broken", zipped(words=TEXT)[:-30]])
def test_a_broken_zip_leaves_nothing(make_dataset: MakeDataset, server: Server, cache: Path, packed: bytes) -> None:
    dataset = packed_dataset(make_dataset, server, packed, inside="words", kind="zip", bytes=len(TEXT))
    assert "the archive is broken" in str(refusal(dataset))
    assert names(cache / "words") == []


# ------------------------------------------------------------------------------------------------ copies elsewhere


def test_a_copy_elsewhere_is_used_as_it_is(make_dataset: MakeDataset, tmp_path: Path, cache: Path) -> None:
    dataset = make_dataset("words", {"words.txt": TEXT})
    copy = tmp_path / "mine.txt"
    copy.write_bytes(TEXT)
    holding = add(dataset, copy)
    assert holding.receipt.addition is not None
    assert holding.receipt.addition.published is True
    assert locate("words") == copy
    assert names(cache / "words") == [".deepfield.json"]
    assert get(dataset).new == ()
    assert get(dataset, check=True).new == ()
    assert [one.verdict for one in verify(dataset)] == ["shape"]


def test_a_copy_that_differs_is_taken_and_said(make_dataset: MakeDataset, tmp_path: Path) -> None:
    dataset = make_dataset("words", {"words.txt": TEXT})
    copy = tmp_path / "mine.txt"
    copy.write_bytes(OTHER)
    addition = add(dataset, copy).receipt.addition
    assert addition is not None
    assert addition.published is False


def test_a_copy_of_what_nobody_knows_says_so(make_dataset: MakeDataset, tmp_path: Path) -> None:
    dataset = make_dataset("words", {"words.txt": TEXT}, known=False)
    (tmp_path / "mine.txt").write_bytes(TEXT)
    addition = add(dataset, tmp_path / "mine.txt").receipt.addition
    assert addition is not None
    assert addition.published is None


def test_a_copy_in_a_folder_is_compared_file_by_file(make_dataset: MakeDataset, tmp_path: Path) -> None:
    shape = {"kind": "signed", "suffix": ".txt"}
    dataset = make_dataset("words", {"a.txt": TEXT, "b.txt": OTHER}, shape=shape)
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "a.txt").write_bytes(TEXT)
    addition = add(dataset, folder).receipt.addition
    assert addition is not None
    assert (addition.found, addition.published) == ("1 file", False)
    (folder / "b.txt").write_bytes(OTHER)
    assert add(dataset, folder).receipt.addition.published is True  # type: ignore[union-attr]


def test_a_copy_that_went_away_is_told(make_dataset: MakeDataset, tmp_path: Path) -> None:
    dataset = make_dataset("words", {"words.txt": TEXT})
    copy = tmp_path / "mine.txt"
    copy.write_bytes(TEXT)
    add(dataset, copy)
    copy.unlink()
    assert locate("words") is None
    assert f"words was added from {copy}, which is not there any more" in str(missing("words"))
    assert "which is not there any more" in str(refusal(dataset))
    assert [one.verdict for one in verify(dataset)] == ["gone"]
    remove(dataset)
    get(dataset)
    assert locate("words") is not None


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "there is nothing"),
        (lambda path: path.mkdir(), "is one file, and this is a folder"),
        (lambda path: path.write_bytes(b"ab"), "2 bytes where there should be 4 or more"),
        (lambda path: path.write_bytes(b"\xff\xff\xff\xff\xff"), "no text in UTF-8"),
    ],
    ids=["nothing", "folder", "small", "binary"],
)
def test_what_is_not_the_dataset_is_not_added(make_dataset: MakeDataset, tmp_path: Path, make: Any, words: str) -> None:
    dataset = make_dataset("words", {"words.txt": TEXT})
    make(tmp_path / "mine")
    with pytest.raises(DatasetError) as caught:
        add(dataset, tmp_path / "mine")
    assert words in str(caught.value)
    assert locate("words") is None


def test_a_folder_is_wanted(make_dataset: MakeDataset, tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(TEXT)
    with pytest.raises(DatasetError, match="is a folder, and this is a file"):
        add(make_dataset("words", {"a.txt": TEXT, "b.txt": TEXT}), tmp_path / "mine")


def test_the_cache_is_no_copy_elsewhere(make_dataset: MakeDataset, cache: Path) -> None:
    dataset = make_dataset("words", {"words.txt": TEXT})
    get(dataset)
    with pytest.raises(DatasetError, match="this is the cache itself"):
        add(dataset, cache / "words" / "words.txt")


# ------------------------------------------------------------------------------------------------ removing


def test_removing_frees_the_room(make_dataset: MakeDataset, cache: Path) -> None:
    dataset = make_dataset("words", {"a.txt": TEXT, "b.txt": OTHER})
    get(dataset)
    removal = remove(dataset)
    assert removal.bytes == len(TEXT) + len(OTHER)
    assert look(dataset).state == "absent"
    assert not (cache / "words").exists()
    assert remove(dataset).bytes == 0


def test_forgetting_a_copy_keeps_what_was_fetched(make_dataset: MakeDataset, cache: Path, tmp_path: Path) -> None:
    dataset = make_dataset("words", {"words.txt": TEXT})
    get(dataset)
    (tmp_path / "mine.txt").write_bytes(TEXT)
    add(dataset, tmp_path / "mine.txt")
    remove(dataset)
    assert locate("words") == cache / "words" / "words.txt"


def test_removing_takes_what_was_begun(make_dataset: MakeDataset, server: Server, cache: Path) -> None:
    dataset = make_dataset("words", {"words.txt": TEXT})
    server.files["/words.txt"].always = Step(drop_after=1_000)
    refusal(dataset)
    assert look(dataset).partial_bytes == 6_000
    assert remove(dataset).bytes == 6_000
    assert not (cache / "words").exists()


def test_a_copy_elsewhere_is_forgotten_not_removed(make_dataset: MakeDataset, tmp_path: Path) -> None:
    dataset = make_dataset("words", {"words.txt": TEXT})
    copy = tmp_path / "mine.txt"
    copy.write_bytes(TEXT)
    add(dataset, copy)
    removal = remove(dataset)
    assert removal.addition is not None
    assert copy.read_bytes() == TEXT
    assert locate("words") is None


def test_a_link_in_the_cache_is_removed_not_followed(make_dataset: MakeDataset, cache: Path, tmp_path: Path) -> None:
    dataset = make_dataset("words", {"words.txt": TEXT})
    (cache / "words").mkdir(parents=True)
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "kept.txt").write_bytes(b"kept")
    (cache / "words" / "words.txt").symlink_to(tmp_path / "precious")
    remove(dataset)
    assert (tmp_path / "precious" / "kept.txt").read_bytes() == b"kept"


def test_sizes_as_people_say_them() -> None:
    sizes = [0, 999, 1_000, 456_318, 999_499, 999_600, 19_908_081_088, 10**18]
    assert [disk.readable_bytes(size) for size in sizes] == [
        "0 bytes", "999 bytes", "1 kB", "456 kB", "999 kB", "1 MB", "19.9 GB", "1,000,000 TB",
    ]  # fmt: skip


def test_the_digest_of_a_folder_is_that_of_sha256sum(tmp_path: Path) -> None:
    import subprocess

    for name, content in TREE.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    by_hand = "find . -type f | cut -c3- | LC_ALL=C sort | xargs sha256sum | sha256sum"
    printed = subprocess.run(["sh", "-c", by_hand], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert disk.content_digest(tmp_path) == printed.split()[0]


def test_places_of_unfinished_files_are_hidden(tmp_path: Path) -> None:
    place = Place(tmp_path, "words")
    for path in (place.part("en/a.bin"), place.notes("en/a.bin"), place.unpacked("en/a.bin")):
        assert path.name.startswith(".")
        assert path.parent == place.file("en/a.bin").parent
