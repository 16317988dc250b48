"""The GPU rung without a GPU: the verdicts on made-up times, and the measurement itself on the stand-in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepfield_cli.errors import CheckFailed
from deepfield_cli.grading import Tensor
from tests.problems.conftest import Desk, Submit
from tests.problems.mlsys_softmax_matmul.conftest import LOCATION, part

speed, suite = map(part, ("speed", "suite"))
STAND_IN = speed.Plan("cpu", (24, 40), (20, 36, 28), copy_bytes=1 << 12, peak_size=32, repetitions=3)
GPU = speed.ON_GPU
SOLUTIONS = sorted((LOCATION.grader / "solutions").glob("*.py"))


@pytest.fixture
def submitted(desk: Desk) -> Submit:
    return lambda source: desk.submission(LOCATION, source)


@pytest.mark.parametrize("source", SOLUTIONS, ids=lambda path: path.stem)
def test_everything_is_measured_and_right_on_the_stand_in(submitted: Submit, source: Path) -> None:
    with submitted(source) as submission:
        softmax = speed.race_softmax(submission, STAND_IN)
        product = speed.race_matmul(submission, STAND_IN)
        peaks = speed.find_peaks(submission, STAND_IN)
    assert set(softmax.seconds) == {"yours", "unfused"}
    assert set(product.seconds) == {"yours", "library"}
    assert all(len(times) == 3 for race in (softmax, product) for times in race.seconds.values())
    assert "stand-in" in softmax.device
    assert peaks.bandwidth > 0.0 < peaks.flops
    with pytest.raises(CheckFailed, match="not fast enough"):  # an interpreter is no GPU
        speed.judge_softmax(softmax, peaks, STAND_IN)
    with pytest.raises(CheckFailed, match="does not reach the rate"):
        speed.judge_matmul(product, STAND_IN)


@pytest.mark.parametrize(
    ("wrong", "race", "words"),
    [
        ("wrong_axis", "race_softmax", "rows of y"),
        ("softmax_in_torch_operators", "race_softmax", "lets torch compute"),
        ("softmax_in_place", "race_softmax", "cannot be trusted"),
        ("list_output", "race_softmax", "."),
        ("b_transposed", "race_matmul", "elements of c"),
        ("copy_kernel_beside_torch", "race_matmul", "lets torch compute"),
    ],
)
def test_wrong_answers_are_not_timed_into_right_ones(submitted: Submit, wrong: str, race: str, words: str) -> None:
    plan = speed.Plan("cpu", (24, 24), (16, 16, 16), copy_bytes=1 << 12, peak_size=16, repetitions=2)
    with submitted(LOCATION.grader / "wrong" / f"{wrong}.py") as submission, pytest.raises(CheckFailed, match=words):
        getattr(speed, race)(submission, plan)


def test_the_statement_is_compared_with_a_second_measurement(submitted: Submit) -> None:
    slow, fast = ({"yours": [seconds] * 5} for seconds in (2e-3, 1e-3))
    first, second = speed.Race("made up", slow), speed.Race("made up", fast)
    rows, columns = GPU.softmax
    peaks = speed.Peaks(bandwidth=8.0 * rows * columns / 0.9e-3, flops=1e15)
    with submitted(SOLUTIONS[0]) as submission:
        told = speed.judge_statement(submission, "softmax", second, second, peaks, GPU)
        assert told == pytest.approx(0.9)
        with pytest.raises(CheckFailed, match="not what was measured"):
            speed.judge_statement(submission, "softmax", first, second, peaks, GPU)
        peaks = speed.Peaks(bandwidth=3e12, flops=2.0 * 4096**3 / 0.7e-3)
        assert speed.judge_statement(submission, "matmul", second, second, peaks, GPU) == pytest.approx(0.7)
    with submitted(LOCATION.grader / "wrong" / "fraction_of_the_peak.py") as submission:
        peaks = speed.Peaks(bandwidth=8.0 * rows * columns / 0.9e-3, flops=1e15)
        with pytest.raises(CheckFailed, match="not what was measured"):
            speed.judge_statement(submission, "softmax", second, second, peaks, GPU)


# ---- verdicts on made-up times ---------------------------------------------------------------------------------------


def race(**seconds: float) -> Any:
    times = {name: [time * jitter for jitter in (0.99, 1.0, 1.01)] for name, time in seconds.items()}
    return speed.Race("made up", times)


def seconds_at(bandwidth: float) -> float:
    rows, columns = GPU.softmax
    return float(8.0 * rows * columns / bandwidth)


PEAKS = speed.Peaks(bandwidth=3e12, flops=7e14)


def test_a_fast_softmax_passes_with_its_figures() -> None:
    yours = seconds_at(0.9 * 3e12)
    metrics = speed.judge_softmax(race(yours=yours, unfused=3.9 * yours), PEAKS, GPU)
    assert metrics["softmax_speed_up"] == pytest.approx(3.9)
    assert metrics["softmax_bandwidth_fraction"] == pytest.approx(0.9)
    assert metrics["copy_gigabytes_per_second"] == pytest.approx(3000.0)


@pytest.mark.parametrize(
    ("fraction", "speed_up", "words"),
    [(0.9, 1.4, "five unfused"), (0.8, 3.0, "as fast as it could"), (1.6, 8.0, "did not do the work")],
)
def test_softmax_verdicts(fraction: float, speed_up: float, words: str) -> None:
    yours = seconds_at(fraction * 3e12)
    with pytest.raises(CheckFailed, match=words):
        speed.judge_softmax(race(yours=yours, unfused=speed_up * yours), PEAKS, GPU)


def test_matmul_verdicts() -> None:
    metrics = speed.judge_matmul(race(yours=1e-3, library=0.7e-3), GPU)
    assert metrics["matmul_fraction"] == pytest.approx(0.7)
    assert metrics["matmul_triton_4096"] == pytest.approx(2 * 4096**3 / 1e-3 / 1e12)
    assert metrics["matmul_library_4096"] == pytest.approx(2 * 4096**3 / 0.7e-3 / 1e12)
    with pytest.raises(CheckFailed, match="does not reach the rate"):
        speed.judge_matmul(race(yours=1e-3, library=0.55e-3), GPU)
    with pytest.raises(CheckFailed, match="did not do the work"):
        speed.judge_matmul(race(yours=1e-3, library=2e-3), GPU)


def test_the_targets_are_those_of_the_verdicts() -> None:
    values = {target.id: target.value for target in LOCATION.load().targets}
    assert values["softmax_speed_up"] == speed.SOFTMAX_SPEED_UP
    assert values["softmax_bandwidth_fraction"] == speed.BANDWIDTH_FRACTION
    assert values["matmul_fraction"] == speed.MATMUL_FRACTION


# ---- the worker's word -----------------------------------------------------------------------------------------------


def answer(**changes: Any) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    calls = [[Tensor(rng.normal(size=(3, 4)).astype(np.float32)) for _ in range(2)] for _ in range(3)]
    whole = {
        "device": "x",
        "seconds": {"yours": [1.0, 2.0], "unfused": [1.0, 2.0]},
        "looked_at": {"yours": calls},
        "notes": [],
        "operators": {"aten::empty": 1},
    }
    return {**whole, **changes}


@pytest.mark.parametrize(
    "changes",
    [
        {"seconds": {"yours": [1.0]}},
        {"seconds": {"yours": [], "unfused": [1.0]}},
        {"seconds": {"yours": [0.0], "unfused": [1.0]}},
        {"seconds": {"yours": [float("nan")], "unfused": [1.0]}},
        {"seconds": {"yours": ["fast"], "unfused": [1.0]}},
        {"seconds": None},
        {"operators": None},
        {"operators": {"aten::mm": 1}},
        {"notes": ["yours changed its inputs"]},
        {"notes": None},
    ],
)
def test_a_strange_record_of_a_race_is_a_failure_and_no_fault(changes: dict[str, Any]) -> None:
    assert speed._read(answer(), ("yours", "unfused"), "softmax").median("yours") == 1.5
    with pytest.raises(CheckFailed):
        speed._read(answer(**changes), ("yours", "unfused"), "softmax")


@pytest.mark.parametrize(
    "looked", [None, {}, {"yours": []}, {"yours": [[1, 2]]}, {"yours": [[Tensor(np.zeros(3))] * 2]}]
)
def test_strange_samples_are_a_failure_and_no_fault(looked: Any) -> None:
    assert len(speed._looked_at(answer(), "yours", 2)) == 3
    with pytest.raises(CheckFailed):
        speed._looked_at(answer(looked_at=looked), "yours", 2)


def test_calls_with_the_same_inputs_are_refused() -> None:
    calls = answer()["looked_at"]["yours"]
    with pytest.raises(CheckFailed, match="same inputs"):
        speed._looked_at(answer(looked_at={"yours": [calls[0], calls[0]]}), "yours", 2)


@pytest.mark.parametrize("wire", [None, [], {}, {"launches": []}, {"launches": [], "loaded": -1}])
def test_a_strange_record_of_traffic_is_a_failure_and_no_fault(wire: Any) -> None:
    with pytest.raises(CheckFailed, match="cannot be read"):
        part("movement").read(wire)


def test_what_torch_may_do_beside_a_kernel() -> None:
    movement = part("movement")
    movement.expect_kernels_alone(("aten::empty", "aten::new_zeros", "aten::t", "aten::fill_", "aten::slice"), "f")
    for name, words in (
        ("mm", "compute"),
        ("_softmax", "compute"),
        ("exp", "compute"),
        ("clone", "copy"),
        ("_to_copy", "copy"),
    ):
        with pytest.raises(CheckFailed, match=words):
            movement.expect_kernels_alone(("aten::empty", f"aten::{name}"), "f")
