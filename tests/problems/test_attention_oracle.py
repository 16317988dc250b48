"""The grader of llm/attention must be right itself: its oracle, its inputs, its tolerances, its brief."""

from __future__ import annotations

import importlib.util
import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import yaml

from graders.llm.attention import cases, misconceptions, oracle, suite

ROOT = Path(__file__).resolve().parents[2]
PROBLEM = ROOT / "problems" / "llm" / "attention"
GRADER = ROOT / "graders" / "llm" / "attention"
SOLUTIONS = sorted((GRADER / "solutions").glob("*.py"))
WRONG = sorted((GRADER / "wrong").glob("*.py"))
# A mistake must be this many tolerances away from the truth and from every other mistake.
SEPARATION = 100.0
SIZES = [(2, 7, 3, 5), (1, 1, 1, 1), (3, 1, 2, 4), (1, 6, 4, 1), (2, 9, 1, 7)]
LOADED: dict[Path, ModuleType] = {}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def solution(path: Path) -> ModuleType:
    if path not in LOADED:
        import sys

        spec = importlib.util.spec_from_file_location(f"attention_{path.stem}", path)
        assert spec is not None and spec.loader is not None
        LOADED[path] = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(LOADED[path])
    return LOADED[path]


def answer(path: Path, case: cases.Case) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """What a solution returns for a case, in this process."""
    import torch

    module, inputs = solution(path), case.inputs
    tensors = [torch.from_numpy(getattr(inputs, name)) for name in ("x", "w_qkv", "b_qkv", "w_out", "b_out")]
    y, cache = module.attention_forward(*tensors, inputs.n_heads)
    found = module.attention_backward(torch.from_numpy(case.dy), cache)
    return y.numpy(), {name: found[name].numpy() for name in oracle.GRADIENT_NAMES}


def off(found: np.ndarray, right: np.ndarray) -> float:
    """Largest distance relative to the largest element, with NaN equal to NaN and different shapes infinitely far."""
    strange = np.isnan(found)
    if found.shape != right.shape or not np.array_equal(strange, np.isnan(right)):
        return float("inf")
    if strange.all():
        return 0.0
    scale = float(np.abs(right[~strange]).max())
    return float(np.abs(found[~strange] - right[~strange]).max()) / (scale or 1.0)


def single_mistakes(table: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(name, bug) for name, bugs in table.items() for bug in bugs]


# ---- the oracle ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", SIZES)
def test_the_oracle_agrees_with_autograd_and_with_the_builtin(sizes: tuple[int, int, int, int]) -> None:
    import torch

    case = cases.draw(np.random.default_rng(1), *sizes, "float64")
    inputs, heads = case.inputs, case.inputs.n_heads
    leaves = {name: torch.tensor(getattr(inputs, name), requires_grad=True) for name in oracle.GRADIENT_NAMES}
    batch, length, width = inputs.x.shape
    q, k, v = (leaves["x"] @ leaves["w_qkv"] + leaves["b_qkv"]).split(width, dim=-1)
    q, k, v = (part.reshape(batch, length, heads, -1).transpose(1, 2) for part in (q, k, v))
    merged = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2)
    y = merged.reshape(batch, length, width) @ leaves["w_out"] + leaves["b_out"]
    assert off(oracle.forward(inputs), y.detach().numpy()) < 1e-12
    found = torch.autograd.grad(y, list(leaves.values()), torch.from_numpy(case.dy))
    expected = oracle.gradients(inputs, case.dy)
    for name, gradient in zip(leaves, found, strict=True):
        assert np.abs(gradient.numpy() - expected[name]).max() < 1e-12 * max(1.0, float(np.abs(expected[name]).max()))


@pytest.mark.parametrize("name", oracle.GRADIENT_NAMES)
def test_the_oracles_gradients_agree_with_its_own_differences(name: str) -> None:
    case = cases.draw(np.random.default_rng(2), 2, 4, 2, 3, "float64")
    right = oracle.gradients(case.inputs, case.dy)[name]
    measured = np.empty_like(right)
    for place in np.ndindex(right.shape):
        ends = []
        for step in (1e-5, -1e-5):
            moved = getattr(case.inputs, name).copy()
            moved[place] += step
            ends.append(float((case.dy * oracle.forward(replace(case.inputs, **{name: moved}))).sum()))
        measured[place] = (ends[0] - ends[1]) / 2e-5
    assert np.abs(measured - right).max() < 1e-8 * float(np.abs(right).max())


def test_the_gradient_of_the_key_bias_is_zero() -> None:
    case = cases.draw_telling(np.random.default_rng(3), "float64")
    gradient = oracle.gradients(case.inputs, case.dy)["b_qkv"]
    queries, keys, _ = np.split(gradient, 3)
    assert np.abs(keys).max() < 1e-12 < 1e-3 < np.abs(queries).max()


