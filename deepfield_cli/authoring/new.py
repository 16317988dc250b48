"""Beginning a new problem: a small one that works, whose comments are the format's documentation."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from deepfield_cli.authoring.references import known_stages
from deepfield_cli.content.packs import PACKS_VARIABLE, builtin_pack, packs
from deepfield_cli.errors import ContentError, WorkspaceError

_TEMPLATE = Path(__file__).parent / "template"
_ID, _SLUG, _CONCEPT = "example/running_mean", "running_mean", "CONCEPT"
_FORM = re.compile(r"[a-z][a-z0-9]*/[a-z0-9]+(-[a-z0-9]+)*")
_FILES = ("*.py", "*.yaml", "*.md")


@dataclass(frozen=True)
class NewProblem:
    """What was written, and the command that judges it."""

    files: tuple[Path, ...]
    next_command: str


def new_problem(name: str, pack: Path | None = None) -> NewProblem:
    """Write the folders of a problem.

    Args:
        name: field/slug.
        pack: the pack's folder, made if it is not there; the built-in pack in a checkout if None.

    Raises:
        ContentError: the name is no id, or the problem is there already.
        WorkspaceError: the pack cannot be written.

    """
    if not _FORM.fullmatch(name):
        raise ContentError(f'"{name}" is not a problem id', fix="field/slug in small letters, e.g. llm/layer-norm")
    root = _root(pack)
    folders = [root / part / name for part in ("problems", "graders")]
    for folder in folders:
        if folder.exists():
            raise ContentError(
                "it is there already", where=str(folder), fix="choose another slug, or edit what is there"
            )
    try:
        files = sorted(_write(source, root, name) for source in _sources())
    except OSError as error:
        raise WorkspaceError(
            f"cannot be written: {error.strerror}", where=str(root), fix="choose another --pack"
        ) from error
    return NewProblem(tuple(files), _next_command(name, root))


def _next_command(name: str, root: Path) -> str:
    """With the variable that makes the pack known, unless it is."""
    known = any(pack.root == root for pack in packs())
    return f"deepfield dev check {name}" if known else f"{PACKS_VARIABLE}={root} deepfield dev check {name}"


def _root(pack: Path | None) -> Path:
    if pack is not None:
        return pack.expanduser().resolve()
    root = builtin_pack().root
    if not (root / "pyproject.toml").is_file():
        raise ContentError("deepfield is installed, not checked out", fix="say where your pack is: --pack DIR")
    return root


def _sources() -> list[Path]:
    found = [path for pattern in _FILES for path in _TEMPLATE.rglob(pattern)]
    return [path for path in found if "__pycache__" not in path.parts]


def _write(source: Path, root: Path, name: str) -> Path:
    relative = source.relative_to(_TEMPLATE).as_posix().replace(_ID, name)
    target = root / relative.replace(f"starter/{_SLUG}.py", f"starter/{_entry(name)}")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(_text(source, root, name), encoding="utf-8")
    return target


def _text(source: Path, root: Path, name: str) -> str:
    text = source.read_text(encoding="utf-8").replace(_ID, name)
    if source.name != "problem.yaml":
        return text
    text = text.replace(f"entry: {_SLUG}.py", f"entry: {_entry(name)}")
    return text.replace(f"  - {_CONCEPT}\n", f"  - {json.dumps(_concept(root, name), ensure_ascii=False)}\n")


def _entry(name: str) -> str:
    """The file that the learner fills in; a name that Python can import."""
    stem = name.partition("/")[2].replace("-", "_")
    return f"{stem if stem[0].isalpha() else f'problem_{stem}'}.py"


def _concept(root: Path, name: str) -> str:
    """The first concept of the field's stage, for the author to replace."""
    field = name.partition("/")[0]
    stages, _ = known_stages(root)
    return next((stage.concepts[0].name for stage in stages if stage.id == field), "running means")
