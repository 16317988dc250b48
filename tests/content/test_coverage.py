"""The index of facts is whole, each item lives somewhere, and ``docs/coverage.md`` says so."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from deepfield_cli.content.coverage import DOCUMENT, document, load_coverage, main
from deepfield_cli.content.roadmap import Roadmap
from deepfield_cli.errors import ContentError

# counted once in the list of facts that the roadmap was made from
FACTS = {
    "stage": 6, "concept": 112, "read": 31, "watch": 17, "problem": 28, "problem-reading": 104, "target": 36,
    "resource": 149, "project": 5, "arena": 9, "blog": 7, "newsletter": 4, "person": 14, "community": 7,
    "competition": 5, "conference": 9, "sequel-step": 20, "frontier": 8, "signal": 10, "inconsistency": 29,
    "overlap": 10,
}  # fmt: skip
COLLECTIONS = {
    "stage": "stages", "problem": "problems", "project": "projects", "arena": "arena", "person": "people",
    "frontier": "frontier", "signal": "signals", "inconsistency": "corrections",
}  # fmt: skip


def test_nothing_is_missing(pack_root: Path) -> None:
    counted = {kind.kind: len(kind.items) for kind in load_coverage(pack_root).kinds}
    assert counted == FACTS


def test_the_document_is_up_to_date(pack_root: Path) -> None:
    assert (pack_root / DOCUMENT).read_text(encoding="utf-8") == document(pack_root)


def test_the_command_says_whether_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0
    assert "coverage.md is up to date" in capsys.readouterr().out


def test_every_item_has_a_row(pack_root: Path) -> None:
    text = document(pack_root)
    for kind in load_coverage(pack_root).kinds:
        for item, references in kind.items.items():
            assert f"| {item} | `{references[0]}`" in text


@pytest.mark.parametrize(("kind", "collection"), COLLECTIONS.items())
def test_the_index_names_the_whole_collection(pack_root: Path, roadmap: Roadmap, kind: str, collection: str) -> None:
    """What was made from the facts one to one has nothing left over on either side."""
    covered = next(entry for entry in load_coverage(pack_root).kinds if entry.kind == kind)
    assert {reference for references in covered.items.values() for reference in references} == set(
        getattr(roadmap, collection)
    )


def test_every_concept_is_indexed_under_its_own_name(pack_root: Path, roadmap: Roadmap) -> None:
    concepts = next(entry for entry in load_coverage(pack_root).kinds if entry.kind == "concept")
    assert {name: (identifier,) for name, identifier in roadmap.concept_ids.items()} == concepts.items


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("stage-1-llm: [llm]", "stage-1-llm: [lllm]", 'nothing is called "lllm"'),
        ("llm/gpt2#val_loss_finewebedu", "llm/gpt2#val_loss", 'problem "llm/gpt2" has no target "val_loss"'),
        ("llm>annotated-transformer", "llm>minbpe", '"llm" does not list "minbpe"'),
        ("llm/bpe>minbpe", "llm/attention>minbpe", '"llm/attention" does not list "minbpe"'),
    ],
)
def test_an_item_that_lives_nowhere_is_refused(broken_pack: Path, good: str, bad: str, said: str) -> None:
    path = broken_pack / "curriculum" / "coverage.yaml"
    text = path.read_text(encoding="utf-8")
    assert good in text
    path.write_text(text.replace(good, bad, 1), encoding="utf-8")
    with pytest.raises(ContentError) as caught:
        document(broken_pack)
    assert said in str(caught.value)


def test_an_out_of_date_document_is_noticed(
    broken_pack: Path, pack_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deepfield_cli.content import coverage
    from deepfield_cli.content.packs import Pack

    monkeypatch.setattr(coverage, "builtin_pack", lambda: Pack("copy", broken_pack))
    assert main(["--check"]) == 1, "there is no document yet"
    shutil.copytree(pack_root / "docs", broken_pack / "docs")
    assert main(["--check"]) == 0
    (broken_pack / DOCUMENT).write_text("old", encoding="utf-8")
    assert main(["--check"]) == 1
    assert main([]) == 0
    assert main(["--check"]) == 0
