"""How much the author's judge is to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Terms:
    """How much the author's judge is to do.

    Attributes:
        jobs: submissions graded at a time.
        runs: consecutive runs of each solution, each with a seed of its own.
        draws: the same for each wrong submission; all must end as it says.
        brief: a wrong submission meets only the check that it says it fails, whatever it would fail before that, and a
            strange answer one in `BRIEF_SHARE` of the short checks that call for it; the matrix shows nothing else.
        seed: of the first run of each submission, the next has the next; None draws a fresh one each time.

    """

    jobs: int = 2
    runs: int = 1
    draws: int = 1
    brief: bool = False
    seed: int | None = None
