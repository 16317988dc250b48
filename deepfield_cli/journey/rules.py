"""Evidence rules, decided: what a rule of the roadmap still lacks, and how well what it has is known.

A rule is taken as plain data (``rule.model_dump()``), so that the home screen can decide one without pydantic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Evidence = Literal["verified", "confirmed", "attested"]
_WEAKEST_LAST: tuple[Evidence, ...] = ("verified", "confirmed", "attested")


@dataclass(frozen=True, slots=True)
class Facts:
    """What the record knows, as far as rules ask.

    Attributes:
        solved: pairs of problem and rung.
        confirmed: what an outside service said, and the highest count or rating.
        attested: rubric to the sum of counts.
        season_weeks: weeks of the longest season that was kept to its end.
        gaps: problem to entries in its gap log.
        drills: drill to its answers, right or not, the newest first.

    """

    solved: frozenset[tuple[str, str]] = frozenset()
    confirmed: Mapping[str, int] = field(default_factory=dict)
    attested: Mapping[str, int] = field(default_factory=dict)
    season_weeks: int = 0
    gaps: Mapping[str, int] = field(default_factory=dict)
    drills: Mapping[str, Sequence[bool]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """One rule, decided, with its parts.

    Attributes:
        words: the leaf in words, or all, any, or at least N for a branch.
        holds: whether it is met.
        share: how much of it is, from 0 to 1.
        evidence: the weakest kind of evidence that it rests on; None while it is not met.
        parts: what a branch is made of.

    """

    words: str
    holds: bool
    share: float
    evidence: Evidence | None
    parts: tuple[Part, ...] = ()


def decide(rule: Mapping[str, Any], facts: Facts) -> Part:
    """Hold a rule against the facts."""
    if "all_of" in rule:
        return _branch("all of", rule["all_of"], len(rule["all_of"]), facts)
    if "any_of" in rule:
        return _branch("any of", rule["any_of"], 1, facts)
    if "of" in rule:
        return _branch(f"at least {rule['at_least']} of", rule["of"], int(rule["at_least"]), facts)
    return _leaf(rule, facts)


def _branch(words: str, rules: Sequence[Mapping[str, Any]], needed: int, facts: Facts) -> Part:
    parts = tuple(decide(rule, facts) for rule in rules)
    # the nearest parts are what counts; of those that hold, the better known ones
    best = sorted(parts, key=lambda part: (not part.holds, -part.share, _rank(part.evidence)))[:needed]
    holds = all(part.holds for part in best)
    evidence = max((part.evidence for part in best if part.evidence), key=_rank) if holds else None
    return Part(words, holds, sum(part.share for part in best) / needed, evidence, parts)


def _leaf(rule: Mapping[str, Any], facts: Facts) -> Part:
    if "solved" in rule:
        has = int((rule["solved"], rule.get("rung", "core")) in facts.solved)
        return _count(f"{rule['solved']} solved ({rule.get('rung', 'core')})", has, 1, "verified")
    if "confirmed" in rule:
        what, least = rule["confirmed"], int(rule.get("at_least", 1))
        return _count(f"{what} confirmed", facts.confirmed.get(what, 0), least, "confirmed")
    if "attested" in rule:
        what, least = rule["attested"], int(rule.get("at_least", 1))
        return _count(f"{what} attested", facts.attested.get(what, 0), least, "attested")
    if "season_weeks" in rule:
        return _count("weeks of one season kept", facts.season_weeks, int(rule["season_weeks"]), "verified")
    if "gaps_logged" in rule:
        has = max(facts.gaps.values(), default=0)
        return _count("entries in one gap log", has, int(rule["gaps_logged"]), "verified")
    latest = facts.drills.get(rule["drill"], ())[: int(rule["out_of"])]
    words = f"right of the latest {rule['out_of']} {rule['drill']} questions"
    return _count(words, sum(latest), int(rule["right"]), "verified")


def _count(words: str, has: int, needed: int, evidence: Evidence) -> Part:
    holds = has >= needed
    shown = words if needed == 1 else f"{min(has, 9999)} of {needed} {words}"
    return Part(shown, holds, min(has / needed, 1.0), evidence if holds else None)


def _rank(evidence: Evidence | None) -> int:
    return _WEAKEST_LAST.index(evidence) if evidence else -1
