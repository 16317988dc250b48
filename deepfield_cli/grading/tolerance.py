"""How far an answer may be off: a named constant of a suite, measured and explained beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Tolerance:
    """Allowed distance: ``absolute + relative · max|expected|``.

    The scale is that of the whole expected array, not of each element: rounding in a sum depends on its largest
    terms, and an element near zero has no precision of its own.
    """

    relative: float
    absolute: float = 0.0

    def allowed(self, expected: np.ndarray) -> float:
        """The largest distance that passes for this expected array."""
        finite = np.abs(expected[np.isfinite(expected)]) if expected.size else np.zeros(0)
        return self.absolute + self.relative * (float(finite.max()) if finite.size else 0.0)
