"""What is due for review today, as far as the home screen asks."""

from __future__ import annotations

from deepfield_cli.journey.cards import due_count
from deepfield_cli.journey.clock import now
from deepfield_cli.ledger import Ledger


def due_reviews(ledger: Ledger) -> int | None:
    """How many reviews are due; None while nothing is scheduled.

    The home screen asks here and nowhere else: the scheduler of `review` joins at this place.
    """
    return due_count(ledger, now())
