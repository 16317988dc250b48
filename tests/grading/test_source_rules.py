"""Advice from the source: names are followed through their aliases, and nothing that cannot be read is in the way."""

from __future__ import annotations

import pytest

from deepfield_cli.grading.source_rules import advise
from tests.grading.conftest import tiny

REASON = "The average is what you are to write."


def notes(source: str | bytes, name: str = "mean.py") -> list[str]:
    content = source if isinstance(source, bytes) else source.encode()
    return advise({name: content}, tiny("tiny/mean").load())


@pytest.mark.parametrize(
    ("source", "line", "name"),
    [
        ("import numpy\nnumpy.mean(x)", 2, "numpy.mean"),
        ("import numpy as np\n\nnp.mean(x)", 3, "numpy.mean"),
        ("from numpy import mean\nmean(x)", 2, "numpy.mean"),
        ("from numpy import mean as average\nf = average", 2, "numpy.mean"),
        ("import statistics", 1, "statistics"),
        ("def f():\n    from statistics import fmean", 2, "statistics"),
        ("import statistics.nothing as s", 1, "statistics"),
    ],
)
def test_a_forbidden_name_is_found_with_its_line(source: str, line: int, name: str) -> None:
    assert notes(source) == [f"mean.py:{line} names {name}: {REASON}"]


@pytest.mark.parametrize(
    "source",
    [
        "import numpy as np\nnp.sum(x)",
        "def mean(x):\n    return x\nmean(1)",
        "text = 'numpy.mean'  # numpy.mean",
        "x.mean()",
        "numpy_mean = 1",
    ],
)
def test_what_only_looks_like_it_is_not(source: str) -> None:
    assert notes(source) == []


@pytest.mark.parametrize(
    "source", ["def f(:", b"\xff\xfe\x00", b"a\x00b", "(" * 5000, "-" * 100_000 + "1", "x" + "+x" * 3000]
)
def test_a_file_that_cannot_be_read_as_python_is_passed_over(source: str | bytes) -> None:
    assert notes(source) == []


def test_other_files_are_not_python() -> None:
    assert notes("import statistics", "notes.md") == []


def test_ten_notes_are_enough() -> None:
    assert len(notes("import statistics\n" * 50)) == 10
