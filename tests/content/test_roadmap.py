"""The roadmap loads, is complete, answers to ids and aliases, and survives a trip through JSON."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from deepfield_cli.content.packs import builtin_pack
from deepfield_cli.content.resource import FIELDS, SHELVES
from deepfield_cli.content.roadmap import Roadmap
from deepfield_cli.content.roadmap_loader import availability, load_roadmap
from deepfield_cli.errors import ContentError

STAGES = ["llm", "vision", "rl", "recsys", "mlsys", "summit"]
ORDER = {
    "llm": ["attention", "bpe", "gpt2", "speculative", "flash-attention"],
    "vision": ["resnet", "ddpm", "vit", "clip", "dreambooth-lora"],
    "rl": ["sutton-barto", "dqn", "ppo", "dpo", "offline"],
    "recsys": ["mf", "two-tower", "dlrm", "sasrec", "ope"],
    "mlsys": ["softmax-matmul", "flash-attention", "kernelbench", "quantization", "fsdp"],
    "summit": ["reproduction", "merged-pr", "blog"],
}


def test_six_stages_with_their_weeks(roadmap: Roadmap) -> None:
    weeks = {stage.id: (stage.weeks.min, stage.weeks.max) for stage in roadmap.stages.values()}
    expected = [(10, 14), (10, 14), (12, 16), (8, 12), (12, 16), (12, 16)]
    assert weeks == dict(zip(STAGES, expected, strict=True))
    assert list(weeks) == STAGES
    survey = [weeks[field] for field in FIELDS]
    assert (sum(low for low, _ in survey), sum(high for _, high in survey)) == (52, 72), "as the charter says"


def test_every_problem_in_its_order(roadmap: Roadmap) -> None:
    for stage, slugs in ORDER.items():
        assert list(roadmap.stages[stage].problems) == [f"{stage}/{slug}" for slug in slugs]
        assert [problem.slug for problem in roadmap.stage_problems(stage)] == slugs
    assert len(roadmap.problems) == 28


def test_sizes(roadmap: Roadmap) -> None:
    assert [len(stage.concepts) for stage in roadmap.stages.values()] == [25, 19, 25, 19, 18, 6]
    sizes = {kind: len(items) for kind, items in roadmap.collections().items()}
    expected = {"project": 5, "arena": 9, "signal": 10, "person": 14, "sequel": 5, "frontier": 8, "correction": 29}
    assert {kind: sizes[kind] for kind in expected} == expected  # type: ignore[index]
    shelves = {shelf: len(roadmap.shelf(shelf)) for shelf in SHELVES}
    assert shelves == {"blog": 7, "newsletter": 4, "community": 7, "competition": 5, "conference": 9}


def test_gpu_mode_stands_once_for_three_listings(roadmap: Roadmap) -> None:
    """It is community, newsletter and reading: one entry with two shelves, and the other names lead to it."""
    gpu_mode = roadmap.find("gpu-mode-discord").item
    assert gpu_mode is roadmap.find("gpu-mode-digest").item is roadmap.resources["gpu-mode"]
    assert gpu_mode.shelves == ("newsletter", "community")


@pytest.mark.parametrize(
    ("name", "kind", "identifier"),
    [
        ("stage-3-rl", "stage", "rl"),
        ("llm/causal-attention", "problem", "llm/attention"),
        ("mlsys/int4-quant-serving", "problem", "mlsys/quantization"),
        ("kv-cache", "concept", "kv-cache"),
        ("ppo-details-as-model", "resource", "ppo-37-details"),
        ("ahead-of-ai-newsletter", "resource", "ahead-of-ai"),
        ("tri-dao", "person", "tri-dao"),
        ("putnam", "arena", "putnam"),
    ],
)
def test_finds_ids_and_aliases(roadmap: Roadmap, name: str, kind: str, identifier: str) -> None:
    found = roadmap.find(name)
    assert (found.kind, getattr(found.item, "id", None)) == (kind, identifier)


def test_an_unknown_id_names_the_near_miss(roadmap: Roadmap) -> None:
    with pytest.raises(ContentError, match='did you mean "llm/attention"'):
        roadmap.find("llm/atention")


def test_concepts_lead_to_problems_and_resources(roadmap: Roadmap) -> None:
    assert roadmap.concept_ids["self-attention from first principles"] == "self-attention"
    assert [problem.id for problem in roadmap.problems_about("self-attention")] == [
        "llm/attention",
        "llm/flash-attention",
    ]
    assert all(concept.learn for concept in roadmap.concepts.values())


def test_reading_of_a_stage_names_each_resource_once(roadmap: Roadmap) -> None:
    readings = roadmap.resources_of("llm")
    assert len(readings) == len(set(readings))
    assert {"annotated-transformer", "karpathy-lets-build-gpt", "minbpe"} <= set(readings)


def test_json_and_back(roadmap: Roadmap) -> None:
    assert Roadmap.model_validate_json(roadmap.model_dump_json()) == roadmap
    assert Roadmap.model_validate(roadmap.model_dump(mode="json")) == roadmap


def test_frozen(roadmap: Roadmap) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        roadmap.stages["llm"].title = "something else"


def test_availability_is_the_folder_and_nothing_else(tmp_path: Path) -> None:
    assert availability(tmp_path, "llm/bpe") == "planned"
    folder = tmp_path / "problems" / "llm" / "bpe"
    folder.mkdir(parents=True)
    assert availability(tmp_path, "llm/bpe") == "planned", "an empty folder cannot be graded"
    (folder / "problem.yaml").write_text("format_version: 1\n")
    assert availability(tmp_path, "llm/bpe") == "available"
    assert availability(builtin_pack().root, "llm/attention") == "available"


def test_no_curriculum(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="no curriculum"):
        load_roadmap(tmp_path)
