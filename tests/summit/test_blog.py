"""A post is graded by what can be seen: its code runs and prints what it shows, and what it points at is there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from deepfield_cli.errors import WorkspaceError
from deepfield_cli.grading.result import CheckResult
from deepfield_cli.summit.blog import Blogged, BlogRequest, grade_blog
from deepfield_cli.summit.link_check import Manners
from deepfield_cli.summit.post import read_post
from tests.summit.posts import POST, write_post
from tests.summit.server import Reply, Service

QUICK = Manners(timeout_seconds=5.0, pause_seconds=0.0)


@pytest.fixture(autouse=True)
def _sources(service: Service) -> None:
    service.says("/paper", Reply())
    service.says("/other", Reply())


def graded(path: Path, **wishes: Any) -> Blogged:
    return grade_blog(BlogRequest(path, **{"manners": QUICK, **wishes}))


def failed(found: Blogged) -> dict[str, str | None]:
    checks = [check for check in found.result.checks if check.outcome == "failed"]
    return {check.name: check.cause.diagnosis if check.cause else None for check in checks}


def check_of(found: Blogged, name: str) -> CheckResult:
    return next(check for check in found.result.checks if check.name == name)


def test_a_right_post(tmp_path: Path, service: Service) -> None:
    found = graded(write_post(tmp_path, service.url))
    assert found.result.solved, failed(found)
    assert (found.result.problem, found.result.rung, found.offline) == ("summit/blog", "core", False)
    assert check_of(found, "code_runs_in_order").metrics == {"blocks": 4.0}
    assert check_of(found, "output_shown_is_output_produced").metrics == {"outputs": 4.0}
    assert check_of(found, "length_is_readable").metrics["reading_minutes"] > 3
    assert found.result.notes == ("not run: 1 × bash, 1 × python",)
    assert set(found.files) == {"post.md", "helper.py", "data.txt", "figure.svg"}
    assert "landlock" in found.result.isolation or found.result.isolation == "process"


FAULTS: dict[str, tuple[str, str, str, str]] = {
    "no title": ("structure_guides_the_reader", "no-single-title", "# Why", "## Why"),
    "two titles": ("structure_guides_the_reader", "no-single-title", "## What", "# What"),
    "few sections": ("structure_guides_the_reader", "too-few-sections", "## The", "### The"),
    "a level left out": ("structure_guides_the_reader", "level-left-out", "## What is", "#### Deep\n\n## What is"),
    "short": ("length_is_readable", "too-short", "{prose}", "Words."),
    "a block that raises": ("code_runs_in_order", "block-fails", "import helper", "import helper; 1 / 0"),
    "a block that cannot be read": ("code_runs_in_order", "block-fails", "import helper", "import helper:"),
    "a name from nowhere": ("code_runs_in_order", "block-fails", "import helper", "import no_such_helper as helper"),
    "an exit": ("code_runs_in_order", "block-fails", "import helper", "raise SystemExit(0)"),
    "a hard exit": ("code_runs_in_order", "exited", "import helper", "import os; os._exit(0)"),
    "an endless loop": ("code_runs_in_order", "timeout", "import helper", "while True: pass"),
    "the network": ("code_runs_in_order", "block-fails", "import helper", "import socket; socket.socket()"),
    "another output": ("output_shown_is_output_produced", "output-differs", "```output\n5", "```output\n6"),
    "an output too long": ("output_shown_is_output_produced", "output-differs", "4 4\n", "4 4\n5 5\n"),
    "another value": ("output_shown_is_output_produced", "output-differs", "\n6\n", "\n7\n"),
    "output without code": (
        "output_shown_is_output_produced", "output-without-code", "## What", "```output\n1\n```\n\n## What",
    ),
    "an image without words": (
        "images_and_files_exist", "image-without-words", "![The spread of a dot product grows with its length]", "![]",
    ),
    "an image that is not there": ("images_and_files_exist", "file-missing", "(figure.svg)", "(figures/figure.svg)"),
    "a heading that is not there": ("images_and_files_exist", "heading-missing", "(#what-is-left)", "(#what-is-right)"),
    "a file that is not there": ("images_and_files_exist", "file-missing", "(#what-is-left)", "(next.md#top)"),
    "one source": ("links_resolve", "too-few-links", "[others]({other})", "others"),
    "a dead source": ("links_resolve", "link-dead", "{other}", "{paper}-gone"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_named(tmp_path: Path, service: Service, fault: str) -> None:
    check, diagnosis, old, new = FAULTS[fault]
    assert old in POST
    text = POST.replace(old, new) if old in ("{prose}", "## The", "{other}") else POST.replace(old, new, 1)
    found = graded(write_post(tmp_path, service.url, text), seconds=2.0 if diagnosis == "timeout" else 60.0)
    assert failed(found) == {check: diagnosis}


def test_the_traceback_names_the_line_of_the_post(tmp_path: Path, service: Service) -> None:
    path = write_post(tmp_path, service.url, POST.replace("return sum", "return 1 / 0 + sum"))
    cause = check_of(graded(path), "code_runs_in_order").cause
    assert cause is not None and cause.actual is not None
    line = (
        path.read_text(encoding="utf-8")
        .splitlines()
        .index("    return 1 / 0 + sum(a * b for a, b in zip(one, other, strict=True))")
        + 1
    )
    assert f'File "post.md", line {line}, in likeness' in cause.actual
    assert cause.actual.splitlines()[-1] == "ZeroDivisionError: division by zero"
    assert "runner" not in cause.actual


def test_no_code_and_no_output(tmp_path: Path, service: Service) -> None:
    silent = POST.replace("```python", "```text").replace("```pycon", "```text").replace("```output", "```text")
    found = failed(graded(write_post(tmp_path, service.url, silent)))
    assert found == {"code_runs_in_order": "no-code"}
    text = POST.replace("```output", "```text").replace("```pycon", "```text")
    assert failed(graded(write_post(tmp_path, service.url, text))) == {"output_shown_is_output_produced": "no-output"}


def test_heavy_libraries_and_classes_of_its_own(tmp_path: Path, service: Service) -> None:
    code = """from __future__ import annotations
