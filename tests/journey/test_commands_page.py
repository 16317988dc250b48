"""docs/commands.md says what the program does, every command of it."""

from __future__ import annotations

import re

from deepfield_cli.cli.reference import PAGE, commands_page
from tests.conftest import RunCli


def test_the_page_is_in_step_with_the_program() -> None:
    assert PAGE.read_text(encoding="utf-8") == commands_page(), "run: python -m deepfield_cli.cli.reference"


def test_every_command_that_help_lists_has_its_section(run_cli: RunCli) -> None:
    listed = run_cli("--help", cwd=PAGE.parent).stdout.partition("Commands:")[2]
    names = re.findall(r"^  ([a-z][a-z-]*)  ", listed, re.MULTILINE)
    sections = re.findall(r"^## deepfield ([a-z-]+)", commands_page(), re.MULTILINE)
    assert len(names) > 25
    assert set(names) == set(sections)


def test_every_command_and_option_says_what_it_is() -> None:
    for line in commands_page().splitlines():
        assert not re.fullmatch(r"\| [^|]+ \|  \|.*\|", line), line
    for section in commands_page().split("\n## ")[1:]:
        assert section.split("\n")[2], section
