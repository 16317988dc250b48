"""Which datasets there are: one file each in ``curriculum/datasets/`` of every pack."""

from __future__ import annotations

from pathlib import Path

from deepfield_cli.content.packs import packs
from deepfield_cli.content.strict_yaml import load_model
from deepfield_cli.datasets.dataset import Dataset
from deepfield_cli.errors import ContentError, near_miss

FOLDER = Path("curriculum") / "datasets"


def all_datasets() -> tuple[Dataset, ...]:
    """Every dataset of every pack, by id; the first pack that has an id wins."""
    paths = {path.stem: path for pack in reversed(packs()) for path in (pack.root / FOLDER).glob("*.yaml")}
    return tuple(_load(paths[name]) for name in sorted(paths))


def find_dataset(name: str) -> Dataset:
    """The dataset of this id; raise ContentError with the near miss."""
    paths = [pack.root / FOLDER / f"{name}.yaml" for pack in packs()]
    for path in paths:
        if _is_name(name) and path.is_file():
            return _load(path)
    hint = near_miss(name, dataset_names())
    raise ContentError(f'there is no dataset "{name}"', fix=hint or "deepfield data list shows all of them")


def dataset_names() -> list[str]:
    """Every id, sorted; nothing is read."""
    return sorted({path.stem for pack in packs() for path in (pack.root / FOLDER).glob("*.yaml")})


def _load(path: Path) -> Dataset:
    dataset = load_model(path, Dataset)
    if dataset.id != path.stem:
        raise ContentError(f'id is "{dataset.id}" but the file is called {path.name}', where=str(path))
    return dataset


def _is_name(text: str) -> bool:
    return text.replace("-", "").isalnum() and text.isascii()
