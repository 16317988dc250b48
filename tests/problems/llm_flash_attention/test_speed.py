"""The GPU rung without a GPU: the same code on the stand-in, and its verdicts on what it would have to refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deepfield_cli.errors import CheckFailed
from graders.kit import race_record
from tests.problems.conftest import Submit
from tests.problems.llm_flash_attention.conftest import LOCATION, SOLUTIONS, part

speed = part("speed")
STAND_IN = speed.Plan("cpu", (16, 32), 32, 1, 16, (1, 1, 16, 16), repetitions=2, bar_from=1 << 20)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Smaller sizes than a device gets."""
    monkeypatch.setattr(
        speed,
        "CASES",
        (((1, 2, 20, 16), True, "float16"), ((1, 1, 17, 32), False, "bfloat16"), ((1, 1, 5, 16), True, "float32")),
    )


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_everything_is_measured_and_right_on_the_stand_in(few: None, submitted: Submit, path: Path) -> None:
    with submitted(path) as submission:
        speed.match(submission, "cpu", 1)
        curve = speed.race_lengths(submission, STAND_IN, 2)
        rate = speed.measure_throughput(submission, STAND_IN, 3)
        memory = speed.compare_memory(submission, STAND_IN, 4)
    assert {"speed_up_16", "speed_up_32", "milliseconds_16", "milliseconds_32"} == set(curve)
    assert rate["triton_causal_forward_1k"] > 0.0
    assert memory["peak_megabytes_naive_32"] > memory["peak_megabytes_naive_16"]


def test_an_interpreter_is_not_faster_than_torch(submitted: Submit) -> None:
    plan = speed.Plan("cpu", (16, 32), 32, 1, 16, (1, 1, 16, 16), repetitions=7, bar_from=16)
    with submitted(SOLUTIONS[0]) as submission, pytest.raises(CheckFailed, match="not faster than naive"):
        speed.race_lengths(submission, plan, 5)


@pytest.mark.parametrize("wrong", ["accumulator_not_rescaled", "mask_left_to_the_loop", "scale_missing"])
def test_wrong_answers_do_not_match_on_the_device(
    submitted: Submit, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setattr(speed, "CASES", (((1, 1, 150, 16), True, "float32"),))
    with submitted(LOCATION.grader / "wrong" / f"{wrong}.py") as submission, pytest.raises(CheckFailed):
        speed.match(submission, "cpu", 1)


def test_answers_of_the_race_are_looked_at(submitted: Submit) -> None:
    path = LOCATION.grader / "wrong" / "scale_missing.py"
    with submitted(path) as submission, pytest.raises(CheckFailed, match="while it was timed"):
        speed.race_lengths(submission, STAND_IN, 2)


def test_a_matrix_of_scores_grows_too_fast(submitted: Submit) -> None:
    path = LOCATION.grader / "wrong" / "scores_in_memory.py"
    plan = speed.Plan("cpu", (64, 128), 128, 1, 16, (1, 1, 16, 16), repetitions=2, bar_from=1 << 20)
    with submitted(path) as submission, pytest.raises(CheckFailed, match="faster than the sequence"):
        speed.compare_memory(submission, plan, 1)


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        {"device": "x", "seconds": {"yours": []}, "looked_at": {"yours": []}, "notes": []},
        {"device": "x", "seconds": {"yours": [0.0]}, "looked_at": {"yours": []}, "notes": []},
        {"device": "x", "seconds": {"yours": [float("nan")]}, "looked_at": {"yours": []}, "notes": []},
        {"device": "x", "seconds": {"yours": [1.0]}, "looked_at": {"yours": []}, "notes": ["yours changed its inputs"]},
    ],
)
def test_a_record_that_cannot_be_trusted_is_refused(told: Any) -> None:
    with pytest.raises(CheckFailed):
        race_record.read(told, ("yours",))
