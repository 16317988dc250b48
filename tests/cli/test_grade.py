"""``grade``: what it shows with and without a terminal, what programs read, and that a seed replays a run."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from deepfield_cli.grading.result import GradeResult
from deepfield_cli.ledger import Ledger
from tests.cli.conftest import RIGHT_MEAN, RIGHT_SQUARE, RunHere, Start, belongings, entries_of
from tests.cli.terminal import Terminal
from tests.conftest import MakeWorkspace, RunCli
from tests.grading.conftest import tiny

NEVER_DIVIDES = RIGHT_MEAN.replace(" / len(values)", "")
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def without_moments(document: dict[str, Any]) -> dict[str, Any]:
    """A result less what no two runs share."""
    checks = [{**check, "seconds": 0} for check in document["checks"]]
    return {**document, "started_at": "", "seconds": 0, "checks": checks}


# For people


def test_a_solved_problem_without_a_terminal(run_cli: RunCli, make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace("tiny/mean", RIGHT_MEAN)
    finished = run_cli("grade", "tiny/mean", cwd=workspace.root)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert "\x1b" not in finished.stdout
    lines = finished.stdout.splitlines()
    assert lines[0] == "tiny/mean · core"
    names = {"one_number", "mean_matches", "center_matches", "input_is_kept"}
    assert {line.split()[1] for line in lines[1:5]} == names
    assert all(re.fullmatch(r"  ✓     \w+  \d+\.\d\d s", line) for line in lines[1:5])
    assert lines[6] == "✓ solved: tiny/mean core  4 of 4 checks passed  5/5 points"
    result = json.loads(_payload(workspace.database))
    assert f"graded tiny/mean: mean.py, README.md (sha256 {result['submission_digest'][:12]})" in finished.stdout
    assert f"seed {result['seed']}" in " ".join(finished.stdout.split())
    assert f"isolation {result['isolation']}" in " ".join(finished.stdout.split())


def _payload(database: Path) -> str:
    with Ledger.open(database, write=False) as ledger:
        return json.dumps(ledger.payload(ledger.entries(kind="attempt", limit=1)[0]))


def test_a_known_mistake_is_named_with_what_to_do_next(run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace("tiny/mean", NEVER_DIVIDES)
    outcome = run_here("grade", "tiny/mean", cwd=workspace.root)
    assert (outcome.code, outcome.err) == (1, "")
    shown = outcome.out[outcome.out.index("✗ mean_matches") :]
    assert shown.splitlines()[0] == "✗ mean_matches  sum-not-mean"
    for words in (
        "The mean of up to a hundred numbers matches float64.",
        "The numbers are added up and never divided by how many there are.",
        "try      Look at the last step before the return.",
        "hint     deepfield hint tiny/mean",
        "repro    deepfield repro tiny/mean --check mean_matches",
        "✗ not solved yet  3 of 4 checks passed  3/5 points",
    ):
        assert words in shown


@pytest.mark.parametrize("width", [80, 40])
def test_no_line_is_wider_than_the_terminal(run_cli: RunCli, make_workspace: MakeWorkspace, width: int) -> None:
    workspace = make_workspace("tiny/mean")
    finished = run_cli("grade", "tiny/mean", cwd=workspace.root, width=width)
    assert finished.returncode == 1
    rest = finished.stdout.partition("\n\n")[2]  # the list of checks is left whole for programs such as grep
    assert max(map(len, rest.splitlines())) <= width


def test_an_ascii_terminal_gets_words_for_signs(run_cli: RunCli, make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace("tiny/mean", "def mean(values):\n    raise ValueError('é ✓')\n")
    ascii_only = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    finished = run_cli("grade", "tiny/mean", cwd=workspace.root, environment=ascii_only)
    assert (finished.returncode, finished.stderr) == (1, "")
    assert finished.stdout.isascii()
    assert "FAIL  one_number" in finished.stdout
    assert "FAIL not solved yet" in finished.stdout


@pytest.mark.parametrize(
    ("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_in_a_terminal_the_checks_tick_and_colours_can_be_refused(
    start_cli: Start, make_workspace: MakeWorkspace, environment: dict[str, str], coloured: bool
) -> None:
    workspace = make_workspace("tiny/mean", NEVER_DIVIDES)
    with Terminal() as terminal:
        running = start_cli("grade", "tiny/mean", cwd=workspace.root, environment=environment, **terminal.options)
        assert running.end().code == 1
        shown = terminal.shown()
    assert ("\x1b[3" in shown) is coloured
    plain = ESCAPE.sub("", shown)
    for words in ("tiny/mean · core", "✗ mean_matches", "sum-not-mean", "not solved yet"):
        assert words in plain


def test_a_stub_is_told_kindly(run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    outcome = run_here("grade", "tiny/mean", cwd=make_workspace("tiny/mean").root)
    assert outcome.code == 1
    assert "mean is not implemented yet (mean.py:10)" in outcome.out
    assert "1 skipped" in outcome.out


def test_three_failures_are_enough_to_work_on(run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace("tiny/mean", "def mean(values): return 1 / 0\ndef center(x): return x\n")
    outcome = run_here("grade", "tiny/mean", cwd=workspace.root)
    assert outcome.out.count("hint     deepfield hint") == 2
    assert "only" not in outcome.out


# For programs


def test_json_is_one_document_and_nothing_else(run_cli: RunCli, make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace("tiny/mean", NEVER_DIVIDES.replace("def mean", "print('noise')\n\n\ndef mean"))
    finished = run_cli("grade", "tiny/mean", "--json", cwd=workspace.root)
    assert (finished.returncode, finished.stderr) == (1, "")
    result = GradeResult.model_validate_json(finished.stdout)
    assert (result.schema_version, result.problem, result.rung, result.score) == (1, "tiny/mean", "core", 0.6)
    assert result.checks[0].output == "noise\n"
    assert json.loads(_payload(workspace.database)) == json.loads(finished.stdout)


def test_json_survives_every_character(run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace("tiny/mean", "def mean(values):\n    raise ValueError('\\ud800 \\x00 \\u202e é')\n")
    outcome = run_here("grade", "tiny/mean", "--json", cwd=workspace.root)
    assert outcome.code == 1
    assert outcome.out.isascii()
    assert "\x00 \u202e é" in json.loads(outcome.out)["checks"][0]["cause"]["rationale"]
    assert len(entries_of(workspace)) == 1


@pytest.mark.parametrize(
    ("arguments", "code"), [(("nothing/here",), 2), (("tiny/mean", "--only", "nothing"), 2), (("tiny/square",), 2)]
)
def test_json_tells_of_a_grade_that_could_not_be_given_too(
    run_here: RunHere, make_workspace: MakeWorkspace, arguments: tuple[str, ...], code: int
) -> None:
    outcome = run_here("grade", *arguments, "--json", cwd=make_workspace("tiny/mean", RIGHT_MEAN).root)
    document = json.loads(outcome.out)
    assert outcome.code == code
    assert (document["schema_version"], document["score"], document["solved"]) == (1, None, False)
    assert document["checks"] == []
    assert document["fault"] == outcome.complaint


def test_junit_is_written_beside_the_verdict(run_here: RunHere, make_workspace: MakeWorkspace, tmp_path: Path) -> None:
    workspace = make_workspace("tiny/mean", NEVER_DIVIDES)
    report = tmp_path / "report.xml"
    outcome = run_here("grade", "tiny/mean", "--junit", report, cwd=workspace.root)
    assert outcome.code == 1
    suite = ElementTree.parse(report).getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "1", "0")
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("type") == "sum-not-mean"


# Which checks, which inputs


def test_only_some_checks_give_no_verdict_and_no_attempt(run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace("tiny/mean", NEVER_DIVIDES)
    passed = run_here("grade", "tiny/mean", "--only", "one_number", "--only", "center_matches", cwd=workspace.root)
    assert passed.code == 0
    assert "partial run  2 of 2 checks passed; run deepfield grade without --only for a verdict" in passed.out
    failed = run_here("grade", "tiny/mean", "--only", "mean_matches", cwd=workspace.root)
    assert failed.code == 1
    assert "partial run  0 of 1 checks passed" in failed.out
    assert entries_of(workspace) == []


def test_a_seed_replays_a_run(run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    shows_inputs = (
        "def mean(values):\n    raise ValueError(repr(values))\ndef center(x):\n    raise ValueError(repr(x))\n"
    )
    workspace = make_workspace("tiny/mean", shows_inputs)

    def document(*options: str) -> dict[str, Any]:
        outcome = run_here("grade", "tiny/mean", "--json", *options, cwd=workspace.root)
        found: dict[str, Any] = json.loads(outcome.out)
        return without_moments(found)

    drawn = document()
    replayed = document("--seed", str(drawn["seed"]))
    assert replayed == drawn
    other = document("--seed", str(drawn["seed"] + 1))
    assert [check["cause"] for check in other["checks"]] != [check["cause"] for check in drawn["checks"]]
    alone = document("--seed", str(drawn["seed"]), "--only", "center_matches")
    assert alone["checks"] == [check for check in drawn["checks"] if check["name"] == "center_matches"]


def test_the_largest_seed_is_as_good_as_any(run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace("tiny/mean", RIGHT_MEAN)
    outcome = run_here("grade", "tiny/mean", "--json", "--seed", str(2**200), cwd=workspace.root)
    assert (outcome.code, json.loads(outcome.out)["seed"]) == (0, 2**200)


# Which problem


def test_the_problem_is_that_of_the_folder_or_the_last_started(
    run_here: RunHere, make_workspace: MakeWorkspace
) -> None:
    workspace = make_workspace("tiny/mean", RIGHT_MEAN)
    make_workspace("tiny/square", RIGHT_SQUARE)
    nested = workspace.folder("tiny/mean") / "notes"
    nested.mkdir()

    def graded(cwd: Path, *arguments: str) -> str:
        problem: str = json.loads(run_here("grade", "--json", *arguments, cwd=cwd).out)["problem"]
        return problem

    assert graded(workspace.folder("tiny/mean")) == "tiny/mean"
    assert graded(nested) == "tiny/mean"
    assert graded(workspace.root) == "tiny/square"
    assert graded(workspace.root / "tiny") == "tiny/square"
    assert graded(workspace.folder("tiny/mean"), "tiny/square") == "tiny/square"
    assert graded(workspace.root, "tiny/mean/") == "tiny/mean"
    assert graded(workspace.root / "tiny", "mean") == "tiny/mean"
    assert graded(workspace.root, str(workspace.folder("tiny/mean"))) == "tiny/mean"


def test_the_workspace_may_be_named(
    run_here: RunHere, make_workspace: MakeWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = make_workspace("tiny/mean", RIGHT_MEAN)
    link = tmp_path / "link"
    link.symlink_to(workspace.root)
    monkeypatch.setenv("DEEPFIELD_WORKSPACE", str(link))
    assert run_here("grade", "tiny/mean", cwd=tmp_path).code == 0
    make_workspace("tiny/square", RIGHT_SQUARE)
    assert "tiny/mean · core" in run_here("grade", cwd=workspace.folder("tiny/mean")).out
    assert len(entries_of(workspace)) == 2


# What is kept


def test_an_attempt_is_kept_with_its_files(run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace("tiny/mean", NEVER_DIVIDES)
    before = belongings(workspace)
    assert run_here("grade", "tiny/mean", cwd=workspace.root).code == 1
    before.kept_in(workspace)
    with Ledger.open(workspace.database, write=False) as ledger:
        (entry,) = ledger.entries(kind="attempt")
        assert (entry.problem, entry.rung, entry.solved, entry.score) == ("tiny/mean", "core", False, 0.6)
        assert ledger.files(entry)["mean.py"] == NEVER_DIVIDES.encode()


def test_a_failed_check_leaves_a_script_that_shows_it(run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace("tiny/mean", NEVER_DIVIDES)
    run_here("grade", "tiny/mean", cwd=workspace.root)
    folder = workspace.repro / "tiny-mean" / "mean_matches"
    assert [path.suffix for path in folder.iterdir() if path.suffix == ".py"] == [".py"]


# Many submissions


@pytest.mark.slow
def test_a_folder_of_two_hundred_submissions_is_graded_whole(run_cli: RunCli, tiny_pack: Path, tmp_path: Path) -> None:
    folder = tmp_path / "all"
    folder.mkdir()
    trouble = {
        "exits": "import os\ndef square(number):\n    os._exit(0)\n",
        "segfaults": "import ctypes\ndef square(number):\n    ctypes.string_at(0)\n",
        "kills-around": "import os\ndef square(number):\n    os.kill(0, 9)\n    os.kill(-1, 9)\n",
        "doubles": "def square(number):\n    return 2 * number\n",
        "broken": "def square(\n",
    }
    for number in range(194):
        (folder / f"learner-{number:03}.py").write_text(RIGHT_SQUARE)
    for name, source in trouble.items():
        (folder / f"{name}.py").write_text(source)
    (folder / "huge.py").write_bytes(b"#" * (40 << 20))
    finished = run_cli("grade", "tiny/square", "--all", folder, "--jobs", "2", cwd=tmp_path)
    assert (finished.returncode, finished.stderr) == (0, "")
    found = {item["submission"].removesuffix(".py"): item for item in map(json.loads, finished.stdout.splitlines())}
    assert len(found) == len(finished.stdout.splitlines()) == 200
    assert sum(item["solved"] for item in found.values()) == 194
    assert {name: found[name]["exit_code"] for name in trouble} == dict.fromkeys(trouble, 1)
    assert (found["doubles"]["diagnosis"], found["broken"]["diagnosis"]) == ("doubled", "not-loadable")
    assert (found["huge"]["exit_code"], found["huge"]["score"]) == (2, None)
    assert len({item["seed"] for item in found.values() if item["score"] is not None}) == 199
    assert list(tmp_path.iterdir()) == [folder]


def test_a_folder_with_full_results(run_cli: RunCli, tiny_pack: Path, tmp_path: Path) -> None:
    folder = tmp_path / "all"
    folder.mkdir()
    (folder / "one.py").write_text(RIGHT_SQUARE)
    finished = run_cli("grade", "tiny/square", "--all", folder, "--json", "--seed", "5", cwd=tmp_path)
    document = json.loads(finished.stdout)
    assert (document["submission"], document["exit_code"], document["seed"]) == ("one.py", 0, 5)
    assert document["suite_digest"] == tiny("tiny/square").suite_digest()
