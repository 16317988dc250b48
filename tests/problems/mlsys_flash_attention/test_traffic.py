"""The counter reproduces the IO argument: the law over N and B, and each solution's prediction to the byte."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from graders.kit.traffic_law import Law
from tests.problems.mlsys_flash_attention.conftest import SHIPPED, SOLUTIONS, Load, part

movement = part("movement")


def moved(module: ModuleType, budget: int, length: int, size: int = 16, causal: bool = False) -> int:
    """Bytes that the forward kernels load and store for one head in float32."""
    import torch

    from graders.kit import traffic

    module.__dict__["SRAM_BYTES"] = budget
    q, k, v = (torch.randn(1, 1, length, size) for _ in range(3))
    with traffic.counting() as record:
        module.flash_forward(q, k, v, causal)
    return record.bytes_loaded + record.bytes_stored


@pytest.mark.parametrize(("budget", "block"), [(8 * 1024, 32), (16 * 1024, 64), (32 * 1024, 128)])
def test_the_law_holds_over_lengths_and_budgets(load: Load, budget: int, block: int) -> None:
    module = load(SHIPPED)
    found = {length: moved(module, budget, length) for length in (128, 256)}
    for length, count in found.items():
        assert count == 2 * length * 64 + 4 * length + 2 * length * length * 64 // block
    assert Law.through(found).queries_per_block(64) == pytest.approx(block, rel=1e-9)


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
@pytest.mark.parametrize(("length", "causal"), [(70, True), (100, False)])
def test_predictions_of_the_solutions_hold_to_the_byte(load: Load, path: Path, length: int, causal: bool) -> None:
    module = load(path)
    budget = 16 * 1024
    told = module.io_bytes(length, 16, *module.block_sizes(16, budget, 4), 4, causal)
    assert moved(module, budget, length, causal=causal) == told


def test_the_model_is_what_the_shipped_kernel_moves(load: Load) -> None:
    module = load(SHIPPED)
    for length, causal, budget in ((129, True, 16 * 1024), (60, False, 8 * 1024)):
        blocks = movement.Blocks(*module.block_sizes(16, budget, 4), 16, 4)
        assert moved(module, budget, length, causal=causal) == blocks.moved(length, causal)
