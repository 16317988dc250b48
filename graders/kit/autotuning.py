"""Lets kernels under ``@triton.autotune`` run in Triton's interpreter, which has no clock to compare them with."""

from __future__ import annotations

from typing import Any


def repair() -> None:
    """From now on autotuning in this process takes the first configuration that pruning leaves, and times nothing.

    Without a GPU, Triton raises "0 active drivers" as soon as it has two configurations to choose from. A learner's
    file that is tuned for the GPU rung has to run here as well. With a GPU this changes nothing.

    Raises RuntimeError where the installed Triton tunes in another way.
    """
    import triton
    from triton.runtime.autotuner import Autotuner

    if not triton.knobs.runtime.interpret:
        return
    if not callable(getattr(Autotuner, "_bench", None)):
        raise RuntimeError(
            f"Triton {triton.__version__} times configurations elsewhere than in Autotuner._bench: "
            "install the version that constraints.txt pins, or adapt graders/kit/autotuning.py"
        )
    Autotuner._bench = _all_the_same


def _all_the_same(tuner: Any, *args: Any, config: Any, **kwargs: Any) -> list[float]:
    """Stand in for a measurement; of equal ones Triton takes the first."""
    return [0.0, 0.0, 0.0]
