"""A server for datasets, a pack whose datasets it serves, and a place to keep them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deepfield_cli.content.packs import PACKS_VARIABLE
from deepfield_cli.datasets.catalogue import find_dataset
from deepfield_cli.datasets.dataset import Dataset
from deepfield_cli.datasets.place import DATA_VARIABLE, Place
from tests.datasets.server import Server, running

MakeDataset = Callable[..., Dataset]
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server on this machine, asked directly."""
    for name in _PROXIES:
        monkeypatch.delenv(name, raising=False)
    with running() as found:
        yield found


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder that DEEPFIELD_DATA names; not there yet."""
    folder = tmp_path / "data"
    monkeypatch.setenv(DATA_VARIABLE, str(folder))
    return folder


@pytest.fixture
def make_dataset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: Server, cache: Path) -> MakeDataset:
    """``make_dataset("words", {"a.txt": b"..."}, known=True)``: a dataset of these files, served and in a pack."""
    pack = tmp_path / "pack"
    (pack / "problems").mkdir(parents=True)
    (pack / "curriculum" / "datasets").mkdir(parents=True)
    monkeypatch.setenv(PACKS_VARIABLE, str(pack))

    def make(name: str, contents: dict[str, bytes], *, known: bool = True, **changes: Any) -> Dataset:
        stated = [state_file(server, file, content, known=known) for file, content in contents.items()]
        kind = "file" if len(contents) == 1 else "folder"
        document = {**_DOCUMENT, "id": name, "kind": kind, "files": stated, **changes}
        path = pack / "curriculum" / "datasets" / f"{name}.yaml"
        path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        return find_dataset(name)

    return make


def state_file(server: Server, name: str, content: bytes, *, known: bool = True, **more: Any) -> dict[str, Any]:
    """A file as a dataset states it, and on the server."""
    server.serve(f"/{name}", content)
    stated: dict[str, Any] = {"name": name, "urls": [server.url(f"/{name}")], "bytes": len(content), **more}
    return {**stated, "sha256": hashlib.sha256(content).hexdigest()} if known else stated


def place_of(dataset: Dataset, cache: Path) -> Place:
    """The paths of a dataset."""
    return Place(cache, dataset.id)


_DOCUMENT: dict[str, Any] = {
    "format_version": 1,
    "title": "Some words",
    "summary": "Words that nobody needs, for a test of how they are fetched and kept.",
    "licence": {"name": "CC0", "url": "https://creativecommons.org/publicdomain/zero/1.0/", "verified": True},
    "origin": {
        "title": "These tests",
        "url": "https://example.org/words",
        "facts": "They were made up for these tests.",
        "verified": True,
        "checked": None,
    },
    "shape": {"kind": "plain-text", "minimum_bytes": 4},
}
