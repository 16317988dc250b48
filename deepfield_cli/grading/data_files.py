"""The files that a rung needs: pointed at on the command line, or found in the cache of `deepfield data`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deepfield_cli.content.problem import DataFile, Problem, Rung
from deepfield_cli.errors import DeepfieldError, near_miss


def found_data(problem: Problem, rung: Rung, given: Mapping[str, Path]) -> dict[str, Path]:
    """Path by name for everything that the rung needs and that is there.

    Raises:
        DeepfieldError: an unknown name, or something is missing: what, and how to get it.

    """
    declared = {item.name: item for item in problem.rungs[rung].data}
    for name in given:
        if name not in declared:
            hint = near_miss(name, declared) or f"this rung takes {', '.join(declared) or 'none'}"
            raise DeepfieldError(f'--data: unknown name "{name}"', fix=hint)
    found = {}
    for name, item in declared.items():
        path = given[name] if name in given else _cached(item)
        if path is not None:
            found[name] = _examined(item, path)
        elif not item.optional:
            raise _missing(problem, rung, item)
    return found


def _cached(item: DataFile) -> Path | None:
    if item.dataset is None:
        return None
    from deepfield_cli.datasets import locate

    return locate(item.dataset)


def _missing(problem: Problem, rung: Rung, item: DataFile) -> DeepfieldError:
    own = f"--data {item.name}=PATH"
    needs = f"rung {rung} of {problem.id} needs {item.description}"
    if item.dataset is None:
        return DeepfieldError(needs, fix=f"{item.how}; then {own}")
    from deepfield_cli.datasets import missing

    return DeepfieldError(needs, fix=f"{missing(item.dataset).fix}; or point at it: {own}")


def _examined(item: DataFile, path: Path) -> Path:
    where = f"--data {item.name}={path}"
    if not (path.is_dir() if item.kind == "folder" else path.is_file()):
        raise DeepfieldError(f"no such {item.kind}", where=where, fix=item.how)
    if item.kind == "file" and path.stat().st_size < item.minimum_mb * 1e6:
        raise DeepfieldError(f"smaller than {item.minimum_mb:g} MB", where=str(path), fix=item.how)
    return path
