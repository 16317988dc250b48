"""Looking into files: what each shape takes, and what it refuses."""

from __future__ import annotations

import json
import struct
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from deepfield_cli.datasets.errors import DatasetError
from deepfield_cli.datasets.examining import examine
from deepfield_cli.datasets.shape import Shape
from deepfield_cli.datasets.shards import read_shard, write_shard

TASK = "import torch\n\n\nclass Model:\n    pass\n\n\ndef get_inputs():\n    return []\n"
SHAPES: dict[str, dict[str, Any]] = {
    "shards": {"kind": "token-shards", "vocabulary": 50_257},
    "items": {"kind": "json-lines", "items": 2, "keys": ["ctx", "label"]},
    "merges": {"kind": "text-lines", "first": "#version: 0.2", "lines": 3},
    "text": {"kind": "plain-text", "minimum_bytes": 10},
    "parquet": {"kind": "signed", "suffix": ".parquet", "begins": "PAR1", "ends": "PAR1"},
    "weights": {"kind": "safetensors", "tensors": ["wte.weight"]},
    "tasks": {"kind": "task-folders", "folders": {"level1": 2}, "defines": ["Model", "get_inputs"]},
}


def found(shape: str, path: Path) -> str:
    return examine(TypeAdapter[Shape](Shape).validate_python(SHAPES[shape]), path)


def refused(shape: str, path: Path, content: bytes | None = None) -> str:
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DatasetError) as caught:
        found(shape, path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def header(magic: int = 20240520, version: int = 1, count: int = 3) -> bytes:
    return struct.pack("<256i", magic, version, count, *[0] * 253)


def test_shards_of_both_kinds(tmp_path: Path) -> None:
    (tmp_path / "x_val_000000.bin").write_bytes(header() + struct.pack("<3H", 1, 50_256, 2))
    np.save(tmp_path / "x_train_000001.npy", np.arange(5, dtype=np.uint16))
    (tmp_path / ".x_train_000002.bin.part").write_bytes(b"not yet")
    assert found("shards", tmp_path) == "2 shards, 8 tokens"
    assert found("shards", tmp_path / "x_val_000000.bin") == "1 shard, 3 tokens"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no shard of tokens"),
        (header(magic=20240801) + bytes(6), "no shard of tokens"),
        (header(version=2) + bytes(6), "no shard of tokens"),
        (header(count=-3) + bytes(6), "no shard of tokens"),
        (header() + bytes(5), "it is 1,029 bytes long, and 3 tokens are not"),
        (header() + bytes(12), "it is 1,036 bytes long"),
        (header() + struct.pack("<3H", 1, 50_257, 2), "it has the id 50,257; there are 50,257"),
        (b"\x93NUMPY\x01\x00\x08\x00garbage!", "numpy header cannot be read"),
    ],
    ids=["empty", "float-shard", "version", "negative", "short", "uint32", "vocabulary", "numpy"],
)
def test_what_is_no_shard(tmp_path: Path, content: bytes, words: str) -> None:
    assert words in refused("shards", tmp_path / "x_val_000000.bin", content)


@pytest.mark.parametrize("ids", [np.zeros(4, np.uint32), np.zeros(4, ">u2"), np.zeros((2, 2), np.uint16)])
def test_numpy_arrays_of_other_kinds(tmp_path: Path, ids: np.ndarray[Any, Any]) -> None:
    np.save(tmp_path / "x.npy", ids)
    assert "uint16 with one is wanted" in refused("shards", tmp_path / "x.npy")


def test_a_large_id_at_the_end_is_seen(tmp_path: Path) -> None:
    ids = np.zeros(300_000, np.uint16)
    ids[-1] = 60_000
    np.save(tmp_path / "x.npy", ids)
    assert "it has the id 60,000" in refused("shards", tmp_path / "x.npy")


def test_a_folder_without_shards_or_without_validation(tmp_path: Path) -> None:
    assert "no shards here" in refused("shards", tmp_path)
    (tmp_path / "x_train_000001.bin").write_bytes(header() + bytes(6))
    assert 'no file has "_val_" in its name' in refused("shards", tmp_path)


def test_a_shard_that_was_written_is_read(tmp_path: Path) -> None:
    pieces = [array("H", [1, 2, 3]), array("H"), array("H", range(1_000))]
    written = write_shard(tmp_path / "x_val_000000.bin", pieces)
    assert written == read_shard(tmp_path / "x_val_000000.bin")
    assert written.count == 1_003
    assert list(written.tokens(2, 6)) == [3, 0, 1, 2]
    assert list(written.tokens(1_000, 9_999)) == [997, 998, 999]
    raw = (tmp_path / "x_val_000000.bin").read_bytes()
    assert np.frombuffer(raw[:12], "<i4").tolist() == [20240520, 1, 1_003]
    assert np.frombuffer(raw[1024:], "<u2")[:4].tolist() == [1, 2, 3, 0]