import dataclasses
import numpy as np

@dataclasses.dataclass
class Point:
    x: float
    _: dataclasses.KW_ONLY
    rest: int = 0

import helper, inspect
print(Point(float(np.arange(4.0).sum())).x, inspect.getsource(Point).count("x"))
"""
    found = graded(
        write_post(
            tmp_path,
            service.url,
            POST.replace("import helper\n", code, 1).replace("```output\n5", "```output\n6.0 ...\n5"),
        )
    )
    assert found.result.solved, (failed(found), found.result.checks)


def test_links_that_give_no_clear_answer_are_told_and_not_failed(tmp_path: Path, service: Service) -> None:
    service.says("/other", Reply(403))
    found = graded(write_post(tmp_path, service.url))
    assert found.result.solved
    assert [report.state for report in found.unsure] == ["refused"]
    assert "/other gave no clear answer" in found.result.notes[0]


def test_without_a_network_the_links_are_neither_passed_nor_failed(tmp_path: Path) -> None:
    found = graded(write_post(tmp_path, "http://deepfield.invalid"))
    assert found.offline and not found.result.solved
    check = check_of(found, "links_resolve")
    assert check.outcome == "skipped" and check.cause is not None
    assert failed(found) == {}


@pytest.mark.skipif(os.name != "posix", reason="symbolic links")
def test_what_is_no_post(tmp_path: Path, service: Service) -> None:
    path = write_post(tmp_path / "folder", service.url)
    for wrong in (tmp_path / "folder" / "none.md", tmp_path / "nowhere" / "post.md"):
        with pytest.raises(WorkspaceError):
            graded(wrong)
    link = tmp_path / "folder" / "link.md"
    link.symlink_to(path)
    with pytest.raises(WorkspaceError, match="no such post"):
        graded(link)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(WorkspaceError, match="UTF-8"):
        graded(path)


def test_what_is_read_from_a_post() -> None:
    text = (
        "---\ntitle: x\n---\n# A *b* `c`\n\n# A b c\n\n> ```python\n> x = 1\n> ```\n>\n> ```output\n> 2\n> ```\n\n"
        "1. item\n\n   ```py\n   y = 2\n   ```\n\n<img src='z.png'>\n\n[ref]: https://a.org/b\n\n[ref] <https://c.org>"
        " ![alt](i.png 'title')\n\n```\nplain\n```\n\n    indented\n\n```pycon\n>>> 1\n1\n>>> x = (\n... 2)\n```\n"
    )
    post = read_post(text)
    assert [(heading.level, heading.anchor) for heading in post.headings] == [(1, "a-b-c"), (1, "a-b-c-1")]
    assert post.links == ("https://a.org/b", "https://c.org")
    assert [(image.source, image.words) for image in post.images] == [("i.png", "alt")]
    assert [(block.line, block.mode, block.shown) for block in post.blocks] == [
        (9, "exec", "2\n"), (19, "exec", None), (35, "single", "1\n"), (37, "single", ""),
    ]  # fmt: skip
    assert post.passed_over == ("plain",)
    assert text.splitlines()[8] == "> x = 1"


@pytest.mark.parametrize("text", ["", "\0", "```python", "[](", "#" * 7, "```pycon\n>>>x\n```", "|a|\n|-|\n|b|"])
def test_any_text_can_be_read(text: str) -> None:
    assert read_post(text).words >= 0
