"""The real roadmap, read once, and a copy of its files that a test may break."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from deepfield_cli.content.packs import builtin_pack
from deepfield_cli.content.roadmap import Roadmap
from deepfield_cli.content.roadmap_loader import load_roadmap


@pytest.fixture(scope="session")
def pack_root() -> Path:
    return builtin_pack().root


@pytest.fixture(scope="session")
def roadmap(pack_root: Path) -> Roadmap:
    return load_roadmap(pack_root)


@pytest.fixture
def broken_pack(pack_root: Path, tmp_path: Path) -> Path:
    """A pack with the same curriculum, to be changed by the test."""
    shutil.copytree(pack_root / "curriculum", tmp_path / "pack" / "curriculum")
    return tmp_path / "pack"