def test_mistakes_combine() -> None:
    case = cases.draw_telling(np.random.default_rng(4), "float64")
    pair = frozenset({"missing-scale", "bias-missing/out"})
    both = oracle.forward(case.inputs, pair)
    one = oracle.forward(case.inputs, frozenset({"missing-scale"}))
    assert np.allclose(both + case.inputs.b_out, one)
    back = oracle.gradients(case.inputs, case.dy, frozenset({"dx-misses-a-path/q", "bias-gradient-averaged/batch"}))
    for name, bug in (("x", "dx-misses-a-path/q"), ("b_out", "bias-gradient-averaged/batch")):
        assert np.array_equal(back[name], oracle.gradients(case.inputs, case.dy, frozenset({bug}))[name])


# ---- inputs that tell mistakes apart ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(25))
def test_forward_mistakes_are_far_apart(seed: int) -> None:
    case = cases.draw_telling(np.random.default_rng(seed), "float64")
    right = oracle.forward(case.inputs)
    needed = SEPARATION * suite.FORWARD_TOLERANCE.relative
    answers = [("right", right)]
    answers += [
        (name, oracle.forward(case.inputs, frozenset({bug})))
        for name, bug in single_mistakes(misconceptions.FORWARD_BUGS)
    ]
    for (first, one), (second, other) in itertools.permutations(answers, 2):
        assert first == second or off(one, other) > needed, (first, second)


@pytest.mark.parametrize("seed", range(25))
def test_large_input_mistakes_are_far_apart(seed: int) -> None:
    case = cases.draw_large(np.random.default_rng(seed))
    needed = SEPARATION * suite.FORWARD_TOLERANCE.relative
    answers = [("right", oracle.forward(case.inputs))]
    answers += [
        (name, oracle.forward(case.inputs, frozenset({bug})))
        for name, bug in single_mistakes(misconceptions.LARGE_INPUT_BUGS)
    ]
    assert np.isfinite(answers[0][1]).all()
    for (first, one), (second, other) in itertools.permutations(answers, 2):
        assert first == second or off(one, other) > needed, (first, second)


@pytest.mark.parametrize("seed", range(15))
@pytest.mark.parametrize("name", oracle.GRADIENT_NAMES)
def test_backward_mistakes_are_far_apart_in_each_gradient(name: str, seed: int) -> None:
    case = cases.draw_telling(np.random.default_rng(seed), "float64")
    needed = SEPARATION * suite.GRADIENT_TOLERANCE.relative
    right = oracle.gradients(case.inputs, case.dy)[name]
    visible = [("right", right)]
    for misconception, bug in single_mistakes(misconceptions.BACKWARD_BUGS):
        found = oracle.gradients(case.inputs, case.dy, frozenset({bug}))[name]
        distance = off(found, right)
        assert distance < 1e-12 or distance > needed, bug
        if misconception in misconceptions.SHOWS_IN[name] and distance > needed:
            visible.append((misconception, found))
    assert {misconception for misconception, _ in visible} == {"right", *misconceptions.SHOWS_IN[name]}
    for (first, one), (second, other) in itertools.permutations(visible, 2):
        assert first == second or off(one, other) > needed, (first, second)


def test_what_a_gradient_is_not_asked_about_cannot_be_seen_in_it() -> None:
    case = cases.draw_telling(np.random.default_rng(5), "float64")
    right = oracle.gradients(case.inputs, case.dy)
    # a division by the batch size shows in the biases too, where it cannot be told from a mean over the batch
    known = {("b_qkv", "gradients-averaged-over-batch"), ("b_out", "gradients-averaged-over-batch")}
    for misconception, bug in single_mistakes(misconceptions.BACKWARD_BUGS):
        found = oracle.gradients(case.inputs, case.dy, frozenset({bug}))
        for name in oracle.GRADIENT_NAMES:
            listed = misconception in misconceptions.SHOWS_IN[name] or (name, misconception) in known
            assert listed or off(found[name], right[name]) < 1e-12, (name, bug)


@pytest.mark.parametrize("seed", range(50))
def test_large_inputs_have_a_clear_winner_in_every_row(seed: int) -> None:
    case = cases.draw_large(np.random.default_rng(seed))
    kept = oracle.trace(case.inputs)
    assert np.abs(kept.scores).max() < 1e12  # a mask of -1e12 or below is as good as infinity, always
    assert np.isin(kept.weights, (0.0, 1.0)).all()


