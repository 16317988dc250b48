"""The datasets that ship with deepfield, and what a pack may state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deepfield_cli.content.packs import builtin_pack, find_problem, problem_ids
from deepfield_cli.datasets.catalogue import all_datasets, dataset_names, find_dataset
from deepfield_cli.datasets.users import needed_by
from deepfield_cli.errors import ContentError
from tests.datasets.conftest import MakeDataset

DATASETS = all_datasets()


def test_every_file_of_the_pack_is_a_dataset() -> None:
    files = sorted(path.stem for path in (builtin_pack().root / "curriculum" / "datasets").glob("*.yaml"))
    assert files == dataset_names() == [dataset.id for dataset in DATASETS]
    assert len(files) >= 7


def test_every_dataset_that_a_rung_names_exists() -> None:
    named = {
        item.dataset
        for problem in problem_ids()
        for spec in find_problem(problem)[0].rungs.values()
        for item in spec.data
        if item.dataset is not None
    }
    assert named <= set(dataset_names())


def test_what_a_rung_needs_has_the_kind_that_it_needs() -> None:
    for problem in problem_ids():
        for spec in find_problem(problem)[0].rungs.values():
            for item in spec.data:
                if item.dataset is not None:
                    assert find_dataset(item.dataset).kind == item.kind, (problem, item.name)


def test_users_are_named() -> None:
    users = {name: needed_by(name) for name in dataset_names()}
    assert all(user.endswith((" (core)", " (laptop)", " (paper)")) for names in users.values() for user in names)


def test_the_tokens_of_fineweb_edu_are_all_there() -> None:
    """99 shards of 100 million tokens and one of the rest: 9,953,989,344 of two bytes, each shard with its header."""
    dataset = find_dataset("fineweb-edu-10b")
    assert len(dataset.all_files) == 100
    assert dataset.bytes == 100 * 1_024 + 2 * 9_953_989_344
    assert dataset.needed_files[0].name == "finewebedu_val_000000.bin"


def test_every_address_is_https_and_every_checksum_known_but_for_one_dataset() -> None:
    for dataset in DATASETS:
        for file in dataset.all_files:
            assert all(url.startswith("https://") for url in file.urls)
            assert file.sha256 is not None or dataset.id == "fineweb-edu-10b", file.name


def test_nothing_was_tried_without_a_date() -> None:
    """An address that nobody has asked is never called checked."""
    assert {dataset.origin.checked for dataset in DATASETS} == {None}


def test_sentences_are_whole() -> None:
    for dataset in DATASETS:
        texts = [dataset.summary, dataset.origin.facts, dataset.licence.note]
        for text in filter(None, texts):
            assert text[0].isupper()
            assert text.endswith(".")
            assert "  " not in text


def test_lines_fit() -> None:
    for path in (builtin_pack().root / "curriculum" / "datasets").glob("*.yaml"):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert len(line) <= 120 or "https://" in line, (path.name, line)


def test_an_unknown_name_has_a_near_miss() -> None:
    with pytest.raises(ContentError, match='did you mean "hellaswag"'):
        find_dataset("helaswag")
    for name in ("../problems", "", "a/b", "hellaswag.yaml", "überall"):
        with pytest.raises(ContentError, match="there is no dataset"):
            find_dataset(name)


def test_a_pack_brings_its_own(make_dataset: MakeDataset) -> None:
    make_dataset("words", {"words.txt": b"some words"})
    assert "words" in dataset_names()
    assert find_dataset("hellaswag").id == "hellaswag"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": "others"}, 'id is "others" but the file is called words.yaml'),
        ({"files": []}, "at least one file"),
        ({"kind": "folder", "enough": 3}, "there are only 1 files"),
        ({"licences": 1}, 'unknown key "licences"'),
        ({"shape": {"kind": "plain-text"}}, "minimum_bytes"),
        ({"shape": {"kind": "plain"}}, "shape"),
        ({"files": [{"name": "../evil", "urls": ["https://x.org/a"], "bytes": 1}]}, "name"),
        ({"files": [{"name": ".hidden", "urls": ["https://x.org/a"], "bytes": 1}]}, "name"),
        ({"files": [{"name": "/etc/passwd", "urls": ["https://x.org/a"], "bytes": 1}]}, "name"),
        ({"files": [{"name": "a", "urls": ["file:///etc/passwd"], "bytes": 1}]}, "urls"),
        ({"files": [{"name": "a", "urls": ["http://x.org/a"], "bytes": 1}]}, "is not https, so a sha256 is needed"),
        ({"files": [{"name": "a", "urls": ["https://x.org/a"], "bytes": 0}]}, "bytes"),
        ({"files": [{"name": "a", "urls": ["https://x.org/a"], "bytes": 1, "sha256": "ABC"}]}, "sha256"),
        ({"files": [{"name": n, "urls": ["https://x.org/a"], "bytes": 1} for n in "aab"]}, "same name"),
        ({"files": [{"name": n, "urls": ["https://x.org/a"], "bytes": 1} for n in "ab"]}, "kind is file"),
    ],
)
def test_what_a_dataset_may_not_state(make_dataset: MakeDataset, change: dict[str, Any], words: str) -> None:
    with pytest.raises(ContentError) as caught:
        make_dataset("words", {"words.txt": b"some words"}, **change)
    assert words in str(caught.value)
    assert "words.yaml" in str(caught.value)


def test_the_wheel_takes_them_along() -> None:
    """They lie in the curriculum, which the wheel takes as a whole."""
    pyproject = Path(__file__).parents[2] / "pyproject.toml"
    assert '"curriculum" = "deepfield_cli/_pack/curriculum"' in pyproject.read_text(encoding="utf-8")
