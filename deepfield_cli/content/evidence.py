"""Rules that say, in YAML, by which evidence a stage, project, arena item or signal counts as reached.

A rule is a tree. Its leaves name one piece of evidence each:

    solved: rl/ppo            rung: paper      a grader re-measured it                       (verified)
    confirmed: merged-pr      at_least: 1      an outside service says so                    (confirmed)
    attested: proof           at_least: 10     the learner says so, against a rubric         (attested)
    season_weeks: 12                           a season was kept to its end                  (verified)
    gaps_logged: 3                             entries in the gap log of one problem         (verified)
    drill: envelope  right: 24  out_of: 30     of the latest questions of a drill            (verified)

and its branches are ``all_of``, ``any_of`` and ``at_least: N`` with ``of``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from deepfield_cli.content.problem import Frozen, Identifier, ProblemId, Rung

ConfirmedBy = Literal["merged-pr", "codeforces-rating"]


class Solved(Frozen):
    """A problem's rung was passed."""

    solved: ProblemId = Field(description="the problem")
    rung: Rung = Field(default="core", description="the rung that must be passed")


class Confirmed(Frozen):
    """An outside service vouches for it."""

    confirmed: ConfirmedBy = Field(description="what the service is asked for")
    at_least: int = Field(default=1, ge=1, description="the count or rating that is enough")


class Attested(Frozen):
    """The learner vouches for it, against a rubric."""

    attested: Identifier = Field(description="the rubric")
    at_least: int = Field(default=1, ge=1, description="how many attestations, or the sum of their counts")


class SeasonKept(Frozen):
    """A season was kept, without switching, for so many weeks."""

    season_weeks: int = Field(ge=1, description="weeks inside one committed season")


class GapsLogged(Frozen):
    """The gap log of one problem has so many entries."""

    gaps_logged: int = Field(ge=1, description="entries, all of one problem")


class DrillPassed(Frozen):
    """Most of the latest questions of a drill were answered right."""

    drill: Literal["envelope"] = Field(description="which drill")
    right: int = Field(ge=1, description="answers that must be right")
    out_of: int = Field(ge=1, description="the latest questions that are looked at")

    @model_validator(mode="after")
    def _can_be_met(self) -> DrillPassed:
        if self.right > self.out_of:
            raise ValueError(f"{self.right} right out of {self.out_of} can never be met")
        return self


class AllOf(Frozen):
    """Every part must hold."""

    all_of: tuple[Rule, ...] = Field(min_length=1, description="the parts")


class AnyOf(Frozen):
    """One part is enough."""

    any_of: tuple[Rule, ...] = Field(min_length=2, description="the parts")


class AtLeast(Frozen):
    """So many of the parts must hold."""

    at_least: int = Field(ge=1, description="how many")
    of: tuple[Rule, ...] = Field(min_length=2, description="the parts")

    @model_validator(mode="after")
    def _can_be_met(self) -> AtLeast:
        if self.at_least > len(self.of):
            raise ValueError(f"at least {self.at_least} of {len(self.of)} parts can never be met")
        return self


# the key that tells one rule from another; `at_least` alone does not, since leaves carry it too
_KEYS = ("solved", "confirmed", "attested", "season_weeks", "gaps_logged", "drill", "all_of", "any_of", "of")


def _key_of(value: Any) -> str | None:
    present = [key for key in _KEYS if (key in value if isinstance(value, dict) else hasattr(value, key))]
    return present[0] if len(present) == 1 else None


Rule = Annotated[
    Annotated[Solved, Tag("solved")]
    | Annotated[Confirmed, Tag("confirmed")]
    | Annotated[Attested, Tag("attested")]
    | Annotated[SeasonKept, Tag("season_weeks")]
    | Annotated[GapsLogged, Tag("gaps_logged")]
    | Annotated[DrillPassed, Tag("drill")]
    | Annotated[AllOf, Tag("all_of")]
    | Annotated[AnyOf, Tag("any_of")]
    | Annotated[AtLeast, Tag("of")],
    Discriminator(
        _key_of,
        custom_error_type="not_a_rule",
        custom_error_message=f"a rule has exactly one of: {', '.join(_KEYS)}",
    ),
]
Leaf = Solved | Confirmed | Attested | SeasonKept | GapsLogged | DrillPassed

AllOf.model_rebuild()
AnyOf.model_rebuild()
AtLeast.model_rebuild()


def leaves(rule: Rule) -> Iterator[Leaf]:
    """Every piece of evidence that a rule names, in order."""
    for part in _parts(rule):
        yield from leaves(part)
    if isinstance(rule, Leaf):
        yield rule


def in_words(rule: Rule) -> str:
    """The rule as a learner reads it, on one line."""
    match rule:
        case Solved():
            return f"{rule.solved} solved ({rule.rung})"
        case Confirmed(confirmed="codeforces-rating"):
            return f"a Codeforces rating of {rule.at_least} or more, confirmed"
        case Confirmed():
            return f"{rule.confirmed} confirmed"
        case Attested():
            return f"{rule.attested} attested" + (f" × {rule.at_least}" if rule.at_least > 1 else "")
        case SeasonKept():
            return f"a season of {rule.season_weeks} weeks kept"
        case GapsLogged():
            return f"{rule.gaps_logged} entries in one gap log"
        case DrillPassed():
            return f"{rule.right} of the latest {rule.out_of} {rule.drill} questions right"
    words = [f"({in_words(part)})" if _parts(part) else in_words(part) for part in _parts(rule)]
    if isinstance(rule, AtLeast):
        return f"at least {rule.at_least} of: {', '.join(words)}"
    return (" and " if isinstance(rule, AllOf) else " or ").join(words)


def _parts(rule: Rule) -> tuple[Rule, ...]:
    match rule:
        case AllOf():
            return rule.all_of
        case AnyOf():
            return rule.any_of
        case AtLeast():
            return rule.of
    return ()
