"""A failed check as a script: the exact inputs, the learner's own file, and the difference, to step through."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deepfield_cli.errors import CheckFailed
from deepfield_cli.grading.replay import Replay, parts
from deepfield_cli.grading.result import CheckResult, GradeResult
from deepfield_cli.grading.running import Failure
from deepfield_cli.sandbox.wire import Tensor

SCRIPT = "repro.py"
INPUTS = "inputs.npz"
# Wide enough to read, narrow enough for a split screen.
_COMMENT_WIDTH = 100
_HELPERS = Path(__file__).with_name("repro_helpers.txt")
_PUT_ASIDE = {
    "timeout": "in the grader there was no answer in time: Ctrl-C shows where it is",
    "forbidden-call": "the rule is enforced in the grader only: here the call goes through",
    "out-of-memory": "here there is no limit on memory: beware",
}


def write_repro(folder: Path, entry: Path, failure: Failure, result: GradeResult) -> Path:
    """Write ``repro.py`` and its inputs into a folder, in place of what is there, and return the script.

    Args:
        folder: where to write; emptied first.
        entry: the learner's file, which the script imports from where it is.
        failure: the check, what it said and the calls that it made.
        result: the grade, for the seed and the words of the diagnosis.

    Raises:
        OSError: it cannot be written.

    """
    replay = Replay(entry.stem, entry.read_bytes() if entry.is_file() else b"")
    replay.write(failure.recorder.calls)
    comparisons = _comparisons(replay, failure.error)
    text = _script(entry, failure, result, replay, comparisons)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if replay.arrays:
        np.savez(folder / INPUTS, **replay.arrays)  # type: ignore[arg-type]  # names of arrays, never numpy's own flags
    for name, literal in replay.texts.items():
        (folder / f"{name}.txt").write_text(literal, encoding="utf-8")
    script = folder / SCRIPT
    script.write_text(text, encoding="utf-8")
    return script


# What is compared


def _comparisons(replay: Replay, error: CheckFailed) -> list[str]:
    """Lines that compare the answers with what was expected, as far as the failure tells."""
    expected: Mapping[str, Any] = getattr(error, "expected_values", None) or {}
    actual: Mapping[str, Any] = getattr(error, "actual_values", None) or {}
    lines = []
    for number, (what, wanted) in enumerate(expected.items()):
        place = _place_of(replay, what, wanted, actual.get(what), alone=len(expected) == 1)
        if place is None:
            lines.append(f"# {_plain(what)} is computed from several answers; the grader's own words above have the numbers.")
        elif isinstance(wanted, np.ndarray):
            replay.arrays[f"expected_{number}"] = wanted
            lines.append(f'compare({what!r}, {place}, INPUTS["expected_{number}"])')
        else:
            lines.append(f"compare_plain({what!r}, {place}, {replay.literal(wanted, f'expected_{number}')})")
    lines += [f'unchanged({variable!r}, {variable}, INPUTS["{name}"])' for variable, name in replay.kept.items()]
    return lines or [f"print({place!r}, '=', {place})" for place, _ in replay.answers[-1:]]


def _place_of(replay: Replay, what: str, wanted: Any, actual: Any, *, alone: bool) -> str | None:
    """The expression of the answer that was compared: the very object, else the newest that could be it."""
    for place, leaf in reversed(replay.answers):
        if actual is not None and leaf is actual:
            return place
    if actual is not None or not isinstance(wanted, np.ndarray):
        return None
    tensors = [(place, leaf) for place, leaf in reversed(replay.answers) if isinstance(leaf, Tensor)]
    if not alone:
        tensors = [(place, leaf) for place, leaf in tensors if place.endswith(f"[{what!r}]")]
    fitting = [(place, leaf) for place, leaf in tensors if leaf.shape == wanted.shape]
    off = [(place, leaf) for place, leaf in fitting if not np.array_equal(leaf.array, wanted)]
    return next((place for place, _ in (*off, *fitting, *tensors)), None)


# The script


def _script(entry: Path, failure: Failure, result: GradeResult, replay: Replay, comparisons: Sequence[str]) -> str:
    check = next(check for check in result.checks if check.name == failure.check.name)
    body = "\n".join((*replay.lines, "", *comparisons))
    helpers = _helpers(body)
    head = "\n".join((*body.splitlines(), *helpers))
    blocks = [
        _header(check, result),
        _imports(head),
        _places(entry, head),
        *helpers,
        "\n".join(_announcement(check, failure.error)),
        body,
    ]
    return "\n\n".join(block.strip("\n") for block in blocks if block.strip()) + "\n"


def _header(check: CheckResult, result: GradeResult) -> str:
    lines = [f"{result.problem}, check {check.name}", *_wrapped(check.description), ""]
    cause = check.cause
    if cause is not None:
        lines += [f"diagnosis: {cause.diagnosis}"] if cause.diagnosis else []
        lines += _wrapped(cause.rationale)
        lines += _wrapped(f"try: {cause.help}") if cause.help else []
        lines.append("")
    lines += [f"seed {result.seed}", f"written by deepfield; step through it with:  python -m pdb {SCRIPT}"]
    return "\n".join(f"# {_plain(line)}".rstrip() for line in lines)


def _imports(text: str) -> str:
    lines = ["from __future__ import annotations", ""]
    lines += [f"import {name}" for name in ("ast", "itertools", "sys") if f"{name}." in text or name == "sys"]
    lines += ["from pathlib import Path", "", "import numpy as np"]
    return "\n".join(lines + (["import torch"] if "torch." in text or "tensor(" in text else []))


def _places(entry: Path, text: str) -> str:
    lines = ["HERE = Path(__file__).resolve().parent"]
    lines += ['INPUTS = np.load(HERE / "inputs.npz")'] if "INPUTS" in text else []
    lines += [f"sys.path.insert(0, {str(entry.absolute().parent)!r})  # your files", f"import {entry.stem}  # noqa: E402"]
    return "\n".join(lines)


def _helpers(body: str) -> list[str]:
    """The functions that the body calls, and those that these call."""
    known = {part.split("(")[0].removeprefix("def "): part for part in _HELPERS.read_text("utf-8").split("\n\n\n")}
    wanted: list[str] = []
    text = body
    for name in reversed(known):  # callers stand below what they call
        if f"{name}(" in text:
            wanted.insert(0, known[name])
            text += known[name]
    return [f"\n{part}\n" for part in wanted]


def _announcement(check: CheckResult, error: CheckFailed) -> list[str]:
    """Lines that print what the grader saw, before the script makes the same calls."""
    said = [f"in the grader: {error.rationale}"]
    said += [f"  expected  {line}" for line in (error.expected or "").splitlines()[:12]]
    said += [f"  got       {line}" for line in (error.actual or "").splitlines()[:12]]
    note = _PUT_ASIDE.get(error.diagnosis or "")
    said += [note] if note else []
    return [f"print({_plain(line)!r})" for line in said] + ["print()"]


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, _COMMENT_WIDTH) or [""]


def _plain(text: str) -> str:
    """One line without control characters: part of it may be the learner's own output."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


__all__ = ["SCRIPT", "parts", "write_repro"]
