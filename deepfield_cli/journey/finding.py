"""What the doctor found: one fact, whether it is well, and what to do if it is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# ok: as it should be. absent: not there, which most can do without. warn: works, but weaker. bad: will not work.
State = Literal["ok", "absent", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact.

    Attributes:
        area: where it belongs, e.g. ``libraries``.
        name: what was looked at.
        state: ok, absent, warn or bad.
        value: what was found.
        advice: what to do about it; None where there is nothing to do.

    """

    area: str
    name: str
    state: State
    value: str
    advice: str | None = None
