"""The head start: only for a grade, only a guess, and nothing is left of it when it was wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deepfield_cli import early
from tests import processes


@pytest.fixture(autouse=True)
def _ended() -> Iterator[None]:
    yield
    early.end_unused()
    assert [found for found in processes.marked_processes() if "zygote" in found.command] == []


def modules_started() -> list[list[str]]:
    """What was started, looked at and put back."""
    taken = early.take()
    early._started.extend(taken)
    return [modules for modules, _, _ in taken]


@pytest.mark.parametrize(
    "arguments",
    [("grade", "llm/attention"), ("watch", "llm/attention/"), ("grade", "--seed", "3", "llm/attention")],
)
def test_a_problem_that_is_named(arguments: tuple[str, ...]) -> None:
    early.head_start(list(arguments))
    assert modules_started() == [["torch"]]


def test_the_problem_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "llm" / "attention"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    early.head_start(["grade"])
    assert modules_started() == [["torch"]]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("status",),
        ("start", "llm/attention"),
        ("grade", "nothing/here"),
        ("grade", "../../etc"),
        ("grade", "--help", "llm/attention"),
        ("grade", "llm/attention", "-h"),
        ("grade", "llm/attention", "--all", "folder"),
    ],
)
def test_nothing_is_started_without_need(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    early.head_start(list(arguments))
    assert modules_started() == []


def test_what_is_taken_belongs_to_whoever_took_it() -> None:
    early.head_start(["grade", "llm/attention"])
    taken = early.take()
    assert early.take() == []
    early.end_unused()
    # asked of the kernel: between its fork and its exec, the process has no name yet by which it could be found
    assert os.waitpid(taken[0][2][0], os.WNOHANG) == (0, 0), "it still runs"
    early._started.extend(taken)
