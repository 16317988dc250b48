"""YAML without surprises: what is read, and for everything else the file, the line and the near miss."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from deepfield_cli.content.strict_yaml import load_model, load_yaml, load_yaml_with_lines
from deepfield_cli.errors import ContentError


class Leaf(BaseModel):
    """The inner model of these tests."""

    model_config = ConfigDict(extra="forbid")

    points: int = Field(gt=0)
    label: str = ""


class Tree(BaseModel):
    """The outer model of these tests."""

    model_config = ConfigDict(extra="forbid")

    title: str
    leaves: tuple[Leaf, ...] = ()
    named: dict[str, Leaf] = {}


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Write a text (or bytes) to a file and return its path."""

    def write_file(content: str | bytes) -> Path:
        path = tmp_path / "file.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return write_file


def fault_of(path: Path, *, model: type | None = None) -> ContentError:
    with pytest.raises(ContentError) as caught:
        load_yaml(path) if model is None else load_model(path, model)
    assert "\n" not in str(caught.value)
    return caught.value


# What is read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("7", 7),
        ("-7", -7),
        ("+7", 7),
        ("0", 0),
        ("1_000_000", 1_000_000),
        ("1.5", 1.5),
        ("-0.5", -0.5),
        (".5", 0.5),
        ("1e-5", 1e-5),
        ("2.5E+3", 2500.0),
        ("6.02e23", 6.02e23),
        ("12:30", "12:30"),
        ("2026-01-01", "2026-01-01"),
        ("1.2.3", "1.2.3"),
        ("0x1F", "0x1F"),
        ("007", "007"),
        ("e5", "e5"),
        ("1e", "1e"),
        ("1_", "1_"),
        ("_1", "_1"),
        ("1__0", "1__0"),
        (".", "."),
        ("+", "+"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("=", "="),
        ("'yes'", "yes"),
        ('"no"', "no"),
        ("'7'", "7"),
        ('"null"', "null"),
        ("yesterday", "yesterday"),
        ("NO_", "NO_"),
    ],
)
def test_plain_scalars(write: Any, text: str, value: object) -> None:
    found = load_yaml(write(f"key: {text}\n"))["key"]
    assert found == value
    assert type(found) is type(value)


def test_blocks_of_text_stay_text(write: Any) -> None:
    assert load_yaml(write("a: |\n  yes\n  7\nb: >\n  no\n  8\n")) == {"a": "yes\n7\n", "b": "no 8\n"}


def test_nested_collections_and_where_they_stand(write: Any) -> None:
    value, lines = load_yaml_with_lines(write("a:\n  - x: 1\n    z: [2, 3]\n\n  - {x: 4}\nb: end\n"))
    assert value == {"a": [{"x": 1, "z": [2, 3]}, {"x": 4}], "b": "end"}
    assert {path: lines[path] for path in [("a",), ("a", 0), ("a", 0, "z"), ("a", 1, "x"), ("b",)]} == {
        ("a",): 1,
        ("a", 0): 2,
        ("a", 0, "z"): 3,
        ("a", 1, "x"): 5,
        ("b",): 6,
    }


def test_keys_are_text_even_where_they_look_like_numbers(write: Any) -> None:
    assert load_yaml(write("1: a\n2.5: b\ntrue: c\n")) == {"1": "a", "2.5": "b", "true": "c"}


def test_an_empty_file_holds_nothing(write: Any) -> None:
    assert load_yaml(write("")) is None
    assert load_yaml(write("# only a comment\n")) is None


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_whatever_stands_in_a_file_is_read_or_refused_in_one_line(tmp_path_factory: Any, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, encoding="utf-8", newline="")
    try:
        load_yaml(path)
    except ContentError as fault:
        assert str(path) in str(fault)
        assert "\n" not in str(fault)


