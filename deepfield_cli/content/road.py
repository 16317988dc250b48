"""The roadmap that this installation uses: of the first pack that has one, kept as JSON so that YAML is read once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deepfield_cli import __version__
from deepfield_cli.content.kept import cache_folder, fingerprint_of, keep, short_digest
from deepfield_cli.content.packs import Pack, packs
from deepfield_cli.errors import ContentError

if TYPE_CHECKING:
    from deepfield_cli.content.roadmap import Roadmap

# Raise it when the model of the roadmap changes its meaning without changing its fields.
_FORMAT = 1


def road_root(found: Sequence[Pack]) -> Path | None:
    """The root of the first pack that holds a curriculum."""
    return next((pack.root for pack in found if (pack.root / "curriculum" / "charter.yaml").is_file()), None)


def road_files(root: Path) -> list[Path]:
    """Every file that the roadmap is made of."""
    return sorted((root / "curriculum").rglob("*.yaml"))


def open_roadmap() -> Roadmap:
    """The whole roadmap, from what was kept if no file has changed since, else from the YAML files.

    Raises:
        ContentError: there is no curriculum, or a file of it is not what it should be.

    """
    from pydantic import ValidationError

    from deepfield_cli.content.roadmap import Roadmap
    from deepfield_cli.content.roadmap_loader import load_roadmap

    root = road_root(packs())
    if root is None:
        raise ContentError("no pack has a curriculum", fix="reinstall deepfield")
    path = cache_folder() / f"roadmap-{short_digest([str(root)])}.json"
    fingerprint = fingerprint_of(road_files(root), _FORMAT, __version__)
    try:
        head, _, body = path.read_bytes().partition(b"\n")
        if head == fingerprint.encode():
            return Roadmap.model_validate_json(body)
    except (OSError, ValidationError):
        pass
    roadmap = load_roadmap(root)
    keep(path, fingerprint.encode() + b"\n" + roadmap.model_dump_json().encode())
    return roadmap
