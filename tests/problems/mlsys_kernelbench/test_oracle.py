"""The oracle against torch, the task files as they are, the inputs of the checks, and the tolerances."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import yaml

from graders.kit import task_files
from graders.mlsys.kernelbench import cases, misconceptions, oracle, suite, tasks
from tests.problems.mlsys_kernelbench.conftest import LOCATION, task_module, task_source

TASKS = list(tasks.OUTPUTS)
# A mistake that is known by its values is this many tolerances away from the truth in at least one way of drawing.
# The nearest is the GELU by tanh: 2e-4 of the largest element.
SEPARATION = 5.0


def drawn(task: str, seeds: range) -> list[cases.Case]:
    return [cases.draw(task, way, np.random.default_rng(seed)) for way in cases.WAYS for seed in seeds]


def off(one: np.ndarray, other: np.ndarray) -> float:
    """Largest distance, as a share of the largest element; infinite where shapes or infinities differ."""
    if one.shape != other.shape or not np.array_equal(np.isfinite(one), np.isfinite(other)):
        return float("inf")
    finite = np.isfinite(other)
    if not finite.any():
        return 0.0
    return float(np.abs(one[finite] - other[finite]).max() / max(np.abs(other[finite]).max(), 1e-300))


def by_torch(case: cases.Case) -> tuple[np.ndarray, ...]:
    """What the task file's own Model says in float64."""
    import torch

    model = task_module(case.task).Model(*case.init).double()
    model.load_state_dict({name: torch.from_numpy(value) for name, value in case.parameters.items()})
    inputs = [torch.from_numpy(value) for value in case.inputs.values()]
    with torch.no_grad():
        output = model(*(item.double() if item.is_floating_point() else item for item in inputs))
    return tuple(one.numpy() for one in (output if isinstance(output, tuple) else (output,)))


@pytest.mark.parametrize("task", TASKS)
def test_the_oracle_agrees_with_the_task_file(task: str) -> None:
    for case in drawn(task, range(6)):
        answers = by_torch(case)
        assert len(answers) == len(tasks.OUTPUTS[task])
        for (name, dtype), found, expected in zip(tasks.OUTPUTS[task], answers, case.expected(), strict=True):
            assert off(np.asarray(expected, dtype=np.float64), found) < 1e-9, (name, case.way)
            assert (dtype == "int64") == (found.dtype == np.int64)


@pytest.mark.parametrize("task", TASKS)
def test_task_files_have_the_public_format(task: str) -> None:
    import torch

    whole, stripped = (task_files.load(task_source(task), task, with_model=flag) for flag in (True, False))
    assert not hasattr(stripped, "Model")
    with torch.device("meta"):
        model = task_files.model(whole.Model, task_files.init_inputs(stripped, "meta"), 0, "meta")
        inputs = task_files.inputs(stripped, 0, "meta")
        with torch.no_grad():
            output = model(*inputs)
    outputs = output if isinstance(output, tuple) else (output,)
    assert len(outputs) == len(tasks.OUTPUTS[task])
    assert [item.dim() for item in inputs] == [
        array.ndim for array in cases.draw(task, "wide", generator()).inputs.values()
    ]


def test_there_are_ten_single_tasks_and_six_fused_ones() -> None:
    assert sorted(TASKS) == sorted(path.stem for path in tasks.sources().glob("*.py"))
    assert len(TASKS) == 16
    assert len(tasks.FUSED) == 6
    assert TASKS[10:] == list(tasks.FUSED)
    levels = {task: task_source(task).splitlines()[0] for task in TASKS}
    assert all(("Level 2" in line) == (task in tasks.FUSED) for task, line in levels.items())


def test_operations_follow_from_the_task_files() -> None:
    one: Any = task_module("conv2d")
    rows = (one.rows + 2 * one.padding[0] - one.kernel_size[0]) // one.stride[0] + 1
    columns = (one.columns + 2 * one.padding[1] - one.kernel_size[1]) // one.stride[1] + 1
    window = one.kernel_size[0] * one.kernel_size[1]
    found = {"conv2d": 2 * one.batch_size * one.out_channels * rows * columns * one.in_channels * window}
    one = task_module("matmul_at_b")
    found["matmul_at_b"] = 2 * one.m * one.n * one.k
    one = task_module("batched_matmul_bt")
    found["batched_matmul_bt"] = 2 * one.batch_size * one.m * one.n * one.k
    for task, products in (("linear_bias_gelu", 1), ("swiglu", 2), ("linear_logsumexp", 1)):
        one = task_module(task)
        found[task] = 2 * products * one.batch_size * one.in_features * one.out_features
    assert found == tasks.OPERATIONS


