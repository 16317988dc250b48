"""The envelope drill: every generator of the five fields, and the drawing of a round of questions."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from random import Random

from deepfield_cli.errors import ContentError, near_miss
from deepfield_cli.practice import llm, mlsys, recsys, rl, vision
from deepfield_cli.practice.question import Drill, Question

ENVELOPE = "envelope"
_FIELDS = {"llm": llm, "vision": vision, "rl": rl, "recsys": recsys, "mlsys": mlsys}
_SEED_BITS = 32


def drills(field: str | None = None) -> list[Drill]:
    """Every drill, or those of one field, in the order of their files.

    Raises:
        ContentError: there is no such field; with the near miss.

    """
    if field is not None and field not in _FIELDS:
        raise ContentError(
            f'there is no field "{field}"', fix=near_miss(field, _FIELDS) or f"there are {', '.join(_FIELDS)}"
        )
    rooms = list(_FIELDS.values()) if field is None else [_FIELDS[field]]
    return [item for room in rooms for item in vars(room).values() if isinstance(item, Drill)]


def drills_about(concept: str) -> list[Drill]:
    """The drills that exercise a concept."""
    return [item for item in drills() if item.concept == concept]


def fresh_seed() -> int:
    """A seed that nobody chose."""
    return secrets.randbits(_SEED_BITS)


def draw_questions(count: int, seed: int, chosen: Sequence[Drill] | None = None) -> list[Question]:
    """A round: different drills as long as there are any left, then again from the start; the seed decides all."""
    rng = Random(seed)
    pool = list(drills() if chosen is None else chosen)
    order: list[Drill] = []
    while len(order) < count:
        order += rng.sample(pool, len(pool))
    return [item.question(rng) for item in order[:count]]
