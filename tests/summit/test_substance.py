"""What a diff amounts to: corrections, comments, layout and generated files are told from changes that run."""

from __future__ import annotations

import pytest

from deepfield_cli.summit.substance import ChangedFile, weigh
from tests.summit.github_shapes import PATCH


def changed(name: str, patch: str | None) -> ChangedFile:
    lines = (patch or "").splitlines()
    return ChangedFile(name, sum(map(_is_added, lines)), sum(line.startswith("-") for line in lines), patch)


def _is_added(line: str) -> bool:
    return line.startswith("+")


@pytest.mark.parametrize(
    ("shortfall", "name", "patch"),
    [
        ("typo-only", "a.py", '-    raise ValueError("recieved nothing")\n+    raise ValueError("received nothing")'),
        ("typo-only", "a.py", "-    lenght = compute_x(lenght)\n+    length = compute_x(length)"),
        ("typo-only", "a.cpp", '-  printf("sucessfully trained\\n");\n+  printf("successfully trained\\n");'),
        ("comments-only", "a.py", "-# teh cache\n+# the cache"),
        ("comments-only", "a.cu", "+// one block for each row\n+/* and one thread\n+ * for each column\n+ */"),
        ("comments-only", "a.py", '+    """Mean over all rows of the batch."""'),
        (
            "comments-only",
            "a.py",
            "-    Computes the mean over rows of one batch\n+    Computes the mean of each row in a batch",
        ),
        ("comments-only", "a.py", "-x = 1  # frist\n+x = 1  # first\n+# so it is"),
        ("layout-only", "a.py", "-x=1\n+x = 1"),
        ("layout-only", "a.py", "-import b\n-import a\n+import a\n+import b"),
        ("layout-only", "a.py", "-    return  x\n+        return x\n+\n+"),
        ("text-only", "README.md", "-old words\n+new words that say more"),
        ("text-only", "docs/guide.rst", "+Title\n+====="),
        ("generated-only", "poetry.lock", "+package = 1"),
        ("generated-only", "third_party/zlib/inflate.c", "+int main() { return 0; }"),
        ("generated-only", "api_pb2.py", "+x = 1"),
        ("empty", "a.py", ""),
    ],
)
def test_no_change_of_substance(shortfall: str, name: str, patch: str) -> None:
    found = weigh([changed(name, patch)])
    assert (found.lines, found.shortfall) == (0, shortfall)
    assert found.words


@pytest.mark.parametrize(
    ("lines", "name", "patch"),
    [
        (2, "a.py", "-    if x < y:\n+    if x <= y:"),
        (2, "a.py", "-    return a + b\n+    return a - b"),
        (2, "a.py", "-    scale = 1.0\n+    scale = 1.0 / math.sqrt(d)"),
        (2, "a.py", "-    y = exp(x)\n+    y = erf(x)"),  # too short to be a spelling
        (2, "a.py", "-    model.train()\n+    model.eval()"),
        (2, "a.py", "-    dtype = torch.float16\n+    dtype = torch.float32"),
        (1, "a.h", "+#define BLOCK 128"),
        (1, "a.c", "+  *out = total;"),
        (1, "a.py", "+    assert rows is not None and columns"),
        (1, "a.py", "+    for request in waiting:  # all of them"),
        (1, "config.yaml", "+learning_rate: 3.0e-4"),
        (1, "Makefile", "+\tpython -m build --wheel (ok)"),
    ],
)
def test_a_change_that_runs(lines: int, name: str, patch: str) -> None:
    found = weigh([changed(name, patch)])
    assert (found.lines, found.shortfall) == (lines, None)


def test_one_file_of_substance_is_enough_and_others_do_not_count() -> None:
    alone = weigh([changed("scheduler.py", PATCH)])
    assert alone.lines > 10
    padded = [changed("uv.lock", "+x = 1\n" * 5000), changed("README.md", "+words and words"), changed("a.py", PATCH)]
    assert weigh(padded) == alone


def test_what_cannot_be_read_counts_as_substance() -> None:
    assert weigh([ChangedFile("weights.bin", 0, 0, None)]).shortfall == "empty"
    assert weigh([ChangedFile("kernel.cu", 4000, 20, None)]).lines == 4020


def test_a_correction_among_changes_is_not_counted() -> None:
    patch = '-    log("finnished in time")\n+    log("finished in time")\n-    a = 1\n+    a = 2'
    assert weigh([changed("a.py", patch)]).lines == 2


def test_no_files_and_very_long_diffs() -> None:
    assert weigh([]).shortfall == "empty"
    long = "".join(f"-    value_{n} = old({n})\n+    value_{n} = new({n})\n" for n in range(3000))
    assert weigh([changed("a.py", long)]).lines == 6000
