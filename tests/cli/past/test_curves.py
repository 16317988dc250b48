"""``history --plot`` and ``show``: the curves that attempts keep, in the terminal and as a file."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from deepfield_cli.grading.result import CheckResult
from deepfield_cli.journey.curves import Curve, curves_in
from deepfield_cli.journey.workspace import Workspace
from tests.cli.past.conftest import NOW, Ask, Attempt

SVG = "{http://www.w3.org/2000/svg}"


def trained(start: float, *, name: str = "loss", check: str = "mean_matches", **changes: Any) -> dict[str, Any]:
    """The changes that make an attempt one that has a curve."""
    metrics = {"numbers": 3.0, **{f"{name}@{step}": start / step for step in (1, 2, 4, 8)}}
    passed = CheckResult(
        name=check, description="A promise.", outcome="passed", points=1, seconds=0.1, metrics=metrics, cause=None
    )
    return {"checks": (passed,), "rung": "laptop", **changes}


@pytest.fixture
def three(attempt: Attempt) -> list[int]:
    """Three attempts with a curve and many at core without one; the numbers of the three."""
    numbers = []
    for hours, start in ((3, 8.0), (2, 6.0), (1, 4.0)):
        numbers.append(attempt(at=NOW - timedelta(hours=hours), **trained(start, solved=start < 5)).id)
    for _ in range(25):
        attempt({"mean_matches": "failed"})
    return numbers


@pytest.mark.parametrize(
    ("metrics", "found"),
    [
        ({}, ()),
        ({"loss": 1.0, "loss@1": 2.0}, ()),
        ({"loss@2": 1, "loss@1": 2.0}, (Curve("loss", ((1.0, 2.0), (2.0, 1.0))),)),
        ({"a@1": 1.0, "b@1": 2.0, "a@2": 3.0}, (Curve("a", ((1.0, 1.0), (2.0, 3.0))),)),
        ({"loss@x": 1.0, "loss@1": "2", "loss@2": float("nan"), "@3": 1.0, "loss@-1": 1.0}, ()),
    ],
)
def test_a_curve_is_two_points_of_one_name(metrics: Mapping[str, Any], found: tuple[Curve, ...]) -> None:
    assert curves_in(metrics) == found


@pytest.mark.parametrize("width", [80, 120])
def test_several_attempts_are_in_one_plot_with_a_legend(three: list[int], ask: Ask, width: int) -> None:
    first, second, third = three
    answer = ask("history", "tiny/mean", "--plot", width=width)
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[0] == "loss of mean_matches, tiny/mean laptop"
    assert lines[1].strip().startswith("8 ┤")
    assert lines[11].strip().startswith("0.5 ┤")
    assert lines[13].split() == ["1", "8"]
    assert [line.strip().partition(",")[0] for line in lines[14:17]] == [
        f"* attempt {third}",
        f"o attempt {second}",
        f"x attempt {first}",
    ]
    assert lines[14].endswith("solved: 0.5 at the end")
    assert lines[15].endswith("not solved: 0.75 at the end")
    assert max(map(len, lines)) <= width


def test_each_check_and_each_curve_has_its_own_plot(attempt: Attempt, ask: Ask) -> None:
    attempt(**trained(8.0))
    attempt(**trained(8.0, name="accuracy"))
    attempt(**trained(8.0, check="center_matches"))
    heads = [line for line in ask("history", "--plot").out.splitlines() if line.endswith("tiny/mean laptop")]
    assert heads == [
        "loss of center_matches, tiny/mean laptop",
        "accuracy of mean_matches, tiny/mean laptop",
        "loss of mean_matches, tiny/mean laptop",
    ]


def test_more_curves_than_can_be_told_apart(attempt: Attempt, ask: Ask) -> None:
    numbers = [attempt(**trained(float(start))).id for start in range(1, 10)]
    out = ask("history", "--plot").out
    assert [f"attempt {number}," in out for number in numbers] == [False] * 3 + [True] * 6
    assert "and 3 older ones" in out
    limited = ask("history", "--plot", "--limit", "2").out
    assert [f"attempt {number}," in limited for number in numbers] == [False] * 7 + [True] * 2


def test_a_flat_curve_and_a_single_attempt(attempt: Attempt, ask: Ask) -> None:
    passed = trained(1.0)["checks"][0]
    flat = passed.model_copy(update={"metrics": {"loss@1": 2.0, "loss@2": 2.0}})
    attempt(checks=(flat,), rung="laptop")
    lines = ask("history", "--plot").out.splitlines()
    assert lines[6].strip().startswith("2 ┤")
    assert [index for index, line in enumerate(lines) if any(0x2800 < ord(sign) < 0x2900 for sign in line)] == [6]


def test_json_has_the_points(three: list[int], ask: Ask) -> None:
    document = json.loads(ask("history", "--plot", "--json").out)
    assert document["schema_version"] == 1
    (chart,) = document["charts"]
    assert (chart["problem"], chart["rung"], chart["check"], chart["name"], chart["left_out"]) == (
        "tiny/mean",
        "laptop",
        "mean_matches",
        "loss",
        0,
    )
    assert [line["number"] for line in chart["lines"]] == three[::-1]
    assert chart["lines"][0]["points"] == [[1.0, 4.0], [2.0, 2.0], [4.0, 1.0], [8.0, 0.5]]


def test_the_file_stands_alone(three: list[int], ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "curves.svg"
    answer = ask("history", "--svg", path)
    assert (answer.code, "loss of mean_matches" in answer.out) == (0, True)
    drawing = ElementTree.parse(path).getroot()
    assert drawing.tag == f"{SVG}svg"
    curves = drawing.findall(f"{SVG}polyline")
    assert len(curves) == 3
    assert len({curve.get("stroke") for curve in curves}) == 3
    assert len({curve.get("stroke-dasharray") for curve in curves}) == 3
    texts = [element.text or "" for element in drawing.iter(f"{SVG}text")]
    assert [
        text.startswith(f"attempt {number}, 2026-03-14") for text, number in zip(texts[-3:], three[::-1], strict=True)
    ]
    assert {"8", "0.5", "1"} <= set(texts)
    assert "http" not in path.read_text().replace("http://www.w3.org/2000/svg", "")


def test_names_bring_no_markup_into_the_file(attempt: Attempt, ask: Ask, tmp_path: Path) -> None:
    attempt(**trained(2.0, name="<script>&"))
    ask("history", "--svg", tmp_path / "curves.svg")
    drawing = ElementTree.parse(tmp_path / "curves.svg").getroot()
    assert [element.tag for element in drawing.iter() if "script" in element.tag] == []


def test_nothing_to_draw(attempt: Attempt, ask: Ask, tmp_path: Path) -> None:
    attempt()
    answer = ask("history", "--plot")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith("No curves yet: ")
    refused = ask("history", "--svg", tmp_path / "curves.svg")
    assert refused.code == 2
    assert "there is no curve to draw" in refused.err
    assert not (tmp_path / "curves.svg").exists()


def test_a_file_that_cannot_be_written(three: list[int], ask: Ask, tmp_path: Path) -> None:
    answer = ask("history", "--svg", tmp_path)
    assert answer.code == 2
    assert answer.err.startswith(f"deepfield: {tmp_path}: cannot write: ")


def test_the_page_of_a_problem_has_them_too(three: list[int], ask: Ask, tmp_path: Path) -> None:
    out = ask("show", "tiny/mean", "--svg", tmp_path / "page.svg").out
    assert "where you are" in out
    assert out.index("where you are") < out.index("loss of mean_matches, tiny/mean laptop")
    assert ElementTree.parse(tmp_path / "page.svg").getroot().tag == f"{SVG}svg"


def test_only_a_problem_has_curves(workspace: Workspace, ask: Ask, tmp_path: Path) -> None:
    answer = ask("show", "people", "--svg", tmp_path / "page.svg")
    assert (answer.code, "name a problem" in answer.err) == (2, True)
