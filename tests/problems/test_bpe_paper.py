"""The paper rung of llm/bpe on stand-ins: a small merges file of the published format, and a small corpus."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from deepfield_cli.content.packs import find_location
from deepfield_cli.errors import CheckFailed, ContentError, DeepfieldError
from deepfield_cli.grading.grade import GradeRequest, grade
from graders.llm.bpe import oracle, published, suite, texts
from tests.problems.conftest import Desk

LOCATION = find_location("llm/bpe")
SOLUTIONS = LOCATION.solutions()
WRONG = LOCATION.grader / "wrong"


@pytest.fixture(scope="module")
def merges_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    merges = oracle.train(texts.book(np.random.default_rng(0), 60_000), 256 + 500)
    lines = [f"{oracle.to_characters(left)} {oracle.to_characters(right)}" for left, right in merges]
    path = tmp_path_factory.mktemp("data") / "vocab.bpe"
    path.write_text("\n".join(["#version: 0.2", *lines]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(1)
    text = texts.book(rng, 60_000) + "<|endoftext|>" + "\n".join(texts.tricky(rng, 8) for _ in range(300))
    path = tmp_path_factory.mktemp("data") / "corpus.txt"
    path.write_bytes(text.encode() + b"\xff\xfe broken \xe2\x82\n")
    return path


@pytest.mark.parametrize("solution", SOLUTIONS, ids=lambda path: path.stem)
def test_solutions_agree_with_tiktoken(desk: Desk, solution: Path, merges_file: Path, corpus: Path) -> None:
    merges = published.read_merges(merges_file.read_text(encoding="utf-8"))
    with desk.submission(LOCATION, solution, "paper") as submission:
        metrics = suite.compare_with_tiktoken(submission, merges, corpus)
    assert metrics["vocab_size"] == 256 + 500 + 1
    assert metrics["lines"] > 300
    assert metrics["megabytes"] == pytest.approx(corpus.stat().st_size / 1e6, rel=0.01)


@pytest.mark.parametrize("name", ["no_blank_lookahead", "no_contractions"])
def test_wrong_boundaries_are_found_and_named(desk: Desk, name: str, merges_file: Path, corpus: Path) -> None:
    merges = published.read_merges(merges_file.read_text(encoding="utf-8"))
    with desk.submission(LOCATION, WRONG / f"{name}.py", "paper") as submission, pytest.raises(CheckFailed) as caught:
        suite.compare_with_tiktoken(submission, merges, corpus)
    assert caught.value.diagnosis == name.replace("_", "-")


def test_the_merges_file_is_read_as_published(merges_file: Path) -> None:
    merges = published.read_merges(merges_file.read_text(encoding="utf-8"))
    assert len(merges) == 500
    assert published.read_merges("#version: 0.2\nĠ t\nĠt he\n") == [(b" ", b"t"), (b" t", b"he")]


def test_batches_hold_every_character_of_the_corpus(corpus: Path) -> None:
    whole = "".join(line for batch in published.batches(corpus) for line in batch)
    assert whole == corpus.read_bytes().decode("utf-8", "replace")


def test_other_merges_than_the_published_are_refused(merges_file: Path) -> None:
    with pytest.raises(ContentError, match="not the published vocab"):
        published.gpt2_merges(merges_file)


def test_tiktoken_expects_the_same_file() -> None:
    specification = importlib.util.find_spec("tiktoken_ext.openai_public")
    assert specification is not None
    assert specification.origin is not None
    assert published._GPT2_MERGES_SHA256 in Path(specification.origin).read_text(encoding="utf-8")


def request(data: dict[str, Path]) -> GradeRequest:
    return GradeRequest(location=LOCATION, source=SOLUTIONS[0], rung="paper", data=data)


def test_the_rung_says_what_is_missing(desk: Desk, merges_file: Path, corpus: Path) -> None:
    with pytest.raises(DeepfieldError, match="needs the 50,000 merges of GPT-2"):
        grade(request({}), desk.pool)
    with pytest.raises(DeepfieldError, match="needs a UTF-8 text of at least 100 MB"):
        grade(request({"gpt2-merges": merges_file}), desk.pool)
    with pytest.raises(DeepfieldError, match="smaller than 100 MB"):
        grade(request({"gpt2-merges": merges_file, "corpus": corpus}), desk.pool)


def test_a_stand_in_never_passes_the_rung(desk: Desk, merges_file: Path, tmp_path: Path) -> None:
    large = tmp_path / "large.txt"
    with large.open("wb") as file:
        file.truncate(101_000_000)
    result = grade(request({"gpt2-merges": merges_file, "corpus": large}), desk.pool).result
    assert not result.solved
    assert result.score is None
