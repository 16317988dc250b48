"""The GPU rung without a GPU: the same code on the stand-in, and its verdicts on what it would have to refuse."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from deepfield_cli.errors import CheckFailed
from tests.problems.conftest import Submit
from tests.problems.mlsys_flash_attention.conftest import SHIPPED, SOLUTIONS, part, wrong

speed = part("speed")
STAND_IN = speed.Plan(
    device="cpu",
    lengths=(16, 32, 48),
    tokens=32,
    heads=2,
    size=16,
    most_scores=2000,
    published=(1, 1, 16, 16),
    repetitions=2,
    bar_from=1 << 20,
)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Smaller sizes than a device gets."""
    monkeypatch.setattr(
        speed,
        "CASES",
        (((1, 2, 20, 16), True, "float16"), ((1, 1, 17, 32), False, "bfloat16"), ((1, 1, 5, 16), True, "float32")),
    )


@pytest.fixture
def unfused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where torch has no fused kernel: the process that measures it is tried with the solutions."""
    monkeypatch.setattr(speed, "fused_seconds", lambda plan, shapes: [{} for _ in shapes])


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_everything_is_measured_and_right_on_the_stand_in(few: None, submitted: Submit, path: Path) -> None:
    with submitted(path) as submission:
        speed.match(submission, "cpu", 1)
        curve = speed.race_lengths(submission, STAND_IN, 2)
        published = speed.published_runtimes(submission, STAND_IN, 3)
        memory = speed.compare_memory(submission, STAND_IN, 4)
    measured = {"speed_up", "milliseconds", "fraction_of_fused"}
    lengths = STAND_IN.lengths
    expected = {f"{what}_{name}_{n}" for what in measured for name in ("forward", "both") for n in lengths}
    assert set(curve) == expected | {"fa2_forward_peak"}
    assert all(math.isfinite(value) and value > 0.0 for value in curve.values())
    assert set(published) == {"runtime_standard", "runtime_flash"}
    assert memory["peak_megabytes_naive_32"] > memory["peak_megabytes_naive_16"]


def test_the_longest_sequences_get_fewer_heads() -> None:
    assert speed.ON_GPU.shape(512) == [32, 8, 512, 64]
    assert speed.ON_GPU.shape(16384) == [1, 4, 16384, 64]
    scores = [math.prod(speed.ON_GPU.shape(length)[:3]) * length for length in speed.ON_GPU.lengths]
    assert max(scores) <= speed.ON_GPU.most_scores


def test_an_interpreter_is_not_faster_than_torch(unfused: None, submitted: Submit) -> None:
    plan = replace(STAND_IN, lengths=(16,), repetitions=7, bar_from=16)
    with submitted(SHIPPED) as submission, pytest.raises(CheckFailed, match="not faster than naive"):
        speed.race_lengths(submission, plan, 5)


@pytest.mark.parametrize("name", ["scale_missing", "delta_forgotten", "dk_without_scale", "lse_base_two"])
def test_wrong_answers_do_not_match_on_the_device(
    submitted: Submit, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(speed, "CASES", (((1, 1, 40, 16), True, "float32"),))
    with submitted(wrong(name)) as submission, pytest.raises(CheckFailed):
        speed.match(submission, "cpu", 1)


@pytest.mark.parametrize("name", ["scale_missing", "delta_forgotten", "dk_without_scale", "gradients_are_zero"])
def test_answers_of_the_race_are_looked_at(unfused: None, submitted: Submit, name: str) -> None:
    plan = replace(STAND_IN, lengths=(48,))
    with submitted(wrong(name)) as submission, pytest.raises(CheckFailed, match="while it was timed"):
        speed.race_lengths(submission, plan, 2)


def test_a_matrix_of_scores_grows_too_fast(submitted: Submit) -> None:
    plan = replace(STAND_IN, lengths=(64, 128, 256), most_scores=1 << 20, heads=1)
    too_fast = pytest.raises(CheckFailed, match="faster than the sequence")
    with submitted(wrong("scores_of_the_backward")) as submission, too_fast:
        speed.compare_memory(submission, plan, 1)


def test_without_the_fused_kernel_there_is_no_fraction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed.sys, "executable", "/nonexistent")
    assert speed.fused_seconds(STAND_IN, [[1, 1, 16, 16]]) == [{}]
