"""The wheel: built, installed in a clean environment without the sources, and put to work from another folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What a wheel is built from; the build must not see anything else of the working tree.
SOURCES = ("deepfield_cli", "curriculum", "problems", "graders", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean environment with the wheel in it; the libraries come from this environment by a path file."""
    root = tmp_path_factory.mktemp("wheel")
    source = root / "source"
    source.mkdir()
    for name in SOURCES:
        origin = ROOT / name
        copy = shutil.copytree if origin.is_dir() else shutil.copy
        copy(origin, source / name)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(root / "dist"), str(source)]
    subprocess.run(build, check=True, capture_output=True)
    shutil.rmtree(source)
    environment = root / "environment"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    wheel = next((root / "dist").glob("*.whl"))
    _output(python, "-m", "pip", "install", "--quiet", "--no-deps", str(wheel))
    _lend_libraries(Path(_output(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()))
    return environment


def _output(*command: Path | str) -> str:
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout


def _lend_libraries(packages: Path) -> None:
    """Link this environment's libraries, but not deepfield itself: downloading torch again would prove nothing."""
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if "deepfield" not in entry.name and not (packages / entry.name).exists() and entry.suffix != ".pth":
            (packages / entry.name).symlink_to(entry)


def _run(environment: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8"}
    return subprocess.run(
        [str(environment / "bin" / "deepfield"), *arguments], cwd=folder, env=clean, capture_output=True, text=True
    )


@pytest.mark.slow
def test_the_wheel_holds_the_pack_and_no_sources_are_needed(installed: Path, tmp_path: Path) -> None:
    listed = _run(installed, tmp_path, "list")
    assert listed.returncode == 0, listed.stderr
    assert "llm/attention" in listed.stdout
    started = _run(installed, tmp_path, "start", "llm/attention")
    assert started.returncode == 0, started.stderr
    assert (tmp_path / "llm" / "attention" / "attention.py").is_file()


@pytest.mark.slow
def test_a_grade_from_the_wheel_tells_right_from_wrong(installed: Path, tmp_path: Path) -> None:
    _run(installed, tmp_path, "start", "llm/attention")
    stub = _run(installed, tmp_path, "grade", "llm/attention", "--json")
    assert stub.returncode == 1, stub.stderr
    assert json.loads(stub.stdout)["checks"][0]["cause"]["diagnosis"] == "not-implemented"
    solution = next((ROOT / "graders" / "llm" / "attention" / "solutions").glob("*.py"))
    shutil.copy(solution, tmp_path / "llm" / "attention" / "attention.py")
    right = _run(installed, tmp_path, "grade", "llm/attention", "--json")
    assert right.returncode == 0, right.stdout + right.stderr
    assert json.loads(right.stdout)["solved"] is True


@pytest.mark.slow
def test_the_graders_inside_the_wheel_cannot_be_read_by_a_submission(installed: Path, tmp_path: Path) -> None:
    _run(installed, tmp_path, "start", "llm/attention")
    thief = (
        "import glob, os, sys\n"
        "pattern = 'deepfield_cli/_pack/graders/*/*/*'\n"
        "found = [open(p).read() for e in sys.path for p in glob.glob(os.path.join(e, pattern))]\n"
        "print('STOLEN', len(found))\n"
        "def attention_forward(x, w_qkv, b_qkv, w_out, b_out, n_heads):\n"
        "    from deepfield_cli import _pack\n"
    )
    (tmp_path / "llm" / "attention" / "attention.py").write_text(thief, encoding="utf-8")
    result = _run(installed, tmp_path, "grade", "llm/attention", "--json")
    assert result.returncode == 1, result.stderr
    assert "STOLEN 0" in result.stdout or "Permission denied" in result.stdout
