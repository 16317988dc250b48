"""``deepfield dev`` as a black box: exit codes, one line for each mistake of the caller, nothing heavy at import."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deepfield_cli.content.packs import PACKS_VARIABLE
from tests.authoring.conftest import WORDS
from tests.conftest import PATIENCE_SECONDS, RunCli, cli_command

SUITE = "graders/words/tally/suite.py"


@pytest.fixture(autouse=True)
def _words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PACKS_VARIABLE, str(WORDS))


MISTAKES = [
    (["dev", "check", "words/taly"], 'there is no problem "words/taly" — did you mean "words/tally"?'),
    (["dev", "check", "words/tally", "--jobs", "0"], "Invalid value for '--jobs'"),
    (["dev", "check", "words/tally", "--runs", "none"], "Invalid value for '--runs'"),
    (["dev", "mutate", "words/tally", "--solution", "dict"], 'there is no solution "dict"'),
    (["dev", "mutate", "words/taly"], 'there is no problem "words/taly"'),
    (["dev", "mutate"], "Missing argument 'ID'"),
    (["dev", "new", "words"], '"words" is not a problem id'),
    (["dev", "new", "words/tally", "--pack", str(WORDS)], "it is there already"),
]


@pytest.mark.parametrize(("arguments", "words"), MISTAKES)
def test_a_mistake_of_the_caller_is_one_line_and_exit_code_2(
    run_cli: RunCli, tmp_path: Path, arguments: list[str], words: str
) -> None:
    result = run_cli(*arguments, cwd=tmp_path)
    assert result.returncode == 2, result.stderr
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_what_is_not_green_ends_with_exit_code_1_and_the_list(run_cli: RunCli, tmp_path: Path) -> None:
    suite = tmp_path / "pack" / "graders" / "words" / "half" / "suite.py"
    suite.parent.mkdir(parents=True)
    suite.write_text("")
    problem = tmp_path / "pack" / "problems" / "words" / "half" / "problem.yaml"
    problem.parent.mkdir(parents=True)
    problem.write_text("format_version: 1\nidd: words/half\n")
    environment = {PACKS_VARIABLE: str(tmp_path / "pack")}
    result = run_cli("dev", "check", "words/half", cwd=tmp_path, environment=environment)
    assert result.returncode == 1
    assert "0 of 1 problems green" in result.stdout
    assert "pack/problems/words/half/problem.yaml:" in result.stdout
    as_json = run_cli("dev", "check", "words/half", "--json", cwd=tmp_path, environment=environment)
    assert as_json.returncode == 1
    (report,) = json.loads(as_json.stdout)["problems"]
    assert report["findings"][0]["where"].startswith(str(problem))


def test_mutate_prints_one_json_document_and_its_progress_beside_it(run_cli: RunCli, tmp_path: Path) -> None:
    result = run_cli("dev", "mutate", "words/tally", "--limit", "4", "--jobs", "1", "--json", cwd=tmp_path)
    assert result.returncode == 0, result.stdout
    report = json.loads(result.stdout)
    assert (report["schema_version"], report["problem"], len(report["mutants"])) == (1, "words/tally", 4)
    assert "words/tally, mutants: 4 of 4" in result.stderr


def test_showing_the_help_imports_nothing_heavy_and_the_library_no_torch() -> None:
    code = (
        "import sys, deepfield_cli.cli.dev\n"
        "print([name for name in ('torch', 'numpy', 'pydantic', 'rich.progress', 'msgpack') if name in sys.modules])\n"
        "import deepfield_cli.authoring.check, deepfield_cli.authoring.mutation, deepfield_cli.authoring.new\n"
        "print('torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["[]", "False"]


def test_ctrl_c_ends_it_at_once_and_leaves_nothing_running(tmp_path: Path) -> None:
    """That no process stays behind is asserted at the end of all tests."""
    with subprocess.Popen(
        cli_command("dev", "check", "words/tally", "--runs", "1000"),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "words/tally, grading: 0 of 2004\n"
        process.send_signal(signal.SIGINT)
        output, complaint = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, output, complaint) == (130, "", "deepfield: interrupted\n")
