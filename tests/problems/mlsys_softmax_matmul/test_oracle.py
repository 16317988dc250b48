"""The grader of mlsys/softmax-matmul must be right itself: its oracle, its inputs, its words."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.problems.mlsys_softmax_matmul.conftest import LOCATION, part

misconceptions, movement, oracle, suite, views = map(part, ("misconceptions", "movement", "oracle", "suite", "views"))
# A mistake must be this many tolerances away from the truth and from every other mistake.
SEPARATION = 50.0


def off(found: Any, right: np.ndarray) -> float:
    """Distance relative to the largest finite element; NaN where the other has none is infinitely far."""
    found = np.asarray(found, dtype=np.float64)
    strange = ~np.isfinite(found)
    if found.shape != right.shape or not np.array_equal(strange, ~np.isfinite(right)):
        return float("inf")
    if strange.all():
        return 0.0
    return float(np.abs(found[~strange] - right[~strange]).max() / (np.abs(right[~strange]).max() or 1.0))


# ---- the oracle ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 1), (4, 7), (3, 300)])
def test_softmax_agrees_with_torch(shape: tuple[int, int]) -> None:
    import torch

    x = np.random.default_rng(0).normal(scale=30.0, size=shape)
    x[0, 0] = -np.inf if shape[1] > 1 else 0.0
    assert off(torch.softmax(torch.from_numpy(x), -1).numpy(), oracle.softmax(x)) < 1e-14


def test_rows_without_a_softmax_are_those_of_torch() -> None:
    import torch

    x = np.array([[-np.inf, -np.inf], [np.inf, 1.0], [2.0, -np.inf]])
    found, theirs = oracle.softmax(x), torch.softmax(torch.from_numpy(x), -1).numpy()
    assert np.isnan(found[0]).all() and np.isnan(theirs[0]).all()
    assert np.isnan(found[1, 0]) and np.isnan(theirs[1, 0])
    assert found[2].tolist() == theirs[2].tolist() == [1.0, 0.0]


def test_the_product_agrees_with_exact_arithmetic() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.integers(-50, 50, (5, 9)), rng.integers(-50, 50, (9, 4))
    exact = [[sum(int(a[i, k]) * int(b[k, j]) for k in range(9)) for j in range(4)] for i in range(5)]
    assert oracle.matmul(a, b).tolist() == exact


def test_the_roofline_by_hand() -> None:
    # the A100's sheet: 19.5 Tflop/s and 1.555 TB/s meet at 12.54 operations per byte
    told = oracle.roofline(100.0, 50.0, 4.0, 19.5, 1.5)
    assert told == {
        "intensity": 2.0,
        "attainable": 3.0,
        "achieved": 25.0,
        "fraction_of_roof": 25.0 / 3.0,
        "bound": "memory",
    }
    assert oracle.roofline(100.0, 5.0, 4.0, 19.5, 1.5)["bound"] == "compute"
    assert oracle.roofline(100.0, 5.0, 4.0, 19.5, 1.5)["attainable"] == 19.5


def test_the_cases_of_the_roofline_stand_left_at_and_right_of_the_ridge() -> None:
    bounds = [oracle.roofline(*case)["bound"] for case in suite.ROOFLINE_CASES]
    assert bounds == ["memory", "compute", "compute", "compute", "memory", "memory"]
    flops, moved, _, peak, bandwidth = suite.ROOFLINE_CASES[2]
    assert flops / moved * bandwidth == peak


def test_costs_by_hand() -> None:
    assert oracle.softmax_cost(3, 5, 4) == {"flops": 75, "bytes_moved": 120}
    assert oracle.matmul_cost(2, 3, 5, 2) == {"flops": 60, "bytes_moved": (10 + 15 + 6) * 2}


def test_tiles_by_hand() -> None:
    assert oracle.tiled_elements(320, 320, 320, 64) == 320 * 320 * 11
    assert oracle.tiled_elements(1, 1, 7, 64) == 7 + 7 + 1
    assert oracle.tiled_elements(65, 3, 10, 64) == 65 * 10 + 2 * 30 + 195


# ---- views -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", ["transposed", "sliced", "stepped"])
def test_a_view_is_what_the_probe_makes_of_it(make: str) -> None:
    import torch

    probe = part("probe")
    view = getattr(views, make)(np.random.default_rng(2), 6, 9)
    tensor = probe.view(torch.from_numpy(view.base), view.rows, view.columns, view.transposed)
    assert tensor.shape == view.shape == (6, 9)
    assert np.array_equal(tensor.numpy(), view.array)
    assert tensor.stride() == view.strides
    assert np.array_equal(view.read_with(*view.strides), view.array)
    assert not tensor.is_contiguous()


def test_what_is_stored_in_bfloat16_is_exact() -> None:
    import torch

    values = views.stored(np.random.default_rng(3).normal(size=1000), "bfloat16")
    assert np.array_equal(torch.from_numpy(values).bfloat16().float().numpy(), values)


# ---- mistakes are told apart -----------------------------------------------------------------------------------------


def answers(bugs: Any) -> Iterator[tuple[str, np.ndarray]]:
    for name, compute in bugs.candidates():
        answer = compute()
        if answer is not None:
            yield name, np.asarray(answer, dtype=np.float64)


def expect_apart(bugs: Any, right: np.ndarray) -> set[str]:
    """No two misconceptions give one answer, and none gives the right one; returns their names."""
    needed = SEPARATION * suite.FLOAT32.relative
    found = [("right", right), *answers(bugs)]
    for (first, one), (second, other) in itertools.combinations(found, 2):
        assert first == second or off(one, other) > needed, (first, second)
    return {name for name, _ in found[1:]}


@pytest.mark.parametrize("seed", range(5))
def test_softmax_mistakes_are_far_apart(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for x in (suite.EXAMPLE_X, views.spread(rng, 7, 13, size=3.0), views.spread(rng, 1, 100, size=3.0)[:, :37]):
        bugs = misconceptions.softmax_mistakes(x)
        found = {name for name, answer in answers(bugs) if off(answer, oracle.softmax(x)) > 1e-3}
        assert {"padding-is-zero", "padding-in-the-sum", "exp2-for-exp", "not-normalised"} <= found
        if x.shape[0] > 1:
            expect_apart(bugs, oracle.softmax(x))


@pytest.mark.parametrize("seed", range(5))
def test_stride_mistakes_show(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for make in (views.sliced, views.transposed, views.stepped):
        x = make(rng, 6, 21)
        wrong = [answer for _, answer in answers(misconceptions.softmax_stride_mistakes(x))]
        assert off(wrong[0], oracle.softmax(x.array)) > 1e-2  # without strides at all
        a, b = make(rng, 128, 64), make(rng, 64, 128)
        bugs = misconceptions.matmul_stride_mistakes(a, b)
        assert max(off(answer, oracle.matmul(a.array, b.array)) for _, answer in answers(bugs)) > 1e-2


@pytest.mark.parametrize("seed", range(3))
def test_product_mistakes_are_far_apart(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = views.spread(rng, 256, 64), views.spread(rng, 64, 256)
    found = expect_apart(misconceptions.matmul_mistakes(a, b), oracle.matmul(a, b))
    assert found == {"program-id-swapped", "first-k-tile-only", "last-k-tile-only"}
    a, b = views.spread(rng, 128, 45), views.spread(rng, 45, 128)
    assert expect_apart(misconceptions.k_remainder_mistakes(a, b), oracle.matmul(a, b)) == {"k-remainder-dropped"}


def test_mistaken_masks_let_different_numbers_through() -> None:
    """Counted by applying each mask to every tile of the grid, as a kernel would."""
    rows, columns = 49, 33  # the first case of matmul_odd_sizes
    known = misconceptions.stored_lanes(rows, columns)
    for height, width in itertools.product((16, 32, 64, 128), repeat=2):
        m = np.arange(-(-rows // height) * height)[:, None]
        n = np.arange(-(-columns // width) * width)[None, :]
        chained = np.broadcast_to((rows & n) < columns, np.broadcast_shapes(m.shape, n.shape))
        half = m < (rows & (n < columns))
        nothing = np.ones(chained.shape, dtype=bool)
        assert known[int(chained.sum())] == "mask-precedence"
        assert known[int(half.sum())] == "mask-precedence"
        assert known[int(nothing.sum())] == "stores-over-the-edge"
        for missing in ((m < rows) & nothing, (n < columns) & nothing):
            assert known.get(int(missing.sum())) in ("stores-over-the-edge", None)
            assert known.get(int(missing.sum())) is not None or int(missing.sum()) == rows * columns
    assert rows * columns not in known


def test_a_sum_in_float16_overflows_on_the_way() -> None:
    for seed in range(20):
        a, b = suite._passing_through_eighty_thousand(np.random.default_rng(seed))
        running = np.cumsum(a.array[:, :, None].astype(np.float64) * b.array[None], axis=1)
        assert (np.abs(running[:, 511]) > 70_000).all()  # a tile of K may be up to 512 deep
        assert np.abs(running[:, -1]).max() < 10_000
        exact = oracle.matmul(a.array, b.array)
        single = np.zeros((16, 16), dtype=np.float32)
        for start in range(0, 1024, 16):
            single += a.array[:, start : start + 16].astype(np.float32) @ b.array[start : start + 16].astype(np.float32)
        assert off(single.astype(np.float16), exact) < suite.HALVES["float16"].relative


# ---- the words -------------------------------------------------------------------------------------------------------


def brief() -> str:
    text: str = (LOCATION.yaml.parent / "README.md").read_text(encoding="utf-8")
    return text


def test_the_brief_names_every_check() -> None:
    for check in suite.suite.checks:
        assert f"`{check.name}`" in brief(), check.name


def test_the_worked_example_is_right() -> None:
    import torch

    section = brief().split("## A worked example")[1].split("\n## ")[0]
    names: dict[str, Any] = {"torch": torch}
    block = re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)[0]
    exec(block, names)
    printed = [eval(told) for told in re.findall(r"= (\[\[.*\]\])$", block, flags=re.MULTILINE)]
    assert np.array_equal(names["x"].numpy(), suite.EXAMPLE_X)
    assert np.array_equal(names["a"].numpy(), suite.EXAMPLE_A)
    assert np.array_equal(names["b"].numpy(), suite.EXAMPLE_B)
    assert off(printed[0], oracle.softmax(suite.EXAMPLE_X)) < 1e-4
    assert printed[1] == oracle.matmul(suite.EXAMPLE_A, suite.EXAMPLE_B).tolist()
    mistaken = misconceptions.with_padding(suite.EXAMPLE_X, 1, in_maximum=True, value=None)
    assert f"{mistaken[1, 0]:.4f}" in section


def test_the_numbers_of_the_brief_are_right() -> None:
    assert f"{oracle.tiled_elements(320, 320, 320, 64):,}" in brief()
    assert f"{320 * 320 * 320 * 2 + 320 * 320:,}" in brief()
    told = oracle.roofline(*suite.ROOFLINE_CASES[2])
    assert told["intensity"] == 16.0
    assert f"{told['fraction_of_roof']:.6f}" in brief()
    assert told["achieved"] == 2.0**34
    assert f"{movement.LARGEST_BLOCK:,}" in brief()


def test_thirty_two_passes_and_sixteen_does_not() -> None:
    for size, inner in ((128, 128), (320, 64)):
        allowed = suite.TRAFFIC_FACTOR * oracle.tiled_elements(size, size, inner, suite.TILE)
        assert oracle.tiled_elements(size, size, inner, 32) < allowed < oracle.tiled_elements(size, size, inner, 16)
