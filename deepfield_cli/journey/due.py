"""What is due for review today, as far as the home screen asks."""

from __future__ import annotations

from collections.abc import Sequence

from deepfield_cli.journey.cards import due_count
from deepfield_cli.journey.clock import now
from deepfield_cli.ledger import Ledger, ProblemProgress


def due_reviews(ledger: Ledger, progress: Sequence[ProblemProgress] | None = None) -> int | None:
    """How many reviews are due; None while nothing is scheduled.

    The home screen asks here and nowhere else: the scheduler of `review` joins at this place. ``progress``: what
    ``ledger.progress()`` said a moment ago, for whoever has asked it already.
    """
    return due_count(ledger, now(), progress=progress)
