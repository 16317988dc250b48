"""A failed check as a script: the exact inputs, the learner's own file, and the difference, to step through."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deepfield_cli.content.packs import find_location
from deepfield_cli.errors import CheckFailed
from deepfield_cli.grading.loading import probe_source
from deepfield_cli.grading.replay import PROBE, Replay, quoted
from deepfield_cli.grading.repro_folder import note_written
from deepfield_cli.grading.result import CheckResult, GradeResult
from deepfield_cli.grading.running import Failure
from deepfield_cli.sandbox.submission import Reference
from deepfield_cli.sandbox.wire import Tensor

SCRIPT = "repro.py"
INPUTS = "inputs.npz"
# Wide enough to read, narrow enough for a split screen.
_COMMENT_WIDTH = 100
_HELPERS = Path(__file__).with_name("repro_helpers.txt")
_ARRAYS = {"np": "import numpy as np", "torch": "import torch"}
# What a suite may have taken apart and put together again before it compared it.
_PLAIN = (list, tuple, dict, str, bytes, int)
_DIFFERENT_HERE = {
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
    replay.write(failure.recorder.calls, list((getattr(failure.error, "actual_values", None) or {}).values()))
    comparisons = _comparisons(replay, failure.error)
    text = _script(entry, failure, result, replay, comparisons)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if replay.arrays:
        np.savez(folder / INPUTS, **replay.arrays)  # type: ignore[arg-type]  # names of arrays, never numpy's own flags
    for name, literal in replay.texts.items():
        (folder / f"{name}.txt").write_text(literal, encoding="utf-8")
    if _uses_probe(replay):
        (folder / f"{PROBE}.py").write_text(probe_source(find_location(result.problem)) or "", encoding="utf-8")
    script = folder / SCRIPT
    script.write_text(text, encoding="utf-8")
    note_written(folder)
    return script


def _uses_probe(replay: Replay) -> bool:
    return any(f"{PROBE}." in line for line in replay.lines)


# What is compared


def _comparisons(replay: Replay, error: CheckFailed) -> list[str]:
    """Lines that compare the answers with what was expected, as far as the failure tells."""
    expected: Mapping[str, Any] = getattr(error, "expected_values", None) or {}
    actual: Mapping[str, Any] = getattr(error, "actual_values", None) or {}
    lines = []
    for number, (what, wanted) in enumerate(expected.items()):
        place = _place_of(replay, actual.get(what))
        if place is None:
            lines.append(
                f"# {_plain(what)} is computed from several answers; the grader's own words above have the numbers."
            )
        elif isinstance(wanted, np.ndarray):
            replay.arrays[f"expected {number}"] = wanted
            lines.append(f'compare({quoted(what)}, {place}, INPUTS["expected {number}"])')
        else:
            lines.append(f"compare_plain({quoted(what)}, {place}, {replay.literal(wanted, f'expected_{number}')})")
    lines += [f'unchanged({quoted(variable)}, {variable}, INPUTS["{name}"])' for variable, name in replay.kept.items()]
    if any(not line.startswith("#") for line in lines):
        return lines
    return lines + [f"show({quoted(place)}, {place})" for place in _worth_showing(replay)]


def _worth_showing(replay: Replay) -> list[str]:
    """Where nothing is compared: every answer; of one that holds arrays or objects, its items."""
    answers = [(place, leaf) for place, leaf in replay.answers if place.startswith("answer")]
    held = {place for place, leaf in answers if _holds_arrays(leaf)}
    return [
        place
        for place, leaf in answers
        if not isinstance(leaf, Reference) and place not in held and ("[" not in place or place.split("[")[0] in held)
    ]


def _holds_arrays(value: Any) -> bool:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return any(isinstance(item, Tensor | Reference) for item in items)


def _place_of(replay: Replay, compared: Any) -> str | None:
    """The expression of the answer that was compared: the very object, else one that equals it, the newest first."""
    newest = replay.answers[::-1]
    same = (place for place, leaf in newest if leaf is compared)
    equal = (place for place, leaf in newest if type(leaf) in _PLAIN and leaf == compared)
    return next(same, None) or next(equal, None)


# The script


def _script(entry: Path, failure: Failure, result: GradeResult, replay: Replay, comparisons: Sequence[str]) -> str:
    """The story first, from the inputs to the difference; the functions that it calls below it."""
    check = next(check for check in result.checks if check.name == failure.check.name)
    story = "\n".join((*_announcement(check), *replay.lines, "", *comparisons))
    helpers = _helpers(story)
    code = "\n".join((story, *helpers))
    main = "def main():\n" + textwrap.indent(story.strip("\n"), "    ")
    parts_of_file = [_top(check, result, entry, code), main, *helpers, 'if __name__ == "__main__":\n    main()']
    return "\n\n\n".join(parts_of_file) + "\n"


def _top(check: CheckResult, result: GradeResult, entry: Path, code: str) -> str:
    return "\n\n".join((_header(check, result), _imports(code, _settings(result)), _places(entry, code)))


def _header(check: CheckResult, result: GradeResult) -> str:
    lines = [f"{result.problem}, check {check.name}", *_wrapped(check.description), ""]
    cause = check.cause
    if cause is not None:
        lines += [f"diagnosis: {cause.diagnosis}"] if cause.diagnosis else []
        lines += _wrapped(cause.rationale)
        lines += _wrapped(f"try: {cause.help}") if cause.help else []
        lines.append("")
    lines += [f"seed {result.seed}; written by deepfield, anew at every grade that fails this check"]
    lines += [f"step through it with:  python -m pdb {SCRIPT}"]
    return "\n".join(f"# {_plain(line)}".rstrip() for line in lines)


def _settings(result: GradeResult) -> list[str]:
    """Lines that set what the problem's modules read when they are imported, as the grader does."""
    environment = find_location(result.problem).load().environment_at(result.rung)
    return [f"os.environ[{quoted(name)}] = {quoted(value)}" for name, value in environment.items()]


