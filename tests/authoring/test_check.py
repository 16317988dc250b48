"""The author's judge on a sound problem, and on one in which everything that running it can show is wrong."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from deepfield_cli.authoring.bench import Bench
from deepfield_cli.authoring.check import check_problem, check_problems, locations_with_grader
from deepfield_cli.authoring.report import ProblemReport
from deepfield_cli.authoring.strangeness import BRIEF_SHARE, plan
from deepfield_cli.authoring.terms import Terms
from deepfield_cli.content.packs import PACKS_VARIABLE, ProblemLocation
from deepfield_cli.errors import ContentError
from deepfield_cli.grading.loading import load_suite
from tests.authoring.conftest import BROKEN, WORDS, FaultyCopy


def test_a_sound_problem_is_green(sound_report: ProblemReport) -> None:
    assert sound_report.findings == ()
    assert sound_report.green
    assert sound_report.checks == ("counts", "ranking", "short_rankings")
    assert {(row.name, row.runs, row.solved) for row in sound_report.solutions} == {
        ("dictionary.py", 2, 2),
        ("two_files", 2, 2),
    }
    assert sound_report.strange_answers > 100


def test_the_kill_matrix_holds_every_outcome(sound_report: ProblemReport) -> None:
    rows = {row.name: row for row in sound_report.wrongs}
    assert rows.keys() == {"case_blind.py", "forgets_the_count.py", "ties_by_first_seen"}
    assert all(row.killed for row in rows.values())
    assert rows["case_blind.py"].outcomes == {"counts": "failed", "ranking": "skipped", "short_rankings": "skipped"}
    assert rows["forgets_the_count.py"].outcomes["ranking"] == "failed"
    assert rows["forgets_the_count.py"].diagnosis is None


def test_in_brief_a_wrong_submission_meets_the_check_that_it_names(faulty_copy: FaultyCopy) -> None:
    location = faulty_copy()
    claim = "# fails: ranking   diagnosis: none\n"
    (location.grader / "wrong" / "is_right.py").write_text(claim + location.solutions()[0].read_text())
    report = check_problem(location, Terms(brief=True))
    rows = {row.name: row.outcomes for row in report.wrongs}
    assert rows["case_blind.py"] == {"counts": "failed"}
    assert rows["forgets_the_count.py"] == {"ranking": "failed"}
    assert rows["is_right.py"] == {"ranking": "passed"}
    assert [str(finding.what) for finding in report.findings] == ["a wrong submission passes ranking"]


def test_each_draw_of_a_wrong_submission_has_a_seed_of_its_own(faulty_copy: FaultyCopy) -> None:
    location = faulty_copy()
    claim = "# fails: ranking   diagnosis: none\n"
    (location.grader / "wrong" / "is_right.py").write_text(claim + location.solutions()[0].read_text())
    report = check_problem(location, Terms(brief=True, draws=3, seed=41))
    assert [row.name for row in report.wrongs if not row.killed] == ["is_right.py"]
    assert [finding.fix for finding in report.findings] == [
        f"the suite has a hole (seed {seed}): add a check or inputs that tell it from a solution"
        for seed in (41, 42, 43)
    ]


def test_in_brief_every_check_meets_a_share_of_the_strange_answers(tally: ProblemLocation) -> None:
    met = []
    for brief in (False, True):
        with Bench(tally, tally.load(), load_suite(tally).checks, Terms(brief=brief)) as bench:
            trials, findings = plan(bench)
        assert not findings
        met.append(Counter((check.name, trial.functions) for trial in trials for check in trial.checks))
    whole, brief_ones = met
    assert whole.keys() == brief_ones.keys()
    for pair, count in whole.items():
        assert abs(brief_ones[pair] - count / BRIEF_SHARE) < 2


PROBLEM, GRADER = "problems/broken/halve", "graders/broken/halve"
EXPECTED = [
    (f"{PROBLEM}/starter/halve.py", "label is in the api and not in the starter", '"labl"'),
    (f"{PROBLEM}/problem.yaml:9", 'there is no problem "words/taly"', 'did you mean "words/tally"?'),
    (f"{PROBLEM}/problem.yaml:27", "One half: it holds a character", "correct the link"),
    (f"{PROBLEM}/problem.yaml:20", '"localhost" is not the name of a host', "correct the link"),
    (f"{PROBLEM}/README.md:3", "notes.md: there is no such file", "correct the link"),
    (f"{PROBLEM}/README.md:3", 'half.png: "" is not the name of a host', "correct the link"),
    (f"{GRADER}/solutions/without_entry", "it has no halve.py", "entry file"),
    (f"{GRADER}/mutants.yaml:1", 'there is no solution "god.py"', 'did you mean "good.py"?'),
    (f"{GRADER}/mutants.yaml:7", "0123456789 is explained twice", "keep one"),
    (f"{GRADER}/suite.py", "forgotten is in the api, and the suite never names it", "call it"),
    (f"{GRADER}/suite.py:22", 'no misconception is called "halves-twise"', 'did you mean "halves-twice"?'),
    (f"{GRADER}/suite.py", "no check of rung laptop", "write one"),
    (f"{GRADER}/suite.py", "of_another_rung is of rung paper", "core, laptop"),
    (f"{GRADER}/wrong/says_nothing.py:1", "does not say what it fails", "# fails: CHECK"),
    (f"{GRADER}/wrong/names_no_check.py:1", 'no check "names_nobody_know"', '"names_nobody_knows"?'),
    (f"{GRADER}/wrong/names_no_diagnosis.py:1", 'no misconception is called "all-zero"', '"all-zeros"?'),
    (f"{GRADER}/wrong", "no wrong submission shows halves-twice", "diagnosis: halves-twice"),
    (f"{GRADER}/solutions/without_entry", "a solution does not solve it: asks_nothing", "--seed"),
    (f"{GRADER}/solutions/wrong_for_12.py", "does not solve it: names_nobody_knows", "--seed"),
    (f"{PROBLEM}/starter", "the untouched stub passes asks_nothing", "call the submission"),
    (f"{PROBLEM}/starter", 'not implemented: breaks_on_text says "half of 8 is 4"', "NotImplementedError"),
    (f"{GRADER}/wrong/fails_earlier.py:1", "is breaks_on_text, not names_nobody_knows", "--seed"),
    (f"{GRADER}/wrong/has_a_name_nobody_knows.py", 'called "halved-twice"', 'did you mean "halves-twice"?'),
    (f"{GRADER}/wrong/has_a_name_nobody_knows.py:1", "gives the diagnosis halved-twice, not none", "--seed"),
    (f"{GRADER}/wrong/has_another_name.py:1", "gives the diagnosis none, not all-zeros", "--seed"),
    (f"{GRADER}/wrong/names_no_check.py:1", "is names_nobody_knows, not names_nobody_know", "--seed"),
    (f"{GRADER}/wrong/names_no_diagnosis.py:1", "gives the diagnosis none, not all-zero", "--seed"),
    (f"{GRADER}/wrong/passes_everything.py:1", "passes every check", "the suite has a hole"),
    (f"{GRADER}/suite.py", "mentioned is in the api, and no check calls it", "call it"),
    (f"{GRADER}/suite.py", "forgotten is in the api, and no check calls it", "call it"),
    (f"{GRADER}/suite.py:22", "breaks_on_text breaks where halve answers None, a class,", "test its type"),
    (f"{GRADER}/suite.py", "label may answer -1, 0, None, True and", "compare the answer"),
]


@pytest.mark.parametrize(("where", "what", "fix"), EXPECTED)
def test_every_fault_is_found(broken_report: ProblemReport, where: str, what: str, fix: str) -> None:
    found = [
        finding
        for finding in broken_report.findings
        if finding.where == str(BROKEN / where) and what in finding.what and fix in (finding.fix or "")
    ]
    assert len(found) == 1, "\n".join(map(str, broken_report.findings))


def test_nothing_else_is_found(broken_report: ProblemReport) -> None:
    assert len(broken_report.findings) == len(EXPECTED)
    assert not broken_report.green
    assert broken_report.killed == 0


def test_every_problem_with_a_grader_is_judged_and_no_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    orphan = tmp_path / "graders" / "words" / "orphan"
    (tmp_path / "problems" / "words" / "planned").mkdir(parents=True)
    (tmp_path / "problems" / "words" / "planned" / "problem.yaml").write_text("")
    orphan.mkdir(parents=True)
    (orphan / "suite.py").write_text("")
    monkeypatch.setenv(PACKS_VARIABLE, f"{WORDS}:{tmp_path}")
    ours = [location.id for location in locations_with_grader() if location.pack.name != "deepfield"]
    assert ours == ["words/tally", "words/orphan"]


def test_a_grader_without_a_declaration_is_a_finding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    orphan = tmp_path / "graders" / "words" / "orphan"
    (tmp_path / "problems").mkdir()
    orphan.mkdir(parents=True)
    (orphan / "suite.py").write_text("")
    monkeypatch.setenv(PACKS_VARIABLE, str(tmp_path))
    location = next(location for location in locations_with_grader() if location.id == "words/orphan")
    (finding,) = check_problem(location).findings
    assert finding.where == str(tmp_path / "problems" / "words" / "orphan" / "problem.yaml")
    assert "cannot be read" in finding.what


def test_an_unknown_problem_is_the_callers_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PACKS_VARIABLE, str(WORDS))
    with pytest.raises(ContentError, match=r'there is no problem "words/taly" — did you mean "words/tally"\?'):
        check_problems(["words/taly"])


def test_a_problem_without_a_grader_is_the_callers_mistake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "problems" / "words" / "planned"
    folder.mkdir(parents=True)
    (folder / "problem.yaml").write_text("")
    monkeypatch.setenv(PACKS_VARIABLE, str(tmp_path))
    with pytest.raises(ContentError, match="words/planned has no grader yet"):
        check_problems(["words/planned"])