@given(st.from_regex(re.compile(r"[-+0-9eE_.xob:]{1,8}"), fullmatch=True))
def test_whatever_looks_like_a_number_is_read_or_refused(tmp_path_factory: Any, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "number.yaml"
    path.write_text(f"key: {text}\n", encoding="utf-8")
    try:
        found = load_yaml(path)
    except ContentError:
        return
    if isinstance(found, dict) and isinstance(found.get("key"), int | float):
        assert float(found["key"]) == float(text)


# What is refused, and where


@pytest.mark.parametrize("word", ["yes", "no", "on", "off", "y", "n", "True", "False", "TRUE", "FALSE"])
def test_words_that_could_be_a_boolean_are_refused(write: Any, word: str) -> None:
    fault = fault_of(write(f"title: x\ncountry: {word}\n"))
    assert fault.what == f'"{word}" could be a boolean'
    assert fault.fix == f'write true or false, or quote it: "{word}"'
    assert (fault.where or "").endswith("file.yaml:2")


def test_words_that_could_be_a_boolean_are_refused_as_keys_too(write: Any) -> None:
    assert 'on" could be a boolean' in str(fault_of(write("a: 1\non: push\n")))


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, 'duplicate key "a"'),
        ("a:\n  x: 1\n  z: 2\n  x: 3\n", 4, 'duplicate key "x"'),
        ("a: {x: 1, x: 2}\n", 1, 'duplicate key "x"'),
        ("a: &anchor 1\n", 1, "anchors and aliases are not used here"),
        ("a: 1\nb: &anchor\n  c: 2\n", 2, "anchors and aliases are not used here"),
        ("a: &anchor [1]\nb: *anchor\n", 1, "anchors and aliases are not used here"),
        ("a: !!python/object/apply:os.system [ls]\n", 1, "tag"),
        ("a: !!str 5\n", 1, "tag"),
        ("a: !own\n  b: 1\n", 1, "tag"),
        ("a: 1\n---\nb: 2\n", 2, "not valid YAML"),
        ("a: [1, 2\nb: 3\n", 2, "not valid YAML"),
        ("a: 'open\n", 2, "not valid YAML"),
        ("a: 1\n\tb: 2\n", 2, "not valid YAML"),
        ("a: b: c\n", 1, "not valid YAML"),
        ("a: 1\nb: \x07\n", 2, "not valid YAML"),
        ("[a, b]: 1\n", 1, "a key must be plain text"),
        ("? {a: 1}\n: 2\n", 1, "a key must be plain text"),
        ("a: *nowhere\n", 1, "not valid YAML"),
        ("a: @b\n", 1, "not valid YAML"),
        ("x: " + "[" * 5000 + "\n", 2, "not valid YAML"),
        ("a: *anchor\nb: &anchor 1\n", 1, "not valid YAML"),
    ],
)
def test_each_fault_has_its_line(write: Any, text: str, line: int, words: str) -> None:
    fault = fault_of(write(text))
    assert words in fault.what
    assert (fault.where or "").endswith(f"file.yaml:{line}")


@pytest.mark.parametrize("depth", [3000, 100_000])
def test_nesting_without_end_is_refused_and_does_not_end_the_process(write: Any, depth: int) -> None:
    assert fault_of(write("[" * depth + "]" * depth)).what in ("nested too deeply", "more than 10,000 brackets")


def test_a_number_too_long_for_python_is_text(write: Any) -> None:
    assert load_yaml(write("key: " + "9" * 5000)) == {"key": "9" * 5000}


def test_a_file_that_is_not_there_or_no_text_is_told(write: Any, tmp_path: Path) -> None:
    assert "cannot be read" in str(fault_of(tmp_path / "missing.yaml"))
    assert "cannot be read" in str(fault_of(write(b"a: \xff\xfe\n")))
    assert "cannot be read" in str(fault_of(tmp_path))


# Models


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("title: x\ntitel: z\n", 2, 'unknown key "titel" (at titel) — did you mean "title"?'),
        ("title: x\nleaves:\n  - point: 1\n", 3, 'unknown key "point" (at leaves.0.point) — did you mean "points"?'),
        ("title: x\nxyzzy: z\n", 2, 'unknown key "xyzzy" (at xyzzy)'),
        ("leaves: []\n", 1, 'missing key "title" (at title)'),
        ("title: x\nleaves:\n  - label: a\n", 3, 'missing key "points" (at leaves.0.points)'),
        ("title: 7\n", 1, "title: Input should be a valid string"),
        ("title: x\nleaves:\n  - points: 1\n  - points: 0\n", 4, "leaves.1.points: Input should be greater than 0"),
        ("title: x\nnamed:\n  a: {points: many}\n", 3, "named.a.points: Input should be a valid integer"),
        ("title: x\nleaves: none\n", 2, "leaves: Input should be a valid tuple"),
        ("[1, 2]\n", 1, "the document: Input should be a valid dictionary"),
        ("", 1, "the document: Input should be a valid dictionary"),
    ],
)
def test_a_model_s_fault_is_told_with_line_and_near_miss(write: Any, text: str, line: int, message: str) -> None:
    path = write(text)
    fault = fault_of(path, model=Tree)
    assert str(fault).startswith(f"{path}:{line}: {message}")


def test_a_near_miss_at_the_top_is_told_before_what_is_missing(write: Any) -> None:
    """A misspelt key is also a missing one: the spelling is what helps."""
    assert 'did you mean "title"?' in str(fault_of(write("titel: x\n"), model=Tree))


def test_a_model_is_read(write: Any) -> None:
    tree = load_model(write("title: x\nleaves: [{points: 1}]\nnamed: {a: {points: 2, label: b}}\n"), Tree)
    assert tree == Tree(title="x", leaves=(Leaf(points=1),), named={"a": Leaf(points=2, label="b")})
