"""Artefacts of every format: looked into, written again with the same numbers, and disturbed; nothing in them runs."""

from __future__ import annotations

import json
import pickle
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepfield_cli.summit.artefacts import ArtefactError, disturb, encode_again, survey

Values = Mapping[str, "np.ndarray[Any, Any]"]
_TYPES = {"float64": "F64", "float32": "F32", "float16": "F16", "int64": "I64", "uint8": "U8", "bool": "BOOL"}


def save_npz(path: Path, values: Values) -> None:
    np.savez(path, **values)  # type: ignore[arg-type]


def load_npz(path: Path) -> Values:
    with np.load(path) as found:
        return dict(found)


def save_packed(path: Path, values: Values) -> None:
    np.savez_compressed(path, **values)  # type: ignore[arg-type]


def save_safetensors(path: Path, values: Values) -> None:
    header: dict[str, Any] = {"__metadata__": {"format": "np"}}
    offset = 0
    for name, value in values.items():
        size = value.nbytes
        header[name] = {
            "dtype": _TYPES[value.dtype.name],
            "shape": list(value.shape),
            "data_offsets": [offset, offset + size],
        }
        offset += size
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(value.tobytes() for value in values.values()))


def load_safetensors(path: Path) -> Values:
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    assert header.pop("__metadata__") == {"format": "np"}
    names = {short: name for name, short in _TYPES.items()}
    return {
        name: np.frombuffer(data[slice(*one["data_offsets"])], names[one["dtype"]]).reshape(one["shape"])
        for name, one in header.items()
    }


def save_torch(path: Path, values: Values) -> None:
    import torch

    tensors = {name: torch.from_numpy(value.copy()) for name, value in values.items()}
    torch.save({"model": tensors, "args": {"lr": 3e-4}, "path": Path("x"), "step": np.int64(7)}, path)


def load_torch(path: Path) -> Values:
    import torch

    found = torch.load(path, weights_only=False)
    assert (found["args"], found["path"], found["step"]) == ({"lr": 3e-4}, Path("x"), 7)
    return {name: tensor.numpy() for name, tensor in found["model"].items()}


FORMATS: list[Any] = [
    pytest.param("a.npz", save_npz, load_npz, id="npz"),
    pytest.param("b.npz", save_packed, load_npz, id="packed npz"),
    pytest.param("c.safetensors", save_safetensors, load_safetensors, id="safetensors"),
    pytest.param("d.pt", save_torch, load_torch, id="pt"),
]


@pytest.fixture
def values() -> Values:
    rng = np.random.default_rng(5)
    return {
        "weight": rng.normal(size=(40, 30)).astype(np.float32),
        "variance": np.abs(rng.normal(size=17)),
        "half": rng.normal(size=9).astype(np.float16),
        "ones": np.ones(5, np.float32),
        "scalar": np.array(3.25),
        "empty": np.zeros((0, 4), np.float32),
        "positions": np.arange(600, dtype=np.int64),
        "mask": np.arange(20) % 3 == 0,
    }


