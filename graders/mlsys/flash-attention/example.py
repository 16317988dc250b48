"""The worked example of the brief."""

from __future__ import annotations

import numpy as np

from graders.kit.attention_oracle import Heads

from .cases import Case


def _in_channels(*columns: list[float]) -> np.ndarray:
    """(1, 1, T, 16): the first channels hold these numbers, the others zeros."""
    array = np.zeros((1, 1, len(columns[0]), 16), dtype=np.float32)
    for channel, column in enumerate(columns):
        array[0, 0, :, channel] = column
    return array


# The third row has the powers 2, 4 and 2, of which everything is a fraction with small numbers.
CASE = Case(
    Heads(
        q=_in_channels([4.0, 0.0, 4.0]),
        k=_in_channels([np.log(2.0), 2 * np.log(2.0), np.log(2.0)]),
        v=_in_channels([4.0, 0.0, 4.0]),
        causal=True,
    ),
    do=_in_channels([1.0, 2.0, 4.0]),
)
# Worked out by hand in the brief, not by the oracle.
PRINTED = {
    "o": _in_channels([4.0, 2.0, 2.0]),
    "lse": np.array([[[0.6931, 0.6931, 2.0794]]]),
    "dq": _in_channels([0.0, -0.3466, -0.6931]),
    "dk": _in_channels([2.0, -4.0, 2.0]),
    "dv": _in_channels([3.0, 3.0, 1.0]),
}
