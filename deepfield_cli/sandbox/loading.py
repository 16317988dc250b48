"""Loading a submission: its folder is the import root of the worker alone, and shadows nothing of the library."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import linecache
import os
import sys
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# Packages that a file of the learner's may not stand in for: the worker and the libraries themselves import them.
_PROTECTED = {"numpy", "torch", "msgpack", "triton", "gymnasium", "regex", "deepfield_cli"}


class SubmissionFinder:
    """Finds the learner's sibling files before installed packages, and after the standard library."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Answer for top-level names that the folder holds and that no library owns."""
        if path is not None or name in sys.stdlib_module_names or name in _PROTECTED:
            return None
        return importlib.machinery.PathFinder.find_spec(name, [self.folder], target)


class ForbiddenModules:
    """Refuses to import what the problem's rules name, with the rule's own words."""

    def __init__(self, reasons: dict[str, str]) -> None:
        self.reasons = reasons

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Raise ImportError for a forbidden package; answer for nothing."""
        root = name.partition(".")[0]
        if root in self.reasons:
            raise ModuleNotFoundError(f"{root} may not be used in this problem: {self.reasons[root]}", name=root)
        return None


def load_submission(folder: Path, entry: str) -> types.ModuleType:
    """Run the entry file as a module that is registered before it runs; let its own exceptions through."""
    sys.meta_path.insert(0, SubmissionFinder(folder))
    path = folder / entry
    source = path.read_bytes()
    name = path.stem
    module = types.ModuleType(name)
    module.__file__ = str(path)
    module.__spec__ = importlib.util.spec_from_file_location(name, path)
    sys.modules[name] = module
    code = compile(source, str(path), "exec", dont_inherit=True)
    exec(code, module.__dict__)
    return module


class KitFinder:
    """Finds the kit's modules among the sources that came with the probe; there while the probe is loaded, not after.

    Args:
        sources: text by dotted name; the name of a package ends in a dot.

    """

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.sources = sources

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Answer for the kit's own modules and packages."""
        package = f"{name}." in self.sources
        if not package and name not in self.sources:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=package)  # type: ignore[arg-type]

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        """An ordinary module."""

    def exec_module(self, module: types.ModuleType) -> None:
        """Run its source."""
        name = module.__name__
        _run_source(module, self.sources.get(name, self.sources.get(f"{name}.", "")), f"<{name}>")

    def forget(self) -> None:
        """Take the finder and its modules away: the learner's code must not find them by name."""
        sys.meta_path.remove(self)
        for name in self.sources:
            sys.modules.pop(name.rstrip("."), None)


def load_probe(source: str, kit: Mapping[str, str]) -> types.ModuleType:
    """Run grader code that came over the wire, since a worker cannot read it from the disk, with the kit it imports."""
    finder = KitFinder(kit)
    sys.meta_path.insert(0, finder)
    try:
        module = types.ModuleType("deepfield_probe")
        sys.modules["deepfield_probe"] = module
        _run_source(module, source, "<probe>")
    finally:
        finder.forget()
    return module


def _run_source(module: types.ModuleType, source: str, name: str) -> None:
    """Compilers of kernels ask for the source of a function, which lies in no file: linecache has it."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    exec(compile(source, name, "exec", dont_inherit=True), module.__dict__)


def learner_frames(error: BaseException, folder: Path) -> list[dict[str, Any]]:
    """The frames of a traceback that stand in the learner's files, innermost last."""
    frames = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename.startswith(str(folder) + os.sep):
            name = os.path.relpath(code.co_filename, folder)
            line = linecache.getline(code.co_filename, trace.tb_lineno).strip()
            frames.append({"file": name, "line": trace.tb_lineno, "function": code.co_name, "source": line[:200]})
        trace = trace.tb_next
    return frames[-6:]
