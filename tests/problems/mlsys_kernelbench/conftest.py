"""Workers with a submission in them, task files made small, and what several tests of this grader ask for."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType

import pytest

from deepfield_cli.content.packs import find_location
from deepfield_cli.grading import Submission
from deepfield_cli.sandbox.staging import read_submission
from graders.kit import task_files
from graders.mlsys.kernelbench import tasks
from tests.problems.conftest import PATIENCE_SECONDS, Desk

LOCATION = find_location("mlsys/kernelbench")
ENTRY = "kernels.py"
SOLUTIONS = LOCATION.solutions()
BASE = LOCATION.grader / "solutions" / "per_task"
# Sizes that take the place of a task file's own, in their order: enough to spread, and few enough to be interpreted.
SMALL, TINY = (21, 23, 37, 11, 17), (3, 19, 13, 5, 9)
Open = Callable[[Mapping[str, bytes]], Submission]


def files_of(source: Path) -> Mapping[str, bytes]:
    return read_submission(source, ENTRY).files


def laid_over(entry: str) -> Mapping[str, bytes]:
    """The solution that has a file for each task, with another entry."""
    return {**files_of(BASE), ENTRY: entry.encode()}


def task_source(task: str) -> str:
    return (tasks.sources() / f"{task}.py").read_text(encoding="utf-8")


def task_module(task: str) -> ModuleType:
    return task_files.load(task_source(task), task, with_model=True)


def small(source: str, sizes: tuple[int, ...] = TINY) -> str:
    """The task file with its sizes replaced by small odd ones, each by another."""
    tree = ast.parse(source)
    numbers = iter(sizes)
    for node in tree.body:
        if isinstance(node, ast.Assign):
            for value in ast.walk(node.value):
                if isinstance(value, ast.Constant) and type(value.value) is int and value.value > 8:
                    value.value = 12 if ast.unparse(node.targets[0]) == "channels" else next(numbers)
                    if ast.unparse(node.targets[0]) == "groups":
                        value.value = 4
    return ast.unparse(tree)


@pytest.fixture(scope="module")
def opened(desk: Desk) -> Iterator[Open]:
    """Opens submissions, which stay open as long as the module's tests run."""
    with ExitStack() as stack:

        def open_submission(files: Mapping[str, bytes]) -> Submission:
            submission = stack.enter_context(desk.stage(LOCATION, files)).submission(desk.pool, PATIENCE_SECONDS)
            stack.callback(submission.close)
            return submission

        yield open_submission
