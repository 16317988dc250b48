"""The result document: what it says for each kind of grade, and the field names that others rely on."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from deepfield_cli.grading.diagnoses import GENERAL, look_up
from deepfield_cli.grading.grade import Grade, GradeRequest, grade
from deepfield_cli.grading.junit import junit_xml
from deepfield_cli.grading.result import Cause, CheckResult, GradeResult, PackReference
from deepfield_cli.sandbox.pool import WarmPool
from tests.grading.conftest import MakePack, tiny

GOLDEN = Path(__file__).parent / "golden" / "result.json"
# What no two machines or moments share.
VARYING = {
    "isolation": "…",
    "suite_digest": "…",
    "submission_digest": "…",
    "started_at": "…",
    "seconds": 0.0,
    "environment": {},
}
SUITE = '''from deepfield_cli.grading import Suite, expect

suite = Suite("toy/square")


@suite.check(points=3)
def right(submission):
    """Three."""
    expect(submission.call("square", 3) == 9, "three squared is nine")


@suite.check(points=1)
def other(submission):
    """The other one."""
    {body}
'''


def grade_toy(make_pack: MakePack, pool: WarmPool, body: str, **options: Any) -> Grade:
    location = make_pack(suite=SUITE.replace("{body}", body))
    return grade(GradeRequest(location, location.solutions()[0], **options), pool)


# Score, verdict, exit code


@pytest.mark.parametrize(
    ("body", "score", "points", "solved", "exit_code"),
    [
        ("pass", 1.0, 4, True, 0),
        ("expect(False, 'no')", 0.75, 3, False, 1),
        ("assert False", None, 3, False, 3),
    ],
)
def test_the_score_is_the_share_of_points_and_null_if_and_only_if_a_check_errored(
    make_pack: MakePack, pool: WarmPool, body: str, score: float | None, points: int, solved: bool, exit_code: int
) -> None:
    result = grade_toy(make_pack, pool, body).result
    assert (result.score, result.points, result.points_possible) == (score, points, 4)
    assert (result.solved, result.exit_code, result.partial) == (solved, exit_code, False)


@pytest.mark.parametrize(("only", "points", "exit_code"), [(("right",), 3, 0), (("other",), 0, 1)])
def test_a_run_of_some_checks_solves_nothing(
    make_pack: MakePack, pool: WarmPool, only: tuple[str, ...], points: int, exit_code: int
) -> None:
    result = grade_toy(make_pack, pool, "expect(False, 'no')", only=only).result
    assert (result.partial, result.solved, result.points, result.exit_code) == (True, False, points, exit_code)
    assert tuple(one.name for one in result.checks) == only


def test_a_result_with_a_fault_is_no_verdict() -> None:
    assert a_result(fault="the pack is broken").exit_code == 3


def test_a_grade_carries_what_was_graded(pool: WarmPool) -> None:
    location = tiny("tiny/mean")
    outcome = grade(GradeRequest(location, location.solutions()[0]), pool)
    assert outcome.files.files == {"mean.py": location.solutions()[0].read_bytes()}
    assert outcome.result.submission_files == ("mean.py",)
    assert outcome.result.submission_digest == outcome.files.digest
    assert outcome.result.suite_digest == location.suite_digest()
    assert len({grade(GradeRequest(location, location.solutions()[0]), pool).result.seed for _ in range(3)}) == 3


# The document


def test_the_document_is_the_golden_one(pool: WarmPool) -> None:
    location = tiny("tiny/mean")
    never_divides = next(path for path in location.wrongs() if path.stem == "never_divides")
    document = grade(GradeRequest(location, never_divides, seed=1), pool).result.model_dump(mode="json")
    for check in document["checks"]:
        check["seconds"] = 0.0
    assert {**document, **VARYING, "pack": {**document["pack"], "version": "…"}} == json.loads(GOLDEN.read_text())


def test_the_document_can_be_read_back() -> None:
    result = a_result(checks=(a_check("failed", Cause(rationale="no")),))
    assert GradeResult.model_validate_json(json.dumps(result.model_dump(mode="json"))) == result


def test_a_document_of_another_version_is_not_taken_for_this_one() -> None:
    with pytest.raises(ValueError, match="schema_version"):
        GradeResult.model_validate({**a_result().model_dump(mode="json"), "schema_version": 2})


@pytest.mark.parametrize("model", [GradeResult, CheckResult, Cause, PackReference])
def test_every_field_is_described(model: Any) -> None:
    assert [name for name, field in model.model_fields.items() if not field.description] == []


def test_the_names_that_others_rely_on_are_there() -> None:
    schema = GradeResult.model_json_schema()
    assert {"schema_version", "problem", "rung", "score", "solved", "seed", "isolation", "checks"} <= set(
        schema["properties"]
    )
    assert set(schema["$defs"]["CheckResult"]["properties"]) == {
        *("name", "description", "outcome", "points", "seconds", "metrics", "cause", "output")
    }
    assert set(schema["$defs"]["Cause"]["properties"]) == {
        *("rationale", "help", "diagnosis", "expected", "actual", "author")
    }


def test_the_first_failure_is_the_first_in_the_suite_s_order() -> None:
    checks = (a_check("passed"), a_check("errored"), a_check("failed", name="this"), a_check("failed", name="later"))
    found = a_result(checks=checks).first_failure()
    assert found is not None
    assert found.name == "this"
    assert a_result().first_failure() is None


# JUnit


def test_junit_counts_every_outcome_and_keeps_the_words() -> None:
    checks = (
        a_check("passed", name="fine"),
        a_check("failed", Cause(rationale="wrong", diagnosis="doubled", expected="1", actual="2", help="look")),
        a_check("skipped", Cause(rationale="fine has to pass first")),
        a_check("errored", Cause(rationale="ours", author="Traceback")),
    )
    suite = ElementTree.fromstring(junit_xml(a_result(checks=checks)))
    assert {name: suite.get(name) for name in ("name", "tests", "failures", "errors", "skipped")} == {
        "name": "tiny/square:core",
        "tests": "4",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
    }
    cases = suite.findall("testcase")
    assert [len(case) for case in cases] == [0, 1, 1, 1]
    assert [case[0].tag for case in cases[1:]] == ["failure", "skipped", "error"]
    assert cases[0].get("classname") == "tiny.square"
    assert cases[1][0].attrib == {"message": "wrong", "type": "doubled"}
    assert cases[1][0].text == "1\n2\nlook"


def test_junit_survives_text_that_xml_cannot_hold() -> None:
    strange = "a\x00\x1b[31m\ud800\ufffe]]><&\"'é"
    text = junit_xml(a_result(checks=(a_check("failed", Cause(rationale=strange, expected=strange)),)))
    failure = ElementTree.fromstring(text.encode("utf-8")).find("testcase/failure")
    assert failure is not None
    assert (failure.get("message") or "").startswith("a")
    assert (failure.get("message") or "").endswith("]]><&\"'é")


# Diagnoses


def test_a_problem_s_own_words_come_before_the_general_ones() -> None:
    problem = tiny("tiny/square").load()
    own = look_up("doubled", problem)
    assert own is not None
    assert own.explanation.startswith("The number is added to itself")
    assert look_up("timeout", problem) is GENERAL["timeout"]
    assert look_up("nothing-known", problem) is None


def test_two_mistakes_are_told_together_if_both_are_known() -> None:
    problem = tiny("tiny/mean").load()
    both = look_up("sum-not-mean+drops-last", problem)
    assert both is not None
    assert both.explanation.startswith("Two mistakes at once: The numbers are added up")
    assert "And: The last number is left out" in both.explanation
    assert look_up("sum-not-mean+nothing-known", problem) is None


def a_check(outcome: Any, cause: Cause | None = None, *, name: str = "one") -> CheckResult:
    return CheckResult(name=name, description="A promise.", outcome=outcome, points=1, seconds=0.5, cause=cause)


def a_result(**changes: Any) -> GradeResult:
    values: dict[str, Any] = {
        "problem": "tiny/square",
        "problem_version": 1,
        "title": "Square",
        "rung": "core",
        "score": 1.0,
        "solved": True,
        "points": 1,
        "points_possible": 1,
        "seed": 7,
        "isolation": "process",
        "pack": PackReference(name="tiny", version="0"),
        "suite_digest": "a",
        "submission_digest": "b",
        "submission_files": ("square.py",),
        "started_at": "2026-01-01T00:00:00.000+00:00",
        "seconds": 0.5,
        "environment": {},
        "checks": (a_check("passed"),),
    }
    return GradeResult(**{**values, **changes})
