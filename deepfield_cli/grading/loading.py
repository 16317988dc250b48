"""Loading a suite: its folder becomes a package of its own name, so that packs never collide."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
import traceback
import types
from pathlib import Path

from deepfield_cli.content.packs import ProblemLocation, builtin_pack
from deepfield_cli.errors import ContentError
from deepfield_cli.grading.suite import Suite


def load_suite(location: ProblemLocation) -> Suite:
    """Import ``suite.py`` of a problem; raise ContentError where it is missing or not a suite."""
    path = location.grader / "suite.py"
    if not path.is_file():
        raise ContentError(
            "this problem has no grader yet", where=location.id, fix="deepfield list shows those that have"
        )
    make_kit_importable()
    package = _package(location)
    try:
        module = importlib.import_module(f"{package}.suite")
    except ContentError:
        raise
    except Exception as error:  # an author's file may raise anything: it is told with its place, like all content
        raise _import_fault(location, package, error) from error
    suite = getattr(module, "suite", None)
    if not isinstance(suite, Suite) or suite.problem != location.id:
        raise ContentError(f'no `suite = Suite("{location.id}")` in it', where=str(path))
    if not suite.checks:
        raise ContentError("the suite has no checks: nothing that runs is never a pass", where=str(path))
    return suite


def probe_source(location: ProblemLocation) -> str | None:
    """The text of the problem's probe, which is sent to the worker."""
    path = location.grader / "probe.py"
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _import_fault(location: ProblemLocation, package: str, error: Exception) -> ContentError:
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    if missing and not missing.startswith(package):
        return ContentError(
            f"its grader needs the package {missing}",
            where=location.id,
            fix=f"pip install 'deepfield[{location.load().extra or location.id.partition('/')[0]}]'",
        )
    return ContentError(f"its grader cannot be loaded: {type(error).__name__}: {error}", where=_place(location, error))


def _place(location: ProblemLocation, error: Exception) -> str:
    """File and line in the grader's folder where loading it went wrong."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno or 1}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if str(location.grader) in frame.filename]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else str(location.grader / "suite.py")


def _package(location: ProblemLocation) -> str:
    """Register the grader's folder as a package and return its name, which no other folder has."""
    place = hashlib.sha256(os.fsencode(location.grader.absolute())).hexdigest()[:8]
    name = "_".join(["deepfield_suites", *location.id.split("/"), place]).replace("-", "_")
    if name not in sys.modules:
        package = types.ModuleType(name)
        package.__path__ = [str(location.grader)]
        sys.modules[name] = package
    return name


def make_kit_importable() -> None:
    """``graders.kit`` lies beside the problems: in the repository, or inside the wheel."""
    if importlib.util.find_spec("graders") is None:
        root = str(builtin_pack().root)
        if Path(root, "graders", "kit").is_dir() and root not in sys.path:
            sys.path.append(root)