@pytest.mark.parametrize(("name", "save", "load"), FORMATS)
def test_the_same_numbers_in_other_bytes(
    tmp_path: Path, values: Values, name: str, save: Callable[[Path, Values], None], load: Callable[[Path], Values]
) -> None:
    path = tmp_path / name
    save(path, values)
    before, seen = path.read_bytes(), survey(path)
    encode_again(path, np.random.default_rng(3))
    assert path.read_bytes() != before
    found = load(path)
    assert set(found) == set(values)
    for key, value in values.items():
        assert found[key].dtype == value.dtype and found[key].shape == value.shape
        if key == "weight":  # the last bit of a few numbers
            np.testing.assert_array_max_ulp(found[key], value)
            assert 1 <= np.count_nonzero(found[key] != value) < value.size / 20
        elif value.dtype == np.float64:
            np.testing.assert_array_max_ulp(found[key], value)
        else:
            np.testing.assert_array_equal(found[key], value)
    again = survey(path)
    assert (again.numbers, sorted(again.arrays.values())) == (seen.numbers, sorted(seen.arrays.values()))
    assert [one.name for one in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(("name", "save", "load"), FORMATS)
def test_disturbed_numbers_are_the_same_in_another_order(
    tmp_path: Path, values: Values, name: str, save: Callable[[Path, Values], None], load: Callable[[Path], Values]
) -> None:
    path = tmp_path / name
    save(path, values)
    disturb(path, np.random.default_rng(1))
    found = load(path)
    for key in ("weight", "variance", "half"):
        assert not np.array_equal(found[key], values[key])
        np.testing.assert_array_equal(np.sort(found[key], axis=None), np.sort(values[key], axis=None))
    for key in ("ones", "scalar", "empty", "positions", "mask"):
        np.testing.assert_array_equal(found[key], values[key])


@pytest.mark.parametrize(("name", "save", "load"), FORMATS)
def test_what_an_artefact_holds(
    tmp_path: Path, values: Values, name: str, save: Callable[[Path, Values], None], load: Callable[[Path], Values]
) -> None:
    path = tmp_path / name
    save(path, values)
    seen = survey(path)
    assert seen.numbers == 1200 + 17 + 9
    assert 3.25 in seen.tables and float(values["variance"][3]) in seen.tables
    assert float(values["weight"][0, 0]) not in seen.tables
    assert sorted(seen.arrays.values()) == [600, 1200]
    save(path, {**values, "weight": values["weight"] + 1})
    assert survey(path).share_of(seen) == pytest.approx(600 / 1800)
    assert seen.share_of(seen) == 1.0


@pytest.mark.parametrize(("name", "save", "load"), FORMATS)
def test_whole_numbers_are_disturbed_only_where_there_are_no_others(
    tmp_path: Path, name: str, save: Callable[[Path, Values], None], load: Callable[[Path], Values]
) -> None:
    path = tmp_path / name
    labels = np.arange(100, dtype=np.int64) % 10
    save(path, {"labels": labels, "ones": np.ones(3, np.float32)})
    assert survey(path).numbers == 100
    disturb(path, np.random.default_rng(1))
    assert not np.array_equal(load(path)["labels"], labels)


def test_one_array_in_either_order_of_memory(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    for value in (
        np.arange(12.0).reshape(3, 4),
        np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.arange(9, dtype=">f4"),
    ):
        np.save(path, value)
        before = path.read_bytes()
        encode_again(path, np.random.default_rng(3))
        assert path.read_bytes() != before
        np.testing.assert_array_equal(np.load(path), value)
        disturb(path, np.random.default_rng(2))
        assert sorted(np.load(path).ravel()) == sorted(value.ravel())
        assert np.load(path).ravel().tolist() != value.ravel().tolist()


def test_bfloat16_and_shared_storages(tmp_path: Path) -> None:
    import torch

    path = tmp_path / "x.pt"
    weight = torch.tensor([1.5, -2.0, 3.0], dtype=torch.bfloat16)
    tied = torch.arange(300, dtype=torch.float32)
    torch.save([weight, tied[:10], tied[10:]], path)
    seen = survey(path)
    assert {1.5, -2.0, 3.0} <= set(seen.tables)
    assert seen.numbers == 303
    disturb(path, np.random.default_rng(0))
    again = torch.load(path)
    assert sorted(torch.cat([again[1], again[2]]).tolist()) == tied.tolist()
    assert torch.load(path, mmap=True)[1].shape == (10,)


def test_nothing_in_a_checkpoint_runs(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    path = tmp_path / "x.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", pickle.dumps({"trap": Trap(), "more": [1, 2], "set": {3}}))
    assert survey(path).numbers == 0
    encode_again(path, np.random.default_rng(3))
    assert not (tmp_path / "ran").exists()


def test_arrays_of_objects_are_left_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, good=np.arange(5.0), bad=np.array([{"a": 1}], dtype=object))
    assert survey(path).numbers == 5
    encode_again(path, np.random.default_rng(3))
    with np.load(path, allow_pickle=True) as found:
        assert found["bad"][0] == {"a": 1}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.npy", b""),
        ("x.npy", b"\x93NUMPY\x01\x00garbage"),
        ("x.npz", b"PK no zip"),
        ("x.safetensors", b"abc"),
        ("x.safetensors", struct.pack("<Q", 1 << 60)),
        ("x.safetensors", struct.pack("<Q", 2) + b"[]"),
        ("x.safetensors", struct.pack("<Q", 60) + b'{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}     '),
        ("x.safetensors", struct.pack("<Q", 60) + b'{"a":{"dtype":"F99","shape":[9],"data_offsets":[0,36]}}     '),
        ("x.pt", b"\x80\x02}q\x00."),
        ("x.ckpt", b""),
        ("x.csv", b"a,b\n1,2\n"),
        ("x", b""),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ArtefactError, match=name):
        survey(path)
    with pytest.raises(ArtefactError):
        encode_again(path, np.random.default_rng(3))
    assert path.read_bytes() == content
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_a_damaged_pickle(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    for content in (b"", b"garbage", pickle.dumps(1)[:-1], b"\x80\x04N.", b"c" * 99):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x/data.pkl", content)
        if content == b"\x80\x04N.":
            assert survey(path).numbers == 0
            continue
        with pytest.raises(ArtefactError, match=r"data\.pkl"):
            survey(path)
