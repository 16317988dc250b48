"""The laptop and paper rungs of llm/gpt2 on stand-ins of the same form: a few steps, a small checkpoint, own items."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepfield_cli.content.packs import find_location
from deepfield_cli.datasets.encoder import MergesEncoder
from deepfield_cli.errors import CheckFailed, ContentError
from deepfield_cli.grading import Submission
from deepfield_cli.grading.long_run import LongRun
from graders.kit.sources import draw_echo
from graders.llm.gpt2 import learning, oracle, published
from graders.llm.gpt2.published import Material, Measurement
from graders.llm.gpt2.stream import shard_bytes
from tests.problems.conftest import Desk

LOCATION = find_location("llm/gpt2")
SHIPPED = LOCATION.solutions()[0]
# Own sentences in HellaSwag's form.
BEGINNINGS = (
    "A man opens the door of an oven. He",
    "Two girls stand on a frozen lake. They",
    "How to sharpen a knife. You",
)
ENDINGS = (
    "takes out a loaf of bread.",
    "sings.",
    "puts on skates and glides away over the ice",
    "flies to the moon twice",
)


@pytest.fixture(scope="module")
def merges(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "vocab.bpe"
    path.write_text("#version: 0.2\nĠ t\no v\nov e\ni n\nĠ s\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    lines = [
        {"ctx": BEGINNINGS[number % 3], "endings": [ENDINGS[one] for one in rng.permutation(4)], "label": number % 4}
        for number in range(24)
    ]
    path = tmp_path_factory.mktemp("data") / "hellaswag_val.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards")
    tokens = np.random.default_rng(1).integers(0, 262, 2_000)
    (folder / "finewebedu_val_000000.bin").write_bytes(shard_bytes(tokens))
    (folder / "finewebedu_train_000001.bin").write_bytes(shard_bytes(tokens[::-1]))
    return folder


# ---- paper -----------------------------------------------------------------------------------------------------------


def test_validation_rows_are_the_first_tokens_of_the_validation_shard(shards: Path) -> None:
    tokens = np.random.default_rng(1).integers(0, 262, 2_000)
    rows = published.validation_rows(shards, 3, 100)
    assert rows.shape == (3, 101)
    assert np.array_equal(rows[1], tokens[100:201])
    with pytest.raises(ContentError, match="2,000 tokens where 2,001 are needed"):
        published.validation_rows(shards, 20, 100)


def test_questions_are_tokenized_with_a_space_before_each_ending(items: Path, merges: Path) -> None:
    encoder = MergesEncoder(merges)
    questions = published.read_questions(items, encoder)
    first = json.loads(items.read_text(encoding="utf-8").splitlines()[0])
    assert len(questions) == 24
    assert questions[0].context == encoder.encode([first["ctx"]])[0]
    assert questions[0].endings == encoder.encode([" " + ending for ending in first["endings"]])
    assert questions[5].label == 1


def test_fewer_items_than_hellaswag_has_are_refused(items: Path, merges: Path, shards: Path) -> None:
    with pytest.raises(ContentError, match="24 items"):
        published.read({"hellaswag": items, "gpt2-merges": merges, "fineweb-edu-10b": shards, "checkpoint": shards})


def material(checkpoint: str, items: Path, merges: Path, shards: Path) -> Material:
    return Material(
        checkpoint, published.validation_rows(shards, 4, 48), published.read_questions(items, MergesEncoder(merges))
    )


def checkpoint_of(submission: Submission, shards: Path) -> str:
    """A small model, trained for two steps by the submission itself."""
    content = (shards / "finewebedu_train_000001.bin").read_bytes()
    path = submission.write_file("tokens/finewebedu_train_000001.bin", content)
    sizes = {"vocab_size": 262, "block_size": 128, "n_layer": 2, "n_head": 2, "n_embd": 16}
    config = submission.call("GPTConfig", **sizes, opaque=True)
    folder = f"{submission.scratch}/checkpoint"
    settings: dict[str, Any] = {
        "batch_size": 2,
        "seq_len": 32,
        "accumulation": 1,
        "max_lr": 0.01,
        "min_lr": 0.001,
        "warmup_steps": 1,
        "weight_decay": 0.1,
        "betas": (0.9, 0.95),
        "max_norm": 1.0,
        "checkpoint_every": 1,
    }
    submission.call("train", str(Path(path).parent), folder, config, 3, 2, opaque=True, **settings)
    return folder


def test_the_paper_rung_measures_a_stand_in_from_end_to_end(
    desk: Desk, items: Path, merges: Path, shards: Path, tmp_path: Path
) -> None:
    run = LongRun("published_numbers", tmp_path)
    with desk.submission(LOCATION, SHIPPED, "paper") as submission:
        given = material(checkpoint_of(submission, shards), items, merges, shards)
        found = published.measure(submission, np.random.default_rng(2), given, run)
        own = own_numbers(submission, given)
    assert found.validation_loss == pytest.approx(own[0], abs=1e-4)
    assert found.accuracy == own[1]
    assert (found.questions, found.tokens) == (24, 4 * 48)
    assert any(name.startswith("val_loss@") for name in run.metrics())


def own_numbers(submission: Submission, given: Material) -> tuple[float, float]:
    """The same two numbers the plain way: raw logits row by row, and the learner's own choose_ending."""
    model = submission.call("load_model", given.checkpoint, opaque=True)
    paid = [
        oracle.losses(published._raw_logits(model, row[:-1].tolist())[None], row[None, 1:]).mean()
        for row in given.validation
    ]
    chosen = [submission.call("choose_ending", model, one.context, one.endings) for one in given.questions]
    right = [one.label == pick for one, pick in zip(given.questions, chosen, strict=True)]
    return float(np.mean(paid)), float(np.mean(right))


