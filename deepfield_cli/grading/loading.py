"""Loading a suite: its folder becomes a package of its own name, so that packs never collide."""

from __future__ import annotations

import importlib
import importlib.util
import sys
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
    _make_kit_importable()
    package = _package(location)
    try:
        module = importlib.import_module(f"{package}.suite")
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith(package):
            raise
        raise ContentError(
            f"its grader needs the package {error.name}",
            where=location.id,
            fix=f"pip install 'deepfield[{location.load().extra or location.id.partition('/')[0]}]'",
        ) from error
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


def _package(location: ProblemLocation) -> str:
    """Register the grader's folder as a package and return its name."""
    name = "deepfield_suites_" + "_".join([location.pack.name, *location.id.split("/")]).replace("-", "_")
    if name not in sys.modules:
        package = types.ModuleType(name)
        package.__path__ = [str(location.grader)]
        sys.modules[name] = package
    return name


def _make_kit_importable() -> None:
    """``graders.kit`` lies beside the problems: in the repository, or inside the wheel."""
    if importlib.util.find_spec("graders") is None:
        root = str(builtin_pack().root)
        if Path(root, "graders", "kit").is_dir() and root not in sys.path:
            sys.path.append(root)
