"""What a command loads: nothing heavy before it is needed, so that the light commands are instant."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from deepfield_cli.cli.app import MODULES, make_app
from tests.cli.conftest import RIGHT_MEAN
from tests.conftest import PATIENCE_SECONDS, MakeWorkspace

# Each of these takes longer to import than a light command may take as a whole.
HEAVY = {"torch", "triton", "numpy", "sqlite_utils", "tokenizers", "tiktoken", "pydantic", "watchfiles"}
LOADED = """
import json, sys
from deepfield_cli.cli.app import run
code = run(sys.argv[1:])
print("\\n" + json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def loaded(cwd: Path, *arguments: str) -> tuple[int, set[str]]:
    """The exit code of a command, and the packages that it had loaded at its end."""
    finished = subprocess.run(
        [sys.executable, "-P", "-c", LOADED, *arguments],
        cwd=cwd,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    code, names = json.loads(finished.stdout.splitlines()[-1])
    return code, set(names)


@pytest.mark.parametrize(
    "arguments", [("--help",), ("--version",), ("grade", "--help"), ("watch", "-h"), ("grade", "--x")]
)
def test_help_loads_nothing_heavy(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    _, names = loaded(tmp_path, *arguments)
    assert names & HEAVY == set()


def test_status_loads_neither_torch_nor_numpy(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace("tiny/mean", RIGHT_MEAN)
    code, names = loaded(workspace.root, "status")
    assert code == 0
    assert names & {"torch", "triton", "numpy", "sqlite_utils", "tokenizers"} == set()


@pytest.mark.parametrize("command", ["grade", "watch"])
def test_no_workspace_is_told_without_loading_the_grader(tmp_path: Path, command: str) -> None:
    code, names = loaded(tmp_path, command, "llm/attention")
    assert code == 2
    assert names & {"torch", "tokenizers"} == set()


def test_a_grade_never_loads_torch_beside_its_workers(make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace("tiny/mean", RIGHT_MEAN)
    code, names = loaded(workspace.root, "grade", "tiny/mean")
    assert code == 0
    assert "numpy" in names
    assert names & {"torch", "triton", "tokenizers", "tiktoken"} == set()


def test_a_head_start_loads_next_to_nothing() -> None:
    """It runs before anything else of a command does."""
    script = "import sys; before = set(sys.modules); from deepfield_cli import early; early.head_start(['status']);"
    script += (
        "print(sorted({n for n in set(sys.modules) - before if n.partition('.')[0] not in sys.stdlib_module_names}))"
    )
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "['deepfield_cli', 'deepfield_cli.early']"


def commands_of(module: str | None = None) -> list[str]:
    """As the help lists them."""
    made = get_command(make_app(module))
    assert isinstance(made, TyperGroup)
    return list(made.commands)


def test_every_command_is_in_the_module_that_is_loaded_for_it() -> None:
    for module, commands in MODULES.items():
        assert commands_of(module) == list(commands)
    assert set(commands_of()) == {name for names in MODULES.values() for name in names}


def test_an_application_made_again_is_no_larger() -> None:
    def registered() -> int:
        groups = (group.typer_instance for group in make_app().registered_groups)
        return sum(len(group.registered_commands) for group in groups if group is not None)

    assert registered() == registered() > 10