# ---- mistakes --------------------------------------------------------------------------------------------------------


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("task", TASKS)
def test_every_mistake_shows(task: str, seed: int) -> None:
    shown = dict.fromkeys((bug.partition("/")[0] for bug in misconceptions.BUGS[task]), 0.0)
    for way in cases.WAYS:
        case = cases.draw(task, way, generator(seed))
        tolerance = suite.LARGE_TOLERANCE if way == "large" else suite.TOLERANCE
        right = case.expected()
        for bug in misconceptions.BUGS[task]:
            answers = case.expected(frozenset({bug}))
            pairs = zip(answers, right, strict=True)
            distance = max(off(np.asarray(one, float), np.asarray(other, float)) for one, other in pairs)
            name = bug.partition("/")[0]
            shown[name] = max(shown[name], distance / tolerance.relative)
    assert min(shown.values()) > SEPARATION, shown


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("task", TASKS)
def test_mistakes_are_told_apart(task: str, seed: int) -> None:
    """No two mistakes with different names give one answer, where it is wrong, in the draw that shows them first."""
    for way in cases.WAYS:
        case = cases.draw(task, way, generator(seed))
        tolerance = (suite.LARGE_TOLERANCE if way == "large" else suite.TOLERANCE).relative
        right = case.expected()[0]
        answers = [(bug.partition("/")[0], case.expected(frozenset({bug}))[0]) for bug in misconceptions.BUGS[task]]
        wrong = [(name, answer) for name, answer in answers if off(answer, right) > tolerance and answer.any()]
        for (first, one), (second, other) in itertools.combinations(wrong, 2):
            # a mistake with padding may pad by so little in a wide row that it is like another small mistake
            assert first == second or way == "wide" or off(one, other) > tolerance, (first, second, way)


def test_mistakes_with_padding_depend_on_how_far_it_goes() -> None:
    case = cases.draw("row_variance", "ordinary", generator())
    answers = {bug: case.expected(frozenset({bug}))[0] for bug in misconceptions.BUGS["row_variance"]}
    assert off(answers["padding-counts/next"], answers["padding-counts/1024"]) > 0.1
    with pytest.raises(KeyError):
        oracle.answer("no_such_task", [], {})


def test_the_worked_example_is_the_one_of_the_brief() -> None:
    brief = (LOCATION.brief).read_text(encoding="utf-8")
    assert np.array_equal(cases.EXAMPLE.expected()[0], cases.EXAMPLE_Y)
    assert np.abs(by_torch(cases.EXAMPLE)[0] - cases.EXAMPLE_Y).max() < 1e-15
    for name, values in (("x", "1  3  5  7"), ("weight", "3  3  3  6"), ("bias", "0  1  0 -1"), ("y", "-3  0  1  5")):
        line = next(line for line in brief.splitlines() if line.strip().startswith(f"{name} "))
        assert " ".join(line.split()[1 : 1 + 4]) == " ".join(values.split()), name


def test_the_brief_names_every_check_and_every_task() -> None:
    brief = (LOCATION.brief).read_text(encoding="utf-8")
    assert all(f"`{check.name}`" in brief for check in suite.suite.checks)
    assert all(f"`{task}`" in brief for task in TASKS)


def test_every_mistake_has_words_and_a_wrong_submission() -> None:
    described = set(yaml.safe_load((LOCATION.yaml).read_text(encoding="utf-8"))["misconceptions"])
    assert described >= misconceptions.NAMES
    first_lines = [
        path.read_text(encoding="utf-8").splitlines()[0] for path in (LOCATION.grader / "wrong").glob("*.py")
    ]
    assert described <= {line.split("diagnosis:")[1].split()[0] for line in first_lines}
