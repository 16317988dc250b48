"""The counter reproduces the IO argument: N²·D/B to the percent over N and B, and what naive attention moves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from graders.kit.traffic_law import Law
from tests.problems.llm_flash_attention.conftest import LOCATION, SOLUTIONS, part

movement = part("movement")
SHIPPED = SOLUTIONS[0]
NAIVE = LOCATION.grader / "wrong" / "scores_in_memory.py"
Load = Callable[[Path], ModuleType]


def moved(module: ModuleType, length: int, size: int = 16, causal: bool = False) -> int:
    """Bytes that the kernels load and store for one head in float32."""
    import torch

    from graders.kit import traffic

    q, k, v = (torch.randn(1, 1, length, size) for _ in range(3))
    with traffic.counting() as record:
        module.flash_attention(q, k, v, causal)
    return record.bytes_loaded + record.bytes_stored


@pytest.mark.parametrize("block", [16, 32, 64, 128])
def test_the_law_holds_over_lengths_and_blocks(load: Load, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    module = load(SHIPPED)
    monkeypatch.setattr(module, "block_sizes", lambda length, size, element_bytes: (block, 64))
    found = {length: moved(module, length) for length in (128, 256, 512)}
    for length, count in found.items():
        assert count == pytest.approx(2 * length * 64 + 2 * length * length * 64 / block, rel=0.02), length
    law = Law.through(found)
    assert law.queries_per_block(movement.ROW_BYTES) == pytest.approx(block, rel=0.02)
    assert law.error(found) < 0.02


def test_traffic_grows_with_the_size_of_a_head(load: Load) -> None:
    module = load(SHIPPED)
    assert moved(module, 256, size=32) == pytest.approx(2 * moved(module, 256, size=16), rel=0.02)


def test_naive_attention_moves_as_much_more_as_the_brief_says(load: Load) -> None:
    naive, flash = moved(load(NAIVE), 256), moved(load(SHIPPED), 256)
    # its products go by blocks of 64: q and k are read four times, v too, and the scores once more by every block
    extra = 3 * 3 * 256 * movement.ROW_BYTES
    assert naive == pytest.approx(movement.naive_bytes(256) + extra, rel=0.02)
    assert movement.naive_bytes(512) / (2 * 512 * 64 * (1 + 512 / 128)) == pytest.approx(13.2, rel=0.01)
    assert naive > 8 * flash


@pytest.mark.filterwarnings("ignore:tl.make_block_ptr is deprecated")
@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_a_causal_kernel_leaves_out_what_it_may(load: Load, path: Path) -> None:
    module = load(path)
    full, causal = moved(module, 512), moved(module, 512, causal=True)
    assert causal < full
