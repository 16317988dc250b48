"""Rules are told apart by their key, refuse what cannot be met, and can be read aloud."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from deepfield_cli.content.evidence import AllOf, AtLeast, Attested, Confirmed, Rule, Solved, in_words, leaves
from deepfield_cli.content.roadmap import Roadmap

RULES: TypeAdapter[Rule] = TypeAdapter(Rule)


def test_a_tree_of_rules() -> None:
    rule = RULES.validate_python(
        {
            "all_of": [
                {"solved": "rl/ppo", "rung": "paper"},
                {"at_least": 1, "of": [{"solved": "rl/dqn"}, {"attested": "talk"}]},
            ]
        }
    )
    assert isinstance(rule, AllOf)
    assert rule.all_of[0] == Solved(solved="rl/ppo", rung="paper")
    assert isinstance(rule.all_of[1], AtLeast), "at_least with of is a branch"
    assert list(leaves(rule)) == [
        Solved(solved="rl/ppo", rung="paper"),
        Solved(solved="rl/dqn"),
        Attested(attested="talk"),
    ]


def test_at_least_without_of_belongs_to_a_leaf() -> None:
    assert RULES.validate_python({"attested": "putnam", "at_least": 10}) == Attested(attested="putnam", at_least=10)
    assert RULES.validate_python({"confirmed": "codeforces-rating", "at_least": 1900}) == Confirmed(
        confirmed="codeforces-rating", at_least=1900
    )


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({}, "exactly one of"),
        ({"at_least": 3}, "exactly one of"),
        ({"solved": "rl/ppo", "attested": "talk"}, "exactly one of"),
        ({"at_least": 3, "of": [{"solved": "rl/ppo"}, {"solved": "rl/dqn"}]}, "can never be met"),
        ({"drill": "envelope", "right": 31, "out_of": 30}, "can never be met"),
        ({"any_of": [{"solved": "rl/ppo"}]}, "at least 2"),
        ({"solved": "ppo"}, "pattern"),
        ({"solved": "rl/ppo", "rung": "published"}, "core"),
        ({"confirmed": "my-mother"}, "merged-pr"),
        ({"season_weeks": 12, "kept": True}, "not permitted"),
        ("solved", "exactly one of"),
    ],
)
def test_rules_that_are_refused(rule: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        RULES.validate_python(rule)


def test_in_words() -> None:
    rule = RULES.validate_python(
        {"all_of": [{"any_of": [{"solved": "rl/ppo"}, {"season_weeks": 12}]}, {"attested": "talk", "at_least": 2}]}
    )
    assert in_words(rule) == "(rl/ppo solved (core) or a season of 12 weeks kept) and talk attested × 2"
    drill = RULES.validate_python({"drill": "envelope", "right": 24, "out_of": 30})
    assert in_words(drill) == "24 of the latest 30 envelope questions right"


def test_every_rule_of_the_roadmap_reads_as_one_line(roadmap: Roadmap) -> None:
    rules = [item.evidence for items in (roadmap.projects, roadmap.arena, roadmap.signals) for item in items.values()]
    rules += [
        part.evidence for stage in roadmap.stages.values() for part in (stage.done_when.survey, stage.done_when.season)
    ]
    assert len(rules) == 5 + 9 + 10 + 12
    for rule in rules:
        text = in_words(rule)
        assert "\n" not in text
        for leaf in leaves(rule):
            assert in_words(leaf) in text


def test_every_rubric_is_asked_for_by_a_rule(roadmap: Roadmap) -> None:
    rules = [item.evidence for items in (roadmap.projects, roadmap.arena, roadmap.signals) for item in items.values()]
    rules += [
        part.evidence for stage in roadmap.stages.values() for part in (stage.done_when.survey, stage.done_when.season)
    ]
    asked = {leaf.attested for rule in rules for leaf in leaves(rule) if isinstance(leaf, Attested)}
    assert asked == set(roadmap.rubrics)


def test_repeated_attestations_carry_a_count(roadmap: Roadmap) -> None:
    """A rule that wants ten of something needs a rubric that can say how many."""
    rules = [item.evidence for items in (roadmap.projects, roadmap.arena, roadmap.signals) for item in items.values()]
    for leaf in (leaf for rule in rules for leaf in leaves(rule)):
        if isinstance(leaf, Attested) and leaf.at_least > 1:
            assert roadmap.rubrics[leaf.attested].counted, leaf.attested


def test_a_season_is_never_easier_than_its_survey(roadmap: Roadmap) -> None:
    """Survey and season of one stage differ, and the season asks for at least one published number or a kept season."""
    for stage in roadmap.stages.values():
        survey, season = stage.done_when.survey.evidence, stage.done_when.season.evidence
        assert survey != season
        assert any(isinstance(leaf, Solved) and leaf.rung == "paper" for leaf in leaves(season)), stage.id
