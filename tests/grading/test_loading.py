"""Loading a suite: what its author is told when it cannot be, and that packs never get into each other's way."""

from __future__ import annotations

import sys

import pytest

from deepfield_cli.errors import ContentError
from deepfield_cli.grading.loading import load_suite, probe_source
from tests.grading.conftest import MakePack, tiny

HEAD = 'from deepfield_cli.grading import Suite, expect\n\nsuite = Suite("toy/square")\n\n\n'
CHECK = '@suite.check()\ndef first(submission):\n    """First."""\n'


def fault_of(make_pack: MakePack, suite: str | None, **options: str) -> ContentError:
    location = make_pack(suite=suite, files=options)
    with pytest.raises(ContentError) as caught:
        load_suite(location)
    return caught.value


def test_a_suite_is_loaded_with_its_siblings() -> None:
    names = [one.name for one in load_suite(tiny("tiny/mean")).checks]
    assert names == ["one_number", "mean_matches", "center_matches", "input_is_kept"]


def test_a_problem_without_a_suite_has_no_grader_yet(make_pack: MakePack) -> None:
    fault = fault_of(make_pack, None)
    assert str(fault) == "toy/square: this problem has no grader yet — deepfield list shows those that have"


def test_a_suite_without_checks_is_never_a_pass(make_pack: MakePack) -> None:
    assert "the suite has no checks" in str(fault_of(make_pack, HEAD))


@pytest.mark.parametrize(
    "suite",
    ["", "suite = 7\n", HEAD.replace("toy/square", "toy/cube") + CHECK],
    ids=["empty", "no-suite", "another-id"],
)
def test_a_file_that_is_not_this_problem_s_suite_is_refused(make_pack: MakePack, suite: str) -> None:
    assert 'no `suite = Suite("toy/square")` in it' in str(fault_of(make_pack, suite))


def test_a_missing_library_is_named_with_the_extra_that_brings_it(make_pack: MakePack) -> None:
    fault = fault_of(make_pack, "import a_library_that_nobody_has\n" + HEAD + CHECK)
    assert "its grader needs the package a_library_that_nobody_has" in str(fault)
    assert "pip install 'deepfield[toy]'" in str(fault)


@pytest.mark.parametrize(
    ("suite", "line", "words"),
    [
        (HEAD + CHECK + "    )\n", 9, "SyntaxError"),
        (HEAD + CHECK + "\n\nundefined\n", 11, "NameError: name 'undefined' is not defined"),
        ("from . import oracel\n" + HEAD + CHECK, 1, "cannot import name 'oracel'"),
        ("from .oracel import mean\n" + HEAD + CHECK, 1, "No module named"),
        (HEAD + "@suite.check(needs=[later])\ndef first(submission):\n    'First.'\n", 6, "NameError"),
    ],
)
def test_a_suite_that_cannot_be_loaded_is_told_with_its_place(
    make_pack: MakePack, suite: str, line: int, words: str
) -> None:
    fault = fault_of(make_pack, suite)
    assert words in fault.what
    assert (fault.where or "").endswith(f"graders/toy/square/suite.py:{line}")


def test_a_fault_in_a_sibling_is_told_with_the_sibling_s_place(make_pack: MakePack) -> None:
    location = make_pack(
        suite="from . import oracle\n" + HEAD + CHECK, files={"graders/toy/square/oracle.py": "x = 1\nx.nothing\n"}
    )
    with pytest.raises(ContentError) as caught:
        load_suite(location)
    assert (caught.value.where or "").endswith("oracle.py:2")


def test_a_suite_that_is_mended_loads_in_the_same_process(make_pack: MakePack) -> None:
    fault_of(make_pack, HEAD + CHECK + "undefined\n")
    location = make_pack(suite=HEAD + CHECK)
    assert [one.name for one in load_suite(location).checks] == ["first"]


def test_two_packs_of_one_name_do_not_share_their_suites(make_pack: MakePack) -> None:
    first = make_pack(name="a/pack", suite=HEAD + CHECK)
    second = make_pack(name="b/pack", suite=HEAD + CHECK.replace("first", "second"))
    assert [load_suite(one).checks[0].name for one in (first, second)] == ["first", "second"]


def test_the_kit_can_be_imported_by_every_pack(make_pack: MakePack) -> None:
    load_suite(make_pack(suite="import graders.kit\n" + HEAD + CHECK))
    assert "graders.kit" in sys.modules


def test_the_learner_s_files_are_never_imported_here(make_pack: MakePack) -> None:
    load_suite(make_pack(suite=HEAD + CHECK))
    assert "square" not in sys.modules


def test_a_probe_is_text_for_the_worker(make_pack: MakePack) -> None:
    assert probe_source(make_pack(suite=HEAD + CHECK)) is None
    assert probe_source(make_pack(name="other", files={"graders/toy/square/probe.py": "x = 1\n"})) == "x = 1\n"
