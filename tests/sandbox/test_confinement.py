"""What a worker can reach: nothing of the grader's, of the user's or of other workers', and no more than its limits."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from deepfield_cli.content.packs import builtin_pack
from deepfield_cli.sandbox import confinement, landlock, seccomp
from tests.sandbox.conftest import Confined

needs_landlock = pytest.mark.skipif(not landlock.version(), reason="this kernel has no Landlock")
ROOT = builtin_pack().root
READ = """
def readable(path):
    try:
        with open(path, "rb") as file:
            file.read(1)
        return True
    except OSError:
        return False
result = [path for path in paths if readable(path)]
"""
PRIVATE = [
    str(ROOT / "graders" / "llm" / "attention" / "oracle.py"),
    str(ROOT / "graders" / "llm" / "attention" / "suite.py"),
    str(ROOT / "graders" / "llm" / "attention" / "solutions" / "batched.py"),
    str(ROOT / "problems" / "llm" / "attention" / "problem.yaml"),
    str(ROOT / "deepfield_cli" / "grading" / "expectations.py"),
    "/proc/self/environ",
    "/proc/self/mem",
    "/proc/1/cmdline",
    "/proc/meminfo",
    "/etc/passwd",
    "/etc/hostname",
]


@needs_landlock
def test_nothing_private_can_be_read(confined: Confined, tmp_path: Path) -> None:
    ledger = tmp_path / ".deepfield" / "progress.db"
    ledger.parent.mkdir()
    ledger.write_bytes(b"record")
    paths = [*PRIVATE, str(ledger)]
    assert confined(f"paths = {paths!r}\n{READ}") == []
    assert len(confined(f"paths = {paths!r}\n{READ}", free=True)) > len(paths) // 2


@needs_landlock
def test_what_python_needs_can_be_read(confined: Confined) -> None:
    code = """
import csv, sqlite3, xml.dom.minidom, zoneinfo
result = [open(csv.__file__).readline() != "", sqlite3.connect(":memory:").execute("select 1").fetchone()[0]]
open("/dev/null", "w").write("x")
open("/dev/urandom", "rb").read(1)
"""
    assert confined(code) == [True, 1]


@needs_landlock
def test_writing_stays_in_the_scratch_folder(confined: Confined, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    code = f"""
import os
def fails(attempt):
    try:
        attempt()
    except OSError:
        return True
    return False
open("mine", "w").write("x")
os.makedirs("a/b")
result = [
    fails(lambda: open({str(outside / "new")!r}, "w")),
    fails(lambda: open({str(outside / "kept")!r}, "a")),
    fails(lambda: os.truncate({str(outside / "kept")!r}, 0)),
    fails(lambda: os.unlink({str(outside / "kept")!r})),
    fails(lambda: os.rename("mine", {str(outside / "moved")!r})),
    fails(lambda: os.link({str(outside / "kept")!r}, "linked")),
    fails(lambda: os.mkfifo({str(outside / "pipe")!r})),
    fails(lambda: os.mknod("device", 0o020666, 0)),
    fails(lambda: os.listdir({str(outside)!r})),
    fails(lambda: os.symlink({str(outside / "kept")!r}, "link") or open("link").read()),
]
"""
    assert confined(code) == [True] * 10
    assert [path.name for path in outside.iterdir()] == ["kept"]
    assert (outside / "kept").read_text() == "kept"


def test_limits_hold(confined: Confined) -> None:
    code = """
import resource
def limit(name):
    return resource.getrlimit(getattr(resource, name))[0]
try:
    bytes(1 << 30)
except MemoryError:
    memory = "refused"
try:
    open("large", "wb").truncate(1 << 30)
except OSError as error:
    file = error.errno
try:
    resource.setrlimit(resource.RLIMIT_CPU, (10_000, 10_000))
    raised = True
except (ValueError, OSError):
    raised = False
result = [limit("RLIMIT_CPU"), limit("RLIMIT_NOFILE"), limit("RLIMIT_CORE"), memory, file, raised]
"""
    assert confined(code, limits={"cpu_seconds": 7.0}) == [8, 512, 0, "refused", 27, False]


@pytest.mark.parametrize("without", [[], ["landlock"], ["seccomp"], ["landlock", "seccomp"]])
def test_the_isolation_is_called_what_it_is(confined: Confined, without: list[str]) -> None:
    walls = {"landlock": bool(landlock.version()), "seccomp": seccomp.available()}
    held = [name for name in walls if walls[name] and name not in without]
    assert confined("result = isolation", without=without) == ("+".join(held) or "process")


def test_what_holds_without_any_wall(confined: Confined) -> None:
    """The weakest isolation still has limits, a home of its own, and no way to import the graders."""
    code = f"""
import importlib, os, resource, sys
sys.path.append("")
found = []
for name in ("graders.llm.attention.oracle", "graders.kit", "graders"):
    try:
        importlib.import_module(name)
        found.append(name)
    except ImportError:
        pass
try:
    bytes(1 << 30)
    memory = "given"
except MemoryError:
    memory = "refused"
result = [found, memory, os.getcwd() == os.environ["HOME"], {str(ROOT)!r} in sys.path]
"""
    hidden = [str(ROOT / "graders")]
    assert confined(code, without=["landlock", "seccomp"], hidden=hidden) == [[], "refused", True, False]
    assert confined(code, free=True)[0] != []


def test_hidden_packages_and_deepfield_itself_are_left_out_of_what_is_readable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An installation has its graders among the packages, in the running interpreter's folder and in others."""
    mine, other = (tmp_path / name / "lib" / "python3.11" / "site-packages" for name in ("mine", "other"))
    for folder in (mine, other):
        for name in ("numpy", "tokenizers", "deepfield_cli/_pack/graders", "graders/kit"):
            (folder / name).mkdir(parents=True)
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(mine))
    monkeypatch.setattr(confinement, "_SYSTEM_READABLE", (str(tmp_path / "other" / "lib"),))
    confinement._package_folders.cache_clear()
    try:
        roots = confinement.readable_roots([str(mine / "tokenizers")])
    finally:
        confinement._package_folders.cache_clear()
    names = ("numpy", "tokenizers", "deepfield_cli", "graders")
    readable = [folder / name for folder in (mine, other) for name in names]
    kept = [path for path in readable if any(path.is_relative_to(root) for root in roots)]
    assert kept == [mine / "numpy", other / "numpy"]


@needs_landlock
def test_the_installed_copy_of_the_graders_cannot_be_read(confined: Confined) -> None:
    folders = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    copies = [str(path) for folder in folders for path in Path(folder, "deepfield_cli").rglob("*.py")]
    assert confined(f"paths = {copies!r}\n{READ}") == []


def test_landlock_says_which_version_it_has() -> None:
    version = landlock.version()
    assert 0 <= version < 100
