"""The GPU rung without a GPU: the measurement on the stand-in, its cheats, and the verdicts on made-up times."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepfield_cli.errors import CheckFailed
from deepfield_cli.grading.long_run import LongRun
from graders.kit.intervals import Interval
from graders.mlsys.kernelbench import speed, suite, tasks
from graders.mlsys.kernelbench.speed import Measured, Pair, Peaks, Plan
from tests.problems.mlsys_kernelbench.conftest import SOLUTIONS, Open, files_of, laid_over, small, task_source

STAND_IN = Plan(
    "cpu",
    trials=2,
    rounds=2,
    repetitions=2,
    warm_ups=1,
    places=512,
    copy_bytes=1 << 12,
    product_size=16,
    roofs=False,
)


def measured(opened: Open, entry: str, task: str, plan: Plan = STAND_IN, **more: Any) -> Measured:
    """One task of the stand-in with this entry laid over a solution; the solution is the reference's company."""
    submission, reference = opened(laid_over(entry)), opened(files_of(SOLUTIONS[0]))
    pair = Pair(submission, reference, plan, own=True, **more)
    return pair.measure(task, small(task_source(task)), np.random.default_rng(1))


# ---- the solutions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("solution", SOLUTIONS, ids=lambda path: path.stem)
def test_solutions_are_right_and_timed_on_the_stand_in(solution: Path, opened: Open) -> None:
    submission, reference = opened(files_of(solution)), opened(files_of(SOLUTIONS[0]))
    found = []
    for number, task in enumerate(tasks.OUTPUTS):
        pair = Pair(submission, reference, STAND_IN, own=True)
        found.append(pair.measure(task, small(task_source(task)), np.random.default_rng(number)))
    assert [one.fault for one in found] == [""] * 16
    assert all(one.ratio is not None and one.ratio.low <= one.ratio.median <= one.ratio.high for one in found)
    assert all(one.milliseconds > 0 < one.reference_milliseconds for one in found)
    figures = speed.metrics(found)
    assert set(figures) == {f"speed_up_{task}" for task in tasks.OUTPUTS} | {f"fast_p@{p:g}" for p in speed.THRESHOLDS}
    assert len(speed.table(found).splitlines()) == 16


def test_the_check_itself_runs_with_a_checkout(opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of `speed_ups` but the device, on three of our tasks and on two of a checkout, one of them not attempted."""
    names = ["softplus_gate", "cross_entropy", "max_over_middle"]
    own, checkout = tmp_path / "tasks", tmp_path / "checkout" / "KernelBench" / "level1"
    own.mkdir()
    checkout.mkdir(parents=True)
    for name in names:
        (own / f"{name}.py").write_text(small(task_source(name)), encoding="utf-8")
    (checkout / "10_LayerNorm.py").write_text(small(task_source("layer_norm")), encoding="utf-8")
    (checkout / "2_Variance.py").write_text(small(task_source("row_variance")), encoding="utf-8")
    monkeypatch.setattr(suite, "sources", lambda: own)
    monkeypatch.setattr(suite, "PASS_MARK", 0.0)  # an interpreter is no GPU
    files = files_of(SOLUTIONS[1])
    layer_norm = files["solutions/layer_norm.py"]
    submission = opened({**files, "solutions/level1/__init__.py": b"", "solutions/level1/10_LayerNorm.py": layer_norm})
    run = LongRun("speed_ups", tmp_path)
    data = {"kernelbench": tmp_path / "checkout"}
    plan = replace(STAND_IN, roofs=True, copy_bytes=1 << 20, product_size=64)
    found = suite.judge_speed(submission, opened(files_of(SOLUTIONS[0])), np.random.default_rng(5), data, run, plan)
    assert {f"speed_up_{name}" for name in names} < set(found)
    assert found["speed_up_level1_10_LayerNorm"] > 0
    assert found["tasks_level_1"] == 2
    assert 0 <= found["fast_1_level_1_o1"] <= 50
    assert found["tolerance_fp32"] == 1e-4
    assert run.metrics()["speed_up@4"] == found["speed_up_level1_10_LayerNorm"]


def test_a_task_that_is_wrong_fails_the_check_with_its_reason(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "softplus_gate.py").write_text(small(task_source("softplus_gate")), encoding="utf-8")
    monkeypatch.setattr(suite, "sources", lambda: tmp_path)
    wrong = (SOLUTIONS[0].parents[1] / "wrong" / "softplus_not_divided.py").read_text(encoding="utf-8")
    submission, reference = opened(laid_over(wrong)), opened(files_of(SOLUTIONS[0]))
    with pytest.raises(CheckFailed) as caught:
        suite.judge_speed(submission, reference, np.random.default_rng(5), {}, LongRun("speed_ups", tmp_path), STAND_IN)
    assert "1 of 1 tasks do not count" in caught.value.rationale
    assert "softplus_gate: output 0 is wrong" in str(caught.value.actual)


# ---- the known cheats ------------------------------------------------------------------------------------------------

HONEST = """
import importlib
import time
import threading

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def variance(x_ptr, y_ptr, width, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    columns = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * width + columns, mask=columns < width, other=0.0)
    distance = tl.where(columns < width, x - tl.sum(x) / width, 0.0)
    tl.store(y_ptr + row, tl.sum(distance * distance) / width)


@triton.jit
def nothing(x_ptr):
    pass


def honest(x):
    y = x.new_empty(x.shape[0])
    variance[(x.shape[0],)](x, y, x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]))
    return y


