"""Every command works without a network and without torch; what cannot be done then is said in one line."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

from tests.cli.conftest import RIGHT_MEAN
from tests.conftest import MakeWorkspace, RunCli

BARE = str(Path(__file__).with_name("bare"))
ANSWERS = "friday-bug: agent-forgets\nfree-afternoon: prove\nnew-paper: derivation\n"

# In this order, in one workspace. The exit code is 0 where none is said; 1 is for work that is not right yet, and 2 for
# what cannot be done here, which is one line.
COMMANDS = """
init
start tiny/mean
grade tiny/mean                                     1
repro tiny/mean
hint tiny/mean
grade tiny/mean --seed 1 RIGHT
enjoy tiny/mean 4
status
status --all
status --json
list
show tiny/mean
show llm/gpt2
history
history --json
history --plot
diff 3 5
restore 3
solution tiny/mean
verify
verify --regrade
review
attach                                              2
plan --hours-per-week 8 --start 2026-11-23
plan --ics -
resources --field llm
done minbpe
open minbpe --print
search attention
pick-field --json --answers answers.yaml
commit llm --yes
season
attest
portfolio
export record.zip
import record.zip --check
drill envelope --seed 3 --count 1
gap add llm/gpt2 --paper 3.29 --reality 3.31 --effect small
gap list
gap export
confirm pr https://github.com/pytorch/pytorch/pull/1 --account me    2
confirm codeforces tourist                          2
confirm reproduction                                2
confirm blog                                        2
data list
data get hellaswag                                  2
data add hellaswag NOWHERE                          2
data where hellaswag                                1
data verify
data remove hellaswag
data tokenize fineweb-edu-10b                       2
doctor
dev new llm/bpe                                     2
dev links                                           2
reset tiny/mean --yes
"""


def parsed(line: str) -> tuple[list[str], int]:
    """The arguments, and the exit code that is due."""
    command, _, code = re.fullmatch(r"(.*?)(\s{2,}(\d))?", line).group(1, 2, 3)  # type: ignore[union-attr]
    return shlex.split(command), int(code or 0)


def test_every_command_is_tried() -> None:
    tried = {line.split()[0] for line in COMMANDS.strip().splitlines()}
    page = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
    known = set(re.findall(r"^## deepfield ([a-z-]+)", page, re.MULTILINE))
    # watch runs until Ctrl-C and grades as grade does: tests/cli/test_watch.py
    assert known - tried == {"watch"}


def test_every_command_works_without_a_network_and_without_torch(
    make_workspace: MakeWorkspace, run_cli: RunCli
) -> None:
    root = make_workspace("tiny/mean").root
    (root / "answers.yaml").write_text(ANSWERS, encoding="utf-8")
    environment = {"PYTHONPATH": os.pathsep.join([BARE, os.environ.get("PYTHONPATH", "")]), "DEEPFIELD_DATA": "data"}
    for line in COMMANDS.strip().splitlines():
        arguments, due = parsed(line)
        if arguments[-1] == "RIGHT":
            arguments.remove("RIGHT")
            (root / "tiny" / "mean" / "mean.py").write_text(RIGHT_MEAN, encoding="utf-8")
        found = run_cli(*arguments, cwd=root, environment=environment)
        said = f"deepfield {line}: {found.returncode}\n{found.stdout}{found.stderr}"
        assert found.returncode == due, said
        assert "Traceback" not in said
        assert "No module named" not in said
        if due == 2:
            assert found.stderr.rstrip("\n").rpartition("\n")[2].startswith("deepfield: "), said
