"""problem.yaml: each rule of the format, broken once, is told with its line and what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel

from deepfield_cli.content import problem as problem_module
from deepfield_cli.content.problem import Problem
from deepfield_cli.content.strict_yaml import load_model
from deepfield_cli.errors import ContentError
from tests.conftest import TINY_PACK

TEXT = (TINY_PACK / "problems/tiny/mean/problem.yaml").read_text(encoding="utf-8")
TARGET = "targets:\n  - {id: value, rung: RUNG, metric: m, value: 1, source: s, verified: VERIFIED}\n"

Refused = Callable[[str], str]


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


@pytest.fixture
def refused(tmp_path: Path) -> Refused:
    """The one line with which a text is refused, less its path."""

    def load(text: str) -> str:
        path = tmp_path / "problem.yaml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ContentError) as caught:
            load_model(path, Problem)
        message = str(caught.value)
        assert "\n" not in message
        assert message.startswith(f"{path}:")
        return message.removeprefix(f"{path}:")

    return load


def test_the_text_as_it_stands_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "problem.yaml"
    path.write_text(TEXT, encoding="utf-8")
    problem = load_model(path, Problem)
    assert (problem.id, problem.field, problem.slug) == ("tiny/mean", "tiny", "mean")
    assert problem.rungs["core"].memory_mb == 512
    assert problem.network == "none"


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("format_version: 1", "format_version: 2", "format_version: Input should be 1"),
        ("version: 1\ntitle", "version: 0\ntitle", "version: Input should be greater than or equal to 1"),
        ("id: tiny/mean", "id: Tiny/Mean", "id: String should match pattern"),
        ("id: tiny/mean", "id: tiny", "id: String should match pattern"),
        ("difficulty: medium", "difficulty: easy", "difficulty: Input should be 'medium', 'hard', 'brutal' or"),
        (
            "difficulty: medium",
            "dificulty: medium",
            'unknown key "dificulty" (at dificulty) — did you mean "difficulty"?',
        ),
        ("concepts: [averages]", "concepts: []", "concepts: Tuple should have at least 1 item"),
        ("entry: mean.py", "entry: ../mean.py", "entry: String should match pattern"),
        ("entry: mean.py", "entry: mean.txt", "entry: String should match pattern"),
        ("    signature: mean(values) -> float", "    sig: mean", 'unknown key "sig" (at api.0.sig)'),
        ("preload: [numpy]", "preload: ['os; import sys']", "the document: Value error, preload:"),
        (
            "  - call: numpy.mean",
            "  - cal: numpy.mean",
            'unknown key "cal" (at forbidden.0.cal) — did you mean "call"?',
        ),
        ("  - module: statistics\n", "  - call: a.b\n    module: c\n", "forbidden.1: Value error, give exactly one of"),
        (
            "  - module: statistics\n    reason",
            "  - reason",
            "forbidden.1: Value error, give exactly one of call and module",
        ),
        ("  core: {seconds: 120,", "  core: {seconds: 0,", "rungs.core.seconds: Input should be greater than 0"),
        ("  core: {seconds: 120,", "  cor: {seconds: 120,", "rungs.cor"),
        ("memory_mb: 512", "memory: 512", 'unknown key "memory" (at rungs.core.memory) — did you mean "memory_mb"?'),
        ("hints: [Add them up.,", "hints: [", "hints: Tuple should have at least 3 items"),
        ("  sum-not-mean:", "  Sum_Not_Mean:", "misconceptions.Sum_Not_Mean.[key]: String should match pattern"),
        (
            "    help: Look at the last step before the return.",
            "    help: Look.",
            "misconceptions.sum-not-mean.help: String",
        ),
        ("    explanation: The numbers", "    explain: The numbers", 'did you mean "explanation"?'),
    ],
)
def test_each_rule_is_told_where_it_is_broken(refused: Refused, before: str, after: str, message: str) -> None:
    assert before in TEXT
    text = TEXT.replace(before, after, 1)
    line, _, words = refused(text).partition(": ")
    assert words.startswith(message) or message in words
    if not words.startswith(("the document", "missing")):
        changed = next(
            number for number, (a, b) in enumerate(zip(text.split("\n"), TEXT.split("\n"), strict=False)) if a != b
        )
        assert abs(int(line) - (changed + 1)) <= 1


@pytest.mark.parametrize("key", ["id", "title", "summary", "why", "entry", "api", "rungs", "hints", "misconceptions"])
def test_nothing_that_is_needed_may_be_missing(refused: Refused, key: str) -> None:
    lines = TEXT.split("\n")
    start = next(number for number, line in enumerate(lines) if line.startswith(f"{key}:"))
    end = next(
        (
            number
            for number in range(start + 1, len(lines))
            if lines[number] and not lines[number].startswith((" ", "-"))
        ),
        len(lines),
    )
    assert f'missing key "{key}"' in refused("\n".join(lines[:start] + lines[end:]))


def test_a_target_stands_on_a_rung_that_the_problem_has(refused: Refused) -> None:
    text = TEXT + TARGET.replace("RUNG", "paper").replace("VERIFIED", "true")
    assert 'target "value" names rung "paper", which this problem does not have' in refused(text)


def test_whether_a_target_is_verified_is_true_or_false(refused: Refused) -> None:
    text = TEXT + TARGET.replace("RUNG", "core").replace("VERIFIED", "yes")
    assert refused(text).startswith(f'{line_of(text, "  - {id: value")}: "yes" could be a boolean')


def test_every_field_of_the_format_is_described() -> None:
    models = [one for one in vars(problem_module).values() if isinstance(one, type) and issubclass(one, BaseModel)]
    undescribed = [
        f"{model.__name__}.{name}"
        for model in models
        for name, field in model.model_fields.items()
        if not field.description
    ]
    assert undescribed == []


def test_a_problem_cannot_be_changed(tmp_path: Path) -> None:
    path = tmp_path / "problem.yaml"
    path.write_text(TEXT, encoding="utf-8")
    problem = load_model(path, Problem)
    with pytest.raises(ValueError, match="frozen"):
        problem.title = "another"