def _imports(code: str, settings: Sequence[str]) -> str:
    """What is set stands before every import of a module that may read it."""
    standard = ["sys", *(["os"] if settings else []), *(name for name in ("ast", "itertools") if f"{name}." in code)]
    parts = ["\n".join([*(f"import {name}" for name in sorted(standard)), "from pathlib import Path"])]
    parts += ["\n".join(["# as in the grader; read at import", *settings])] if settings else []
    arrays = [line for name, line in _ARRAYS.items() if f"{name}." in code]
    parts += ["\n".join(arrays)] if arrays else []
    return "\n\n".join(parts)


def _places(entry: Path, code: str) -> str:
    lines = ["HERE = Path(__file__).resolve().parent"]
    lines += [f'INPUTS = np.load(HERE / "{INPUTS}")'] if "INPUTS[" in code else []
    lines += [f"sys.path.insert(0, {quoted(str(entry.absolute().parent))})  # your files", f"import {entry.stem}"]
    lines += [f"import {PROBE}  # what the grader runs beside your code"] if f"{PROBE}." in code else []
    return "\n".join(lines)


def _helpers(story: str) -> list[str]:
    """The functions that the story calls, and those that these call."""
    known = {part.split("(")[0].removeprefix("def "): part for part in _HELPERS.read_text("utf-8").split("\n\n\n")}
    wanted: dict[str, str] = {}
    unread = story
    while unread:
        found = {name: part for name, part in known.items() if f"{name}(" in unread and name not in wanted}
        wanted |= found
        unread = "\n".join(found.values())
    return [part.strip("\n") for part in wanted.values()]


def _announcement(check: CheckResult) -> list[str]:
    """Lines that print what the grader saw, before the script makes the same calls."""
    cause = check.cause
    if cause is None:
        return []
    said = [f"in the grader: {cause.rationale}"]
    said += [f"  expected  {line}" for line in (cause.expected or "").splitlines()]
    said += [f"  got       {line}" for line in (cause.actual or "").splitlines()]
    note = _DIFFERENT_HERE.get(cause.diagnosis or "")
    said += [note] if note else []
    return [*(f"print({quoted(_plain(line))})" for line in said), ""]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _COMMENT_WIDTH)


def _plain(text: str) -> str:
    """One line without control characters: part of it may be the learner's own output."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
