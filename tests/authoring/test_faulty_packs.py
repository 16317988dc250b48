"""Faults that stop the judge before anything runs: each with its file, its line and its near miss."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepfield_cli.authoring.check import check_problem
from deepfield_cli.authoring.layout import layout_findings
from deepfield_cli.authoring.references import reference_findings, url_fault
from tests.authoring.conftest import FaultyCopy

YAML = "problems/words/tally/problem.yaml"
SUITE = "graders/words/tally/suite.py"
FATAL = [
    (YAML, "difficulty: medium", "dificulty: medium", 5, 'unknown key "dificulty"', 'did you mean "difficulty"?'),
    (YAML, "difficulty: medium", "difficulty: medum", 5, "difficulty: Input should be 'medium'", ""),
    (YAML, "version: 1\ntitle", "version: 1\nversion: 2\ntitle", 4, 'duplicate key "version"', "keep one"),
    (YAML, "why: It is small enough to be judged in a second.", "why: yes", 7, '"yes" could be a boolean', "quote it"),
    (YAML, "id: words/tally", "id: words/taly", None, 'id is "words/taly" but the folder says', ""),
    (YAML, "hints: [A dictionary maps a word to its count., ", "hints: [", 19, "at least 3 items", ""),
    (YAML, "difficulty: medium", "difficulty: !!python/name:os.system", 5, "the tag", "write a plain value"),
    (YAML, "concepts: [counting]", "concepts: [counting", 9, "not valid YAML", "fix the syntax"),
    (SUITE, "suite = Suite(", "suite = Suit(", 11, "NameError: name 'Suit' is not defined", ""),
    (SUITE, 'tally.call("top", 9)', 'tally.call("top" 9)', 47, "SyntaxError", ""),
    (SUITE, 'Suite("words/tally")', 'Suite("words/taly")', None, 'no `suite = Suite("words/tally")`', ""),
    (SUITE, "import numpy as np", "import numpyy as np", None, "its grader needs the package numpyy", "pip install"),
    (SUITE, "needs=[counts]", "needs=[tally_of]", None, "ranking needs tally_of, which is not a check", ""),
    (SUITE, '    """A ranking of more words than there are holds all of them."""\n', "", None, "has no docstring", ""),
    (SUITE, "(submission: Submission, rng: np", "(submission: Submission, rg: np", None, "asks for rg", ""),
]


@pytest.mark.parametrize(("file", "old", "new", "line", "what", "fix"), FATAL)
def test_what_cannot_be_loaded_is_one_finding(
    faulty_copy: FaultyCopy, file: str, old: str, new: str, line: int | None, what: str, fix: str
) -> None:
    location = faulty_copy(file, old, new)
    (finding,) = check_problem(location).findings
    assert what in finding.what
    assert fix in (finding.fix or "")
    if line is not None:
        assert finding.where == f"{location.pack.root / file}:{line}"


MISSING = [
    ("problems/words/tally/README.md", "problems/words/tally/README.md", "there is no brief"),
    ("problems/words/tally/starter", "problems/words/tally/starter/tally.py", "there is no starter"),
    ("graders/words/tally/solutions/two_files", "graders/words/tally/solutions", "1 of at least 2 solutions"),
    ("graders/words/tally/solutions/two_files/tally.py", "graders/words/tally/solutions/two_files", "no tally.py"),
]


@pytest.mark.parametrize(("removed", "where", "what"), MISSING)
def test_what_is_missing_on_the_disk(faulty_copy: FaultyCopy, removed: str, where: str, what: str) -> None:
    location = faulty_copy(removed)
    (finding,) = layout_findings(location, location.load())
    assert finding.where == str(location.pack.root / where)
    assert what in finding.what


STARTERS = [
    ("def top", "def topp", "", "Tally.top is in the api", 'did you mean "Tally.topp"?'),
    ("def top(self, size", "def top(self size", ":18", "not valid Python", "must load"),
]


@pytest.mark.parametrize(("old", "new", "line", "what", "fix"), STARTERS)
def test_a_starter_has_to_offer_the_api(
    faulty_copy: FaultyCopy, old: str, new: str, line: str, what: str, fix: str
) -> None:
    location = faulty_copy("problems/words/tally/starter/tally.py", old, new)
    (finding,) = layout_findings(location, location.load())
    assert finding.where == f"{location.starter / 'tally.py'}{line}"
    assert what in finding.what
    assert fix in (finding.fix or "")


STAGE = Path(__file__).parent / "stage.yaml"


def test_a_concept_has_to_stand_in_the_stages_list(faulty_copy: FaultyCopy) -> None:
    location = faulty_copy()
    stages = location.pack.root / "curriculum" / "stages"
    stages.mkdir(parents=True)
    declared = location.yaml.read_text().replace("words/tally", "llm/tally").replace("[counting]", "[counting, sortng]")
    location = location.pack.location("llm/tally")
    location.folder.mkdir(parents=True)
    location.yaml.write_text(declared)
    (stages / "llm.yaml").write_text(STAGE.read_text())
    (finding,) = reference_findings(location, location.load())
    assert finding.where == f"{location.yaml}:8"
    assert finding.what == 'stage llm has no concept "sortng"'
    assert finding.fix == 'did you mean "sorting"?'


def test_without_a_stage_of_that_field_concepts_are_free(faulty_copy: FaultyCopy) -> None:
    location = faulty_copy()
    stages = location.pack.root / "curriculum" / "stages"
    stages.mkdir(parents=True)
    (stages / "llm.yaml").write_text(STAGE.read_text())
    assert not list(reference_findings(location, location.load()))


def test_a_stage_that_cannot_be_read_is_a_finding(faulty_copy: FaultyCopy) -> None:
    location = faulty_copy()
    stages = location.pack.root / "curriculum" / "stages"
    stages.mkdir(parents=True)
    (stages / "llm.yaml").write_text(STAGE.read_text().replace("tagline:", "tag_line:"))
    (finding,) = reference_findings(location, location.load())
    assert finding.where == f"{stages / 'llm.yaml'}:5"
    assert finding.what.startswith('unknown key "tag_line"')


@pytest.mark.parametrize(
    "url",
    [
        "https://arxiv.org/abs/1706.03762",
        "http://neuralnetworksanddeeplearning.com/chap2.html#the_four",
        "https://github.com/a/b/tree/main/c?x=1&y=(2)",
    ],
)
def test_honest_addresses_are_well_formed(url: str) -> None:
    assert url_fault(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/x",
        "https:/example.org",
        "https://example",
        "https://exam ple.org",
        "https://example.org/a b",
        "https://example.org/a.",
        "https://[broken/",
        "example.org",
    ],
)
def test_addresses_that_cannot_be_are_found(url: str) -> None:
    assert url_fault(url)