# ---- tolerances ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_honest_rounding_is_far_below_the_tolerances(path: Path) -> None:
    for seed in range(12 if path.stem == "loops" else 60):
        rng = np.random.default_rng(seed)
        case = cases.draw_telling(rng, "float32")
        y, gradients = answer(path, case)
        assert off(y, oracle.forward(case.inputs)) < suite.FORWARD_TOLERANCE.relative / 5
        for name, right in oracle.gradients(case.inputs, case.dy).items():
            assert off(gradients[name], right) < suite.GRADIENT_TOLERANCE.relative / 5, name
        case = cases.draw_large(rng)
        y, gradients = answer(path, case)
        assert off(y, oracle.forward(case.inputs)) < suite.FORWARD_TOLERANCE.relative / 5
        assert all(np.isfinite(gradient).all() for gradient in gradients.values())


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_honest_rounding_at_the_edge_sizes(path: Path) -> None:
    for seed, sizes in itertools.product(range(5), cases.EDGES):
        rng = np.random.default_rng(seed)
        single = cases.draw(rng, *sizes, "float32")
        y, _ = answer(path, single)
        assert off(y, oracle.forward(single.inputs)) < suite.FORWARD_TOLERANCE.relative / 5
        double = cases.draw(rng, *sizes, "float64")
        _, gradients = answer(path, double)
        for name, right in oracle.gradients(double.inputs, double.dy).items():
            assert off(gradients[name], right) < suite.GRADIENT_TOLERANCE.relative / 5, name


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_honest_code_is_causal_to_the_last_bit(path: Path) -> None:
    for seed in range(5 if path.stem == "loops" else 100):
        rng = np.random.default_rng(seed)
        case = cases.draw_telling(rng, "float32")
        now = int(rng.integers(1, case.inputs.x.shape[1]))
        x = case.inputs.x.copy()
        x[:, now:] = rng.choice([1.0, 1e4]) * rng.standard_normal(x[:, now:].shape)
        before, _ = answer(path, case)
        after, _ = answer(path, replace(case, inputs=replace(case.inputs, x=x)))
        assert np.array_equal(before[:, :now], after[:, :now])


# ---- the brief and the misconceptions --------------------------------------------------------------------------------


def brief() -> str:
    return (PROBLEM / "README.md").read_text(encoding="utf-8")


def example_of_the_brief() -> dict[str, Any]:
    """Run the Python blocks of the worked example, as a learner would paste them."""
    import torch

    names: dict[str, Any] = {"torch": torch}
    section = brief().split("## A worked example")[1].split("\n## ")[0]
    for block in re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL):
        exec(block, names)
    return names


def printed(label: str) -> np.ndarray:
    """The numbers in the line of the brief that starts with a label, and in the indented lines under it."""
    lines = brief().splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith(label + "  "))
    block = [lines[start].removeprefix(label), *itertools.takewhile(lambda line: line[:3] == "   ", lines[start + 1 :])]
    return np.array([[float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", line)] for line in block])


def test_the_worked_example_of_the_brief_is_the_one_of_the_suite() -> None:
    names = example_of_the_brief()
    for name in ("x", "w_qkv", "b_qkv", "w_out", "b_out"):
        assert np.array_equal(names[name].numpy(), getattr(cases.EXAMPLE, name)), name
    assert np.abs(oracle.forward(cases.EXAMPLE) - cases.EXAMPLE_Y).max() < 5.1e-5


def test_the_numbers_of_the_brief_are_right() -> None:
    dy = example_of_the_brief()["dy"].numpy()
    kept = oracle.trace(cases.EXAMPLE)
    gradients = oracle.gradients(cases.EXAMPLE, dy)
    z_and_y = np.concatenate([kept.merged[0], kept.output[0]], axis=1)
    assert np.abs(printed("z") - z_and_y).max() < 5.1e-5
    assert np.abs(printed("dx") - gradients["x"][0]).max() < 5.1e-5
    assert np.abs(printed("db_qkv") - gradients["b_qkv"]).max() < 5.1e-5
    weights = np.concatenate(list(kept.weights[0]), axis=1)
    assert np.abs(printed("P") - weights).max() < 5.1e-5
    products = np.concatenate(list(kept.scores[0] * np.sqrt(2.0)), axis=1)
    assert np.abs(printed("q·k") - products).max() < 1e-9


def test_the_brief_names_every_check() -> None:
    for check in suite.suite.checks:
        assert f"`{check.name}`" in brief(), check.name


def described() -> set[str]:
    return set(yaml.safe_load((PROBLEM / "problem.yaml").read_text(encoding="utf-8"))["misconceptions"])


def test_every_mistake_of_the_oracle_has_words_and_every_word_a_mistake() -> None:
    seen_without_an_oracle = {
        "sees-the-future",
        "computes-in-float32",
        "state-shared-between-calls",
        "gradient-measured-not-derived",
    }
    computed = {*misconceptions.FORWARD_BUGS, *misconceptions.LARGE_INPUT_BUGS, *misconceptions.BACKWARD_BUGS}
    assert described() == computed | seen_without_an_oracle


def test_every_misconception_has_a_wrong_submission() -> None:
    named = {path.read_text(encoding="utf-8").splitlines()[0].split("diagnosis:")[1].strip() for path in WRONG}
    assert described() <= named