class ModelNew(nn.Module):
    calls = 0
    kept = {}

    def forward(self, x):
        ModelNew.calls += 1
        BODY


def model_new(task):
    return ModelNew if task == "row_variance" else importlib.import_module(f"solutions.{task}").ModelNew
"""


def cheat(body: str) -> str:
    return HONEST.replace("BODY", "\n        ".join(body.strip().splitlines()))


def test_the_honest_one_that_the_cheats_are_made_of_counts(opened: Open) -> None:
    assert measured(opened, cheat("return honest(x)"), "row_variance").fault == ""


CHEATS = {
    # the answer of the reference may lie in memory that was freed: here there is none, and what there is is not it
    "freed memory": ("nothing[(1,)](x)\nreturn torch.empty(x.shape[0])", "is wrong"),
    "cached by pointer": (
        "key = x.data_ptr()\nself.kept[key] = self.kept[key] if key in self.kept else honest(x)\nreturn self.kept[key]",
        "is wrong|output 0",
    ),
    "cached by shape": ("self.kept.setdefault(x.shape, honest(x))\nreturn self.kept[x.shape]", "is wrong"),
    "mutates its input": ("y = honest(x)\nx.mul_(1.5)\nreturn y", "changed one of its inputs"),
    "mutates its input when timed": (
        "y = honest(x)\nif self.calls > 5:\n    x.view(-1)[0] += 1\nreturn y",
        "changed its inputs",
    ),
    "inherits the reference": ("return x.var(dim=-1, unbiased=False)", "launched no kernel"),
    "falls back in except": (
        "try:\n    variance[(1,)](x)\nexcept Exception:\n    return x.var(dim=-1, unbiased=False)",
        "torch computes inside forward",
    ),
    "empty kernel beside torch": ("nothing[(1,)](x)\nreturn x.var(dim=-1, unbiased=False)", "torch computes"),
    "constant output": ("nothing[(1,)](x)\nreturn x.new_ones(x.shape[0])", "is wrong"),
    "zeros": ("nothing[(1,)](x)\nreturn x.new_zeros(x.shape[0])", "is wrong"),
    "right only until it is timed": (
        "return honest(x) if self.calls < 6 else torch.zeros(x.shape[0])",
        "in the timed loop",
    ),
    "lower precision": ("y = honest(x.to(torch.bfloat16).float())\nreturn y", "is wrong|less precise|torch computes"),
    "a thread that works later": (
        "y = x.new_empty(x.shape[0])\n"
        "threading.Timer(0.05, lambda: variance[(x.shape[0],)](x, y, x.shape[1], BLOCK=64)).start()\nreturn y",
        "is wrong|threads|launched no kernel",
    ),
    "lazy tensor": (
        "y = honest(x)\nlater = torch.Tensor._make_subclass(type('Later', (torch.Tensor,), {}), y)\nreturn later",
        "returned a Later",
    ),
    "another dtype": ("return honest(x).double()", "another shape or dtype"),
    "another shape": ("return honest(x)[:, None]", "another shape or dtype"),
    "a list": ("return [honest(x), x]", "returned 2 outputs"),
}


@pytest.mark.parametrize("name", CHEATS)
def test_known_cheats_do_not_count(name: str, opened: Open) -> None:
    body, words = CHEATS[name]
    found = measured(opened, cheat(body), "row_variance")
    assert found.counted == 0.0
    assert any(word in found.fault for word in words.split("|")), found.fault


def test_a_timer_that_was_changed_is_not_asked(opened: Open) -> None:
    """The clock took hold of the time before the submission was loaded."""
    entry = cheat("return honest(x)") + "\n\ntime.perf_counter = time.monotonic = time.time = lambda: 0.0\n"
    found = measured(opened, entry, "row_variance")
    assert found.fault == ""
    assert found.milliseconds > 0


def test_a_clock_that_was_found_and_stopped_gives_a_fault(opened: Open) -> None:
    stop = "sys.modules['deepfield_probe']._CLOCKS['cpu'].now = lambda: 0.0"
    found = measured(opened, cheat("return honest(x)") + f"\n\nimport sys\n\n{stop}\n", "row_variance")
    assert "the clock was changed" in found.fault


def test_the_reference_is_not_in_the_submissions_process(opened: Open) -> None:
    entry = cheat(
        "import gc, sys\n"
        "seen = [one for one in gc.get_objects() if isinstance(one, type) and one.__name__ == 'Model']\n"
        "named = [name for name, one in list(sys.modules.items()) if hasattr(one, 'Model') and 'task' in name]\n"
        "if seen or named:\n    raise RuntimeError('found the reference')\n"
        "return honest(x)"
    )
    assert measured(opened, entry, "row_variance").fault == ""


def test_a_speed_above_the_roofs_is_a_fault_and_no_record(opened: Open) -> None:
    slow = Peaks(bytes_per_second=1.0, operations_per_second=1.0)
    found = measured(opened, cheat("return honest(x)"), "row_variance", peaks=slow)
    assert "faster than this device can" in found.fault
    assert found.counted == 0.0
    found = measured(opened, cheat("return honest(x)"), "row_variance", peaks=replace(slow, bytes_per_second=1e30))
    assert found.fault == ""
    operations = {"row_variance": 1e30}
    found = measured(
        opened,
        cheat("return honest(x)"),
        "row_variance",
        peaks=replace(slow, bytes_per_second=1e30),
        operations=operations,
    )
    assert "a fault of the measurement" in found.fault


# ---- verdicts on made-up figures -------------------------------------------------------------------------------------


def made_up(task: str, times: float, fault: str = "") -> Measured:
    return Measured(task, fault, Interval(times, times, times), 1.0, times)


def test_fast_p_counts_right_tasks_that_are_strictly_faster() -> None:
    found = [made_up("a", 0.5), made_up("b", 1.0), made_up("c", 1.01), made_up("d", 4.0), made_up("e", 9.0, "wrong")]
    assert speed.fast_p(found, 1.0) == 2 / 5
    assert speed.fast_p(found, 0.5) == 3 / 5
    assert speed.fast_p(found, 4.0) == 0.0
    assert speed.fast_p(found, 1.0, tasks=100) == 2 / 100
    curve = [value for name, value in speed.metrics(found).items() if name.startswith("fast_p@")]
    assert curve == sorted(curve, reverse=True)
    assert speed.table(found).splitlines()[0] == "e: wrong"


def test_half_of_the_tasks_must_be_faster() -> None:
    half = [made_up(str(number), 1.2 if number < 8 else 0.9) for number in range(16)]
    suite._expect_speed(half)
    with pytest.raises(CheckFailed, match="44 % of the tasks are faster"):
        suite._expect_speed([made_up("0", 0.99), *half[1:]])
    with pytest.raises(CheckFailed, match="1 of 16 tasks do not count"):
        suite._expect_speed([made_up("0", 9.0, "wrong"), *half[1:]])


def test_tasks_of_a_level_that_were_not_attempted_are_not_faster() -> None:
    names = [f"level1/{number}_Task" for number in range(100)] + [f"level2/{number}_Task" for number in range(100)]
    found = speed.public_metrics([made_up("level1/3_Task", 2.0), made_up("level2/3_Task", 0.4)], names)
    assert (found["fast_1_level_1_o1"], found["fast_1_level_2_o1"]) == (1.0, 0.0)
    assert found["tasks_level_1"] == found["tasks_level_2"] == 100
    assert speed.public_metrics([], []) == {}


def test_nan_and_infinity_are_compared_like_numbers() -> None:
    one = np.array([1.0, np.nan, np.inf, -np.inf, np.nan])
    other = np.array([1.0, np.nan, np.inf, np.inf, 0.0])
    assert speed._distance(one, other).tolist() == [0.0, 0.0, 0.0, math.inf, math.inf]


@pytest.mark.parametrize(
    "told",
    [
        None,
        {},
        {"outputs": None},
        {"outputs": [None]},
        {"outputs": [{"kind": "Tensor"}]},
        {"outputs": [{"kind": "Tensor", "shape": [None], "values": 3}]},
    ],
)
def test_what_cannot_be_read_is_a_failure_and_no_fault_of_the_grader(told: Any) -> None:
    with pytest.raises(CheckFailed):
        speed._outputs(told)


@pytest.mark.parametrize("seconds", [[], [0.0, 1.0], [float("nan"), 1.0], [-1.0, 1.0], [True, 1.0], [1.0], None])
def test_times_that_cannot_be_are_refused(seconds: Any) -> None:
    with pytest.raises(CheckFailed):
        speed._seconds({"seconds": {"model": seconds}}, 2)
