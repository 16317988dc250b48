"""The solutions in the interpreter of this process: their rounding, and traffic to the element."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest

from graders.kit import traffic
from tests.problems.mlsys_softmax_matmul.conftest import LOCATION, part
from tests.problems.mlsys_softmax_matmul.test_oracle import off

oracle, suite, views = map(part, ("oracle", "suite", "views"))
SOLUTIONS = sorted(path.stem for path in (LOCATION.grader / "solutions").glob("*.py"))
Load = Callable[[str], ModuleType]
# A solution asks for silence when it is loaded; pytest hears again from test to test.
pytestmark = pytest.mark.filterwarnings("ignore:tl.make_block_ptr is deprecated")


@pytest.mark.parametrize("name", SOLUTIONS)
def test_honest_rounding_is_far_below_the_tolerance(solution: Load, name: str) -> None:
    import torch

    module = solution(name)
    for seed, (rows, columns) in enumerate([(4, 16), (7, 13), (3, 200), (2, 5000), (2, 8192)]):
        x = views.spread(np.random.default_rng(seed), rows, columns, size=3.0).astype(np.float32)
        found = module.softmax(torch.from_numpy(x)).numpy()
        assert off(found, oracle.softmax(x)) < suite.FLOAT32.relative / 5
    for seed, (rows, columns, inner) in enumerate([(128, 128, 256), (256, 256, 64), (17, 19, 211)]):
        rng = np.random.default_rng(seed)
        a, b = views.spread(rng, rows, inner).astype(np.float32), views.spread(rng, inner, columns).astype(np.float32)
        found = module.matmul(torch.from_numpy(a), torch.from_numpy(b)).numpy()
        assert off(found, oracle.matmul(a, b)) < suite.FLOAT32.relative / 5


@pytest.mark.parametrize("name", SOLUTIONS)
def test_halves_are_rounded_once(solution: Load, name: str) -> None:
    import torch

    module = solution(name)
    for dtype, tolerance in suite.HALVES.items():
        rng = np.random.default_rng(4)
        a, b = (views.stored(views.spread(rng, 40, 40), dtype) for _ in range(2))
        first, second = (torch.from_numpy(item).to(getattr(torch, dtype)) for item in (a, b))
        assert off(module.matmul(first, second).float().numpy(), oracle.matmul(a, b)) < tolerance.relative / 2
        assert off(module.softmax(first).float().numpy(), oracle.softmax(a)) < tolerance.relative / 2


@pytest.mark.parametrize("tile", [16, 32, 64])
def test_traffic_falls_as_tiles_grow_exactly_as_the_brief_says(solution: Load, tile: int) -> None:
    import torch

    kernel = solution("autotuned").matmul_kernel.fn
    a, b = torch.ones(100, 48), torch.ones(48, 70)
    c = torch.empty(100, 70)
    grid = (-(-100 // tile) * -(-70 // tile),)
    sizes = {"BM": tile, "BN": tile, "BK": 16, "GROUP": 2}
    with traffic.counting() as record:
        kernel[grid](a, b, c, 100, 70, 48, *a.stride(), *b.stride(), *c.stride(), **sizes)
    assert record.bytes_loaded + record.bytes_stored == 4 * oracle.tiled_elements(100, 70, 48, tile)
    assert record.bytes_stored == 4 * 100 * 70
    assert torch.equal(c, a @ b)
