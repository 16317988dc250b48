"""Numbers and links keep what is known about them: source, date, and whether they were confirmed."""

from __future__ import annotations

import math
from datetime import date
from itertools import chain

import pytest

from deepfield_cli.content.roadmap import Roadmap
from deepfield_cli.content.roadmap_problem import RoadmapTarget

# From memory or read off a plot: shown, never a bar. A number leaves this list only with a source.
UNVERIFIED_TARGETS = {
    "llm/bpe#gpt2_end_of_text_id", "mlsys/fsdp#fsdp_blog_175b", "recsys/dlrm#kaggle_accuracy",
    "recsys/mf#ials_ml20m_recall20", "recsys/two-tower#sift_hnsw_qps", "rl/dqn#breakout_random",
    "vision/clip#cc3m_rn50", "vision/ddpm#training_iterations", "vision/vit#vit_b16_imagenet_only",
}  # fmt: skip
UNVERIFIED_LINKS = {"aicrowd", "horace-he", "john-schulman", "jure-leskovec", "papers-with-code-sota"}
# the numbers by which the roadmap is judged, as their sources print them
KNOWN = {
    "llm/bpe#gpt2_vocab": 50257, "llm/gpt2#val_loss_finewebedu": 3.2924, "llm/gpt2#hellaswag_completion": 0.2955,
    "vision/ddpm#fid_simple": 3.17, "vision/vit#vit_s16_90_epochs": 76.5, "vision/vit#deit_s": 79.9,
    "vision/dreambooth-lora#dino_sd": 0.668, "rl/dqn#breakout_cleanrl": 366.928, "rl/ppo#hopper": 2382.86,
    "rl/ppo#breakout": 414.66, "rl/offline#hopper_medium_replay_iql": 97.43, "recsys/dlrm#mlperf_dcnv2_auc": 0.80275,
    "recsys/dlrm#mlperf_v1_auc": 0.8025, "mlsys/quantization#opt125m_gptq4": 31.12,
    "mlsys/quantization#llama2_7b_awq4": 5.6,
}  # fmt: skip
COMPUTED = {
    "llm/speculative#expected_tokens_a08_g4": (1 - 0.8**5) / (1 - 0.8),
    "rl/dpo#dpo_initial_loss": math.log(2),
    "rl/sutton-barto#gridworld_optimal_a": 10 / (1 - 0.9**5),
    "llm/bpe#gpt2_merges": 50257 - 256 - 1,
}


@pytest.fixture(scope="session")
def targets(roadmap: Roadmap) -> dict[str, RoadmapTarget]:
    return {f"{problem.id}#{target.id}": target for problem in roadmap.problems.values() for target in problem.targets}


def test_what_is_unverified_is_known_and_never_a_pass_mark(targets: dict[str, RoadmapTarget]) -> None:
    assert {name for name, target in targets.items() if not target.verified} == UNVERIFIED_TARGETS
    assert not any(targets[name].pass_mark for name in UNVERIFIED_TARGETS)


def test_known_numbers(targets: dict[str, RoadmapTarget]) -> None:
    assert {name: targets[name].value for name in KNOWN} == KNOWN
    assert all(targets[name].pass_mark or name.startswith("vision/dreambooth") for name in KNOWN)


@pytest.mark.parametrize(("name", "value"), COMPUTED.items())
def test_computed_numbers_are_computed_right(targets: dict[str, RoadmapTarget], name: str, value: float) -> None:
    assert targets[name].value == pytest.approx(value, rel=1e-5)


def test_a_pass_mark_has_a_source_that_can_be_looked_up(targets: dict[str, RoadmapTarget]) -> None:
    own = ("computed", "the task's own bar")
    for name, target in targets.items():
        if target.pass_mark:
            assert target.url or any(word in target.source for word in own), name


def test_ids_are_unique_within_a_problem(roadmap: Roadmap) -> None:
    for problem in roadmap.problems.values():
        names = [target.id for target in problem.targets]
        assert len(set(names)) == len(names), problem.id


def test_sampled_metrics_are_no_bar(roadmap: Roadmap) -> None:
    """A metric over 100 sampled items cannot be compared with a full ranking."""
    for target in roadmap.problems["recsys/sasrec"].targets:
        if "sampled" in target.id:
            assert not target.pass_mark and "not the bar" in str(target.note)


def test_links_keep_their_flag(roadmap: Roadmap) -> None:
    linked = [*roadmap.resources.values(), *roadmap.people.values()]
    assert {item.id for item in linked if not item.verified} == UNVERIFIED_LINKS
    addresses = list(chain.from_iterable(item.addresses() for item in linked))
    assert all(address.url.startswith(("https://", "http://")) for address in addresses)
    for item in linked:
        assert date(2026, 11, 22) <= item.checked, f"{item.id}: the day on which the link was checked"
        assert len({address.url for address in item.addresses()}) == 1 + len(item.alt_urls), item.id


def test_what_is_gone_names_what_to_use(roadmap: Roadmap) -> None:
    gone = [resource for resource in roadmap.resources.values() if resource.status in ("gone", "deprecated")]
    assert {resource.id for resource in gone} == {"papers-with-code-sota", "nanogpt"}
    assert all(resource.replaced_by for resource in gone)


def test_every_resource_is_used_or_shelved(roadmap: Roadmap) -> None:
    """Nothing is listed that no stage, concept, milestone or shelf leads to."""
    used = {reading.resource for problem in roadmap.problems.values() for reading in problem.resources}
    for stage in roadmap.stages.values():
        used |= {reading.resource for reading in (*stage.read, *stage.watch)}
        used |= {name for concept in stage.concepts for name in concept.learn}
    for items in (roadmap.projects, roadmap.arena, roadmap.signals, roadmap.frontier, roadmap.rabbit_holes):
        used |= {name for item in items.values() for name in item.resources}
    used |= {name for sequel in roadmap.sequels.values() for step in sequel.steps for name in step.resources}
    used |= {resource.replaced_by for resource in roadmap.resources.values() if resource.replaced_by}
    used |= {name for correction in roadmap.corrections.values() for name in correction.settled_in}
    idle = {resource.id for resource in roadmap.resources.values() if not resource.shelves} - used
    assert idle == set()
