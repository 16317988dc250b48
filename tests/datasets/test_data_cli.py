"""``deepfield data``: what it says, how it ends, and what it loads."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from deepfield_cli.datasets.getting import get
from tests.cli.conftest import RunHere, outcome_of, run_here
from tests.cli.terminal import Terminal
from tests.cli.test_imports import HEAVY, loaded
from tests.conftest import PATIENCE_SECONDS, RunCli, cli_command
from tests.datasets.conftest import MakeDataset
from tests.datasets.server import Server, Step

__all__ = ["run_here"]  # the fixture
TEXT = b"some words, and then some more\n" * 1_000
ESCAPE = "\x1b"


def test_a_dataset_from_nothing_to_a_path(
    run_here: RunHere, make_dataset: MakeDataset, cache: Path, tmp_path: Path
) -> None:
    make_dataset("words", {"words.txt": TEXT})
    outcome = run_here("data", "get", "words", cwd=tmp_path)
    assert outcome.code == 0
    assert outcome.out == f"1 file fetched, 31 kB: sha256 known beforehand\n{cache}/words/words.txt\n"
    assert outcome.err == "fetching words.txt, 31 kB\nchecking words.txt\n"
    assert run_here("data", "where", "words", cwd=tmp_path).out == f"{cache}/words/words.txt\n"
    again = run_here("data", "get", "words", cwd=tmp_path)
    assert again.out.startswith("Here already; deepfield data verify words reads it through.\n")
    assert again.err == ""


def test_part_of_a_dataset(run_here: RunHere, make_dataset: MakeDataset, cache: Path, tmp_path: Path) -> None:
    make_dataset("words", dict.fromkeys(("a.txt", "b.txt", "c.txt"), TEXT), enough=1)
    outcome = run_here("data", "get", "words", "--files", "2", cwd=tmp_path)
    assert outcome.out == (f"2 files fetched, 62 kB: sha256 known beforehand\n2 of 3 files are here.\n{cache}/words\n")
    assert "fetching 2 of 2: b.txt, 31 kB" in outcome.err
    assert "2 of 3 files here, enough for a grader" in run_here("data", "list", cwd=tmp_path).out


def test_who_knows_the_checksum_is_said(
    run_here: RunHere, make_dataset: MakeDataset, server: Server, tmp_path: Path
) -> None:
    make_dataset("words", {"words.txt": TEXT}, known=False)
    outcome = run_here("data", "get", "words", cwd=tmp_path)
    assert "sha256 recorded when it came; the publisher names none" in outcome.out
    about = run_here("data", "list", "words", cwd=tmp_path).out
    assert "the publisher names none: " in about


def test_where_for_scripts(run_here: RunHere, make_dataset: MakeDataset, tmp_path: Path) -> None:
    make_dataset("words", {"words.txt": TEXT})
    outcome = run_here("data", "where", "words", cwd=tmp_path)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.complaint == (
        "dataset words is not on this machine (31 kB) — deepfield data get words,"
        " or deepfield data add words PATH if you have it"
    )
    unknown = run_here("data", "where", "wrods", cwd=tmp_path)
    assert (unknown.code, unknown.complaint) == (2, 'there is no dataset "wrods" — did you mean "words"?')


def test_a_path_of_any_bytes_is_printed_as_it_is(make_dataset: MakeDataset, run_cli: RunCli, tmp_path: Path) -> None:
    import os
    import subprocess

    cache = tmp_path / os.fsdecode(b"d\xc3\xa4ta \xff")
    get(make_dataset("words", {"words.txt": TEXT}), cache=cache)
    command = cli_command("data", "where", "words", "--cache", cache)
    printed = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout
    assert printed == os.fsencode(cache) + b"/words/words.txt\n"


def test_adding_says_what_was_found(run_here: RunHere, make_dataset: MakeDataset, tmp_path: Path) -> None:
    make_dataset("words", {"words.txt": TEXT})
    (tmp_path / "mine.txt").write_bytes(TEXT)
    outcome = run_here("data", "add", "words", "mine.txt", cwd=tmp_path)
    assert outcome.code == 0
    assert "byte for byte what the publisher offers" in outcome.out
    (tmp_path / "other.txt").write_bytes(TEXT[::-1])
    assert "it is not byte for byte" in run_here("data", "add", "words", "other.txt", cwd=tmp_path).out
    assert run_here("data", "where", "words", cwd=tmp_path).out == f"{tmp_path}/other.txt\n"
    removed = run_here("data", "remove", "words", cwd=tmp_path)
    assert removed.out == f"words does not point at {tmp_path}/other.txt any more; nothing there was touched.\n"
    assert run_here("data", "remove", "words", cwd=tmp_path).out == "Nothing of words was here.\n"


def test_verifying_finds_what_changed(
    run_here: RunHere, make_dataset: MakeDataset, cache: Path, tmp_path: Path
) -> None:
    assert "Nothing is here" in run_here("data", "verify", cwd=tmp_path).out
    make_dataset("words", {"a.txt": TEXT, "b.txt": TEXT})
    run_here("data", "get", "words", cwd=tmp_path)
    assert run_here("data", "verify", cwd=tmp_path).code == 0
    (cache / "words" / "b.txt").write_bytes(TEXT[::-1])
    outcome = run_here("data", "verify", "words", cwd=tmp_path)
    assert outcome.code == 1
    assert "deepfield data get --check words fetches again what has changed." in outcome.out
    document = json.loads(run_here("data", "verify", "--json", cwd=tmp_path).out)
    assert document["ok"] is False
    assert [one["verdict"] for one in document["files"]] == ["same", "changed"]
    fetched = run_here("data", "get", "--check", "words", cwd=tmp_path)
    assert fetched.out.startswith("1 file fetched")
    assert run_here("data", "verify", cwd=tmp_path).code == 0


def test_trouble_is_told_as_it_happens(
    run_here: RunHere, make_dataset: MakeDataset, server: Server, tmp_path: Path
) -> None:
    make_dataset("words", {"words.txt": TEXT})
    server.files["/words.txt"].script = [Step(drop_after=1_000)]
    outcome = run_here("data", "get", "words", cwd=tmp_path)
    assert outcome.code == 0
    assert "words.txt: the connection ended 30 kB before the end of the file; trying again in 1 s" in outcome.err


@pytest.mark.parametrize("status", [404, 403])
def test_a_refusal_is_one_line(
    run_here: RunHere, make_dataset: MakeDataset, server: Server, tmp_path: Path, status: int
) -> None:
    make_dataset("words", {"words.txt": TEXT})
    server.files["/words.txt"].always = Step(status=status)
    outcome = run_here("data", "get", "words", cwd=tmp_path)
    assert outcome.code == 2
    assert outcome.out == ""
    assert len([line for line in outcome.err.splitlines() if line.startswith("deepfield: ")]) == 1


def test_the_list_as_json(run_here: RunHere, make_dataset: MakeDataset, cache: Path, tmp_path: Path) -> None:
    make_dataset("words", {"words.txt": TEXT})
    run_here("data", "get", "words", cwd=tmp_path)
    document = json.loads(run_here("data", "list", "--json", cwd=tmp_path).out)
    assert document["schema_version"] == 1
    assert document["cache"] == str(cache)
    by_id = {one["id"]: one for one in document["datasets"]}
    words = by_id["words"]
    assert words["state"] == "here"
    assert words["path"] == f"{cache}/words/words.txt"
    assert words["files"][0]["known_by"] == "beforehand"
    assert words["files"][0]["measured_sha256"] == words["files"][0]["sha256"]
    assert by_id["hellaswag"]["path"] is None
    assert by_id["hellaswag"]["licence"]["name"] == "MIT"
    one = json.loads(run_here("data", "list", "words", "--json", cwd=tmp_path).out)
    assert [dataset["id"] for dataset in one["datasets"]] == ["words"]


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("arguments", [("list",), ("list", "fineweb-edu-10b"), ("list", "kernelbench")])
def test_lines_fit_the_terminal(run_cli: RunCli, tmp_path: Path, width: int, arguments: tuple[str, ...]) -> None:
    shown = run_cli("data", *arguments, cwd=tmp_path, width=width).stdout
    for line in shown.splitlines():
        assert len(line) <= width or "https://" in line or "kept in" in line, line
    assert ESCAPE not in shown


def test_every_dataset_is_listed_with_size_licence_source_and_checksum(run_cli: RunCli, tmp_path: Path) -> None:
    shown = " ".join(run_cli("data", "list", cwd=tmp_path, width=120).stdout.split())
    assert "hellaswag 12.2 MB HellaSwag, validation MIT · github.com · sha256 known" in shown
    assert "fineweb-edu-10b 19.9 GB" in shown
    assert "sha256 known for 16 of 100 files" in shown


def test_ascii_terminals(run_cli: RunCli, tmp_path: Path) -> None:
    shown = run_cli("data", "list", cwd=tmp_path, environment={"PYTHONIOENCODING": "ascii"}).stdout
    assert shown.isascii()
    assert "\\x" not in shown


@pytest.mark.parametrize("plain", [True, False])
def test_a_terminal_sees_a_bar_and_then_the_answer(
    make_dataset: MakeDataset, server: Server, cache: Path, tmp_path: Path, plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os
    import subprocess

    make_dataset("words", dict.fromkeys(("a.txt", "b.txt"), TEXT * 30))
    if plain:
        monkeypatch.setenv("NO_COLOR", "1")
    with Terminal(columns=80) as terminal:
        running = subprocess.Popen(
            cli_command("data", "get", "words"),
            cwd=tmp_path,
            start_new_session=True,
            env=dict(os.environ),
            **terminal.options,
        )
        assert running.wait(PATIENCE_SECONDS) == 0
        shown = terminal.shown()
    assert "2 files fetched, 1.86 MB: sha256 known beforehand" in shown
    assert f"{cache}/words" in shown
    colours = re.findall(r"\x1b\[(?:\d+;)*3[0-7]m", shown)
    assert not (plain and colours)


@pytest.mark.parametrize("arguments", [("list",), ("where", "words"), ("get", "words"), ("verify",)])
def test_the_commands_load_nothing_heavy(
    make_dataset: MakeDataset, tmp_path: Path, cache: Path, arguments: tuple[str, ...]
) -> None:
    make_dataset("words", {"words.txt": TEXT})
    _, names = loaded(tmp_path, "data", *arguments)
    assert names & HEAVY <= {"pydantic"}


def test_the_help_loads_nothing_heavy(tmp_path: Path) -> None:
    _, names = loaded(tmp_path, "data", "--help")
    assert names & HEAVY == set()


def test_tokenizing_without_merges_says_how_to_get_them(run_cli: RunCli, tmp_path: Path, cache: Path) -> None:
    (tmp_path / "a.txt").write_text("some words")
    outcome = outcome_of(run_cli("data", "tokenize", "a.txt", "--out", "out", cwd=tmp_path))
    assert outcome.code == 2
    assert "dataset gpt2-merges is not on this machine (456 kB) — deepfield data get gpt2-merges" in outcome.complaint
