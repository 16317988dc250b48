"""A published number, and what the learner's own attempt measured for it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from deepfield_cli.content.packs import find_location
from deepfield_cli.errors import DeepfieldError
from deepfield_cli.practice.quantity import in_words

if TYPE_CHECKING:
    from deepfield_cli.content.problem import Problem, Target

Direction = Literal["higher", "lower", "equal"]


@dataclass(frozen=True, slots=True)
class Reached:
    """A target, and the number that was measured for it.

    Attributes:
        id: the target's id, which is also the name of the metric that is measured for it.
        rung: the rung at which it is measured.
        metric: what is measured.
        target: the published number, as text.
        unit: its unit.
        direction: which side is better.
        reached: what the solving attempt measured; None if it measured no number for it.
        met: whether that is good enough; None if nothing was measured.
        source: where the number comes from.
        url: where that can be read.
        verified: whether the number was looked up at its source.

    """

    id: str
    rung: str
    metric: str
    target: str
    unit: str
    direction: Direction
    reached: float | None
    met: bool | None
    source: str
    url: str | None
    verified: bool


def metric_key(name: str) -> str:
    """What the name of a target and that of its metric have in common."""
    return name.replace("-", "_").lower()


def targets_reached(problem_id: str, metrics: Mapping[str, Mapping[str, float]], tried: set[str]) -> Iterable[Reached]:
    """The targets of the rungs that were tried, each beside what the metrics of its rung say."""
    problem = _declared(problem_id)
    for target in problem.targets if problem is not None else ():
        if target.rung in tried and not isinstance(target.value, str):
            measured = {metric_key(name): value for name, value in metrics.get(target.rung, {}).items()}
            yield _reached(target, float(target.value), measured.get(metric_key(target.id)))


def _reached(target: Target, value: float, reached: float | None) -> Reached:
    return Reached(
        id=target.id,
        rung=target.rung,
        metric=target.metric,
        target=in_words(value, 4),
        unit=target.unit or "",
        direction=target.direction,
        reached=reached,
        met=None if reached is None else _is_met(reached, value, target.direction),
        source=target.source,
        url=target.url,
        verified=target.verified,
    )


def _declared(problem_id: str) -> Problem | None:
    try:
        return find_location(problem_id).load()
    except DeepfieldError:
        return None


def _is_met(reached: float, target: float, direction: Direction) -> bool:
    if direction == "equal":
        return math.isclose(reached, target, rel_tol=1e-9)
    return reached >= target if direction == "higher" else reached <= target
