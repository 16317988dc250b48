"""Evidence rules are decided as they read, and never called better known than their weakest part."""

from __future__ import annotations

from typing import Any

import pytest

from deepfield_cli.content.road import open_roadmap
from deepfield_cli.journey.rules import Facts, decide

FACTS = Facts(
    solved=frozenset({("rl/ppo", "core"), ("rl/ppo", "paper")}),
    confirmed={"codeforces-rating": 1912},
    attested={"derivation": 2},
    season_weeks=12,
    gaps={"rl/ppo": 2, "llm/gpt2": 3},
    drills={"envelope": [True] * 24 + [False] * 6 + [True] * 50},
)


@pytest.mark.parametrize(
    ("rule", "holds", "evidence"),
    [
        ({"solved": "rl/ppo", "rung": "paper"}, True, "verified"),
        ({"solved": "rl/ppo", "rung": "laptop"}, False, None),
        ({"solved": "rl/dqn"}, False, None),
        ({"confirmed": "codeforces-rating", "at_least": 1900}, True, "confirmed"),
        ({"confirmed": "codeforces-rating", "at_least": 2000}, False, None),
        ({"confirmed": "merged-pr", "at_least": 1}, False, None),
        ({"attested": "derivation", "at_least": 2}, True, "attested"),
        ({"attested": "derivation", "at_least": 3}, False, None),
        ({"season_weeks": 12}, True, "verified"),
        ({"season_weeks": 13}, False, None),
        ({"gaps_logged": 3}, True, "verified"),
        ({"gaps_logged": 4}, False, None),
        ({"drill": "envelope", "right": 24, "out_of": 30}, True, "verified"),
        ({"drill": "envelope", "right": 25, "out_of": 30}, False, None),
        ({"all_of": [{"solved": "rl/ppo"}, {"attested": "derivation"}]}, True, "attested"),
        ({"all_of": [{"solved": "rl/ppo"}, {"solved": "rl/dqn"}]}, False, None),
        ({"any_of": [{"attested": "derivation"}, {"solved": "rl/ppo"}]}, True, "verified"),
        ({"at_least": 1, "of": [{"solved": "rl/dqn"}, {"season_weeks": 12}]}, True, "verified"),
        ({"at_least": 2, "of": [{"solved": "rl/dqn"}, {"season_weeks": 12}]}, False, None),
    ],
)
def test_decisions(rule: dict[str, Any], holds: bool, evidence: str | None) -> None:
    part = decide(rule, FACTS)
    assert (part.holds, part.evidence) == (holds, evidence)
    assert (part.share == 1.0) == holds


def test_shares_tell_how_near_it_is() -> None:
    assert decide({"attested": "derivation", "at_least": 4}, FACTS).share == 0.5
    assert decide({"all_of": [{"solved": "rl/ppo"}, {"solved": "rl/dqn"}]}, FACTS).share == 0.5
    assert decide({"any_of": [{"attested": "derivation", "at_least": 4}, {"solved": "rl/dqn"}]}, FACTS).share == 0.5


def test_every_rule_of_the_road_is_open_at_first_and_met_by_everything() -> None:
    roadmap = open_roadmap()
    rules = [item.evidence for item in (*roadmap.projects.values(), *roadmap.arena.values(), *roadmap.signals.values())]
    rules += [stage.done_when.survey.evidence for stage in roadmap.stages.values()]
    rules += [stage.done_when.season.evidence for stage in roadmap.stages.values()]
    everything = Facts(
        solved=frozenset((one.id, rung) for one in roadmap.problems.values() for rung in one.rungs),
        confirmed={"merged-pr": 99, "codeforces-rating": 9999},
        attested=dict.fromkeys(roadmap.rubrics, 9999),
        season_weeks=16,
        gaps={"llm/gpt2": 99},
        drills={"envelope": [True] * 99},
    )
    assert len(rules) > 30
    for rule in rules:
        plain = rule.model_dump(mode="json")
        assert not decide(plain, Facts()).holds
        assert decide(plain, everything).holds