GOOD = Measurement(3.05, 0.303, 0.29, 10_042, 1_310_720, 124_439_808)


def test_a_replica_passes_and_so_do_the_published_numbers_themselves() -> None:
    metrics = published.judge(GOOD)
    assert metrics["val_loss_finewebedu"] == 3.05
    assert metrics["hellaswag_completion"] == 0.303
    assert metrics["hellaswag_standard_error"] == pytest.approx(0.0046, abs=1e-4)
    published.judge(replace(GOOD, validation_loss=3.2924, accuracy=0.2955))


@pytest.mark.parametrize(
    "worse", [{"validation_loss": 3.3969}, {"accuracy": 0.2699}, {"parameters": 1_557_611_200}, {"parameters": 10_000}]
)
def test_a_failed_replica_and_another_size_do_not_pass(worse: dict[str, Any]) -> None:
    with pytest.raises(CheckFailed):
        published.judge(replace(GOOD, **worse))


# ---- laptop ----------------------------------------------------------------------------------------------------------


def test_the_laptop_rung_runs_from_end_to_end_and_an_untrained_model_does_not_pass(desk: Desk) -> None:
    rng = np.random.default_rng(3)
    source = draw_echo(rng)
    with desk.submission(LOCATION, SHIPPED, "laptop") as submission:
        run = LongRun("reaches_the_floor", Path(submission.scratch))
        folder = f"{run.folder}/model"
        learning.train(submission, source, learning.lesson(source, steps=3, batch_size=2), rng, folder, run)
        submission.restart()
        model = submission.call("load_model", folder, opaque=True)
        held_out = source.sample(rng, 21)
        found = learning.measure(model, source, held_out)
        learning._expect_causal(model, held_out[:1])
    # three steps teach nothing: the logits are nearly even
    assert found.loss == pytest.approx(np.log(source.vocab_size), abs=0.3)
    assert found.excess == pytest.approx(found.loss - source.entropy_rate(), abs=1e-12)
    assert [name for name in run.metrics() if name.startswith("loss@")] == ["loss@1", "loss@2", "loss@3"]
    with pytest.raises(CheckFailed, match="no better than an n-gram"):
        learning._judged(found, source)


def test_a_loss_near_the_floor_passes_and_one_a_little_above_does_not() -> None:
    source = draw_echo(np.random.default_rng(4))
    floor = source.entropy_rate()
    metrics = learning._judged(learning.Measured(floor + 0.04, 0.04, 0.001), source)
    assert metrics["entropy_floor"] == floor < metrics["best_ngram"]
    with pytest.raises(CheckFailed, match="above the floor"):
        learning._judged(learning.Measured(floor + 0.08, 0.08, 0.001), source)
