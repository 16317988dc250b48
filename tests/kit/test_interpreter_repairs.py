"""The repaired interpreter computes bfloat16 as torch does; the one that Triton ships does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graders.kit import interpreter_repairs

KERNELS = Path(__file__).parent / "bfloat16_kernels.py"


def distances(*arguments: str) -> dict[str, Any]:
    """What the kernels print; in a process of its own, since Triton reads its environment when it is imported."""
    environment = {**os.environ, "TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(KERNELS), *arguments], env=environment, capture_output=True, text=True, check=True
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.fixture(scope="module")
def repaired() -> dict[str, Any]:
    return distances()


@pytest.mark.parametrize("kind", ["rounding", "elementwise"])
def test_bfloat16_is_computed_as_torch_does(repaired: dict[str, Any], kind: str) -> None:
    assert max(repaired[kind]) == 0.0


def test_products_of_every_type_are_right(repaired: dict[str, Any]) -> None:
    assert max(repaired["product"]) < 1e-5


def test_what_is_not_finite_stays_so(repaired: dict[str, Any]) -> None:
    assert repaired["special"] == ["inf", "-inf", "nan", "1.0"]


def test_the_repair_is_still_needed() -> None:
    """When this fails, Triton computes bfloat16 in its interpreter, and the module can go."""
    shipped = distances("unrepaired")
    assert max(shipped["rounding"]) > 1e-3
    assert shipped["product"][0] > 1.0


def test_rounding_is_to_the_nearest_even() -> None:
    import torch

    random = np.random.default_rng(1)
    bits = random.integers(0, 1 << 32, 20_000, dtype=np.uint64).astype(np.uint32)
    numbers = bits.view(np.float32)
    finite = np.isfinite(numbers)
    expected = torch.from_numpy(numbers[finite]).bfloat16().view(torch.int16).numpy().view(np.uint16)
    assert np.array_equal(interpreter_repairs.encode(numbers[finite]), expected)
    assert np.array_equal(interpreter_repairs.encode(interpreter_repairs.decode(expected)), expected)