def test_items(tmp_path: Path) -> None:
    lines = [json.dumps({"ctx": "a", "label": 1}), "", json.dumps({"ctx": "b", "label": 0, "more": None})]
    (tmp_path / "x.jsonl").write_text("\n".join(lines) + "\n")
    assert found("items", tmp_path / "x.jsonl") == "2 items"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"ctx": 1, "label": 2}\n', "1 items where there should be 2"),
        (b'{"ctx": 1, "label": 2}\n{"ctx": 1}\n', 'x:2: an item without "label"'),
        (b'{"ctx": 1,\n', "x:1: this is no JSON"),
        (b"[1]\n", "no JSON object"),
        (b"\xff\n", "no text in UTF-8"),
        (b"", "0 items"),
    ],
)
def test_what_are_no_items(tmp_path: Path, content: bytes, words: str) -> None:
    assert words in refused("items", tmp_path / "x", content)


def test_merges(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"#version: 0.2\na b\nc d\n")
    assert found("merges", tmp_path / "x") == "3 lines"
    assert "2 lines where there should be 3" in refused("merges", tmp_path / "x", b"#version: 0.2\na b\n")
    assert 'the first line is not "#version: 0.2"' in refused("merges", tmp_path / "x", b"a b\nc d\ne f\n")
    assert "the first line" in refused("merges", tmp_path / "x", b"")


def test_text(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("ä€𝄞" * 200_000)
    assert found("text", tmp_path / "x") == "1,800,000 bytes of text"
    (tmp_path / "x").write_text("a \ufffd is a character too")
    assert "bytes of text" in found("text", tmp_path / "x")
    assert "no text in UTF-8" in refused("text", tmp_path / "x", b"\x80" * 20)
    assert "3 bytes where" in refused("text", tmp_path / "x", b"abc")


def test_signed_files(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1....PAR1")
    (tmp_path / "notes.txt").write_bytes(b"not looked at")
    assert found("parquet", tmp_path) == "1 file"
    assert "not a whole one" in refused("parquet", tmp_path / "a.parquet", b"PAR1....")
    assert "not a whole one" in refused("parquet", tmp_path / "a.parquet", b"PA")
    (tmp_path / "a.parquet").unlink()
    assert "no file ends with .parquet" in refused("parquet", tmp_path)


def tensors(names: dict[str, list[int]], size: int) -> bytes:
    entries = {name: {"dtype": "F32", "shape": [1], "data_offsets": at} for name, at in names.items()}
    text = json.dumps({"__metadata__": {"format": "pt"}, **entries}).encode()
    return struct.pack("<Q", len(text)) + text + bytes(size)


def test_weights(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(tensors({"wte.weight": [0, 8], "b": [8, 12]}, 12))
    assert found("weights", path) == "2 tensors"
    assert "not as long as its header says" in refused("weights", path, tensors({"wte.weight": [0, 8]}, 7))
    assert 'no tensor "wte.weight"' in refused("weights", path, tensors({"b": [0, 8]}, 8))
    assert "no JSON" in refused("weights", path, b"PK\x03\x04 a zip file, as torch.save writes it")
    assert "no JSON" in refused("weights", path, b"abc")
    broken = json.dumps({"wte.weight": 1}).encode()
    assert "header cannot be read" in refused("weights", path, struct.pack("<Q", len(broken)) + broken)


def test_tasks(tmp_path: Path) -> None:
    folder = tmp_path / "level1"
    folder.mkdir()
    (folder / "1.py").write_text(TASK)
    assert "level1 has 1 files where there should be 2" in refused("tasks", tmp_path)
    (folder / "2.py").write_text(TASK.replace("get_inputs", "inputs"))
    assert "does not define get_inputs" in refused("tasks", tmp_path)
    (folder / "2.py").write_text("def broken(:\n")
    assert "no Python" in refused("tasks", tmp_path)
    (folder / "2.py").write_text(TASK + "raise SystemExit('nothing of it may run')\n")
    assert found("tasks", tmp_path) == "2 tasks"


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    assert "cannot be read" in refused("text", tmp_path / "nowhere")
    assert "cannot be read: Is a directory" in refused("items", tmp_path)
