"""What a diff amounts to: whether a program could tell the change from a typo, a reformatting or a generated file.

A judgement by rules, and careful: what it cannot read (a binary file, a very long diff) counts as substance. A person's
attestation stands beside it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from fnmatch import fnmatch
from pathlib import PurePosixPath

_GENERATED = (
    *("*.lock", "*-lock.json", "*-lock.yaml", "*.min.js", "*.min.css", "*.map", "*.snap", "*.svg", "*.po", "*.pot"),
    *("*_pb2.py", "*_pb2_grpc.py", "*.pb.go", "*.pb.h", "*.pb.cc", "*_generated.*", "*.generated.*", "*.csv"),
    *("requirements*.txt", "go.sum", "npm-shrinkwrap.json", ".all-contributorsrc"),
)
_GENERATED_FOLDERS = frozenset({"vendor", "third_party", "node_modules", "generated", "dist", "__snapshots__"})
_PROSE = (
    *("*.md", "*.mdx", "*.rst", "*.txt", "*.adoc", "LICENSE*", "AUTHORS*", "CONTRIBUTORS*", "CITATION*", "CODEOWNERS"),
)
_COMMENT = re.compile(
    r"^\s*(#(?!!|\[|include|define|undef|if|el|endif|pragma)|//|/\*|\*[\s/]|\*$|--\s|;;|<!--|\"{3}|'{3})"
)
_COMMENT_BEHIND = re.compile(r"\s+(#|//)\s.*$")
_WORD = re.compile(r"\w+|[^\w\s]")
_CODE_SIGN = re.compile(
    r"[=(){}\[\];<>@&|\\]|:\s*$|^\s*#|"
    r"^\s*(import|from|return|assert|raise|yield|del|global|nonlocal|with|for|while|if|elif|else|await|async|lambda)\b"
)
# Two spellings of one word share most of their letters; a shorter word is no evidence.
_SAME_WORD, _SHORTEST_WORD = 0.7, 4
# A line and its correction share most of their text.
_SAME_LINE = 0.6
# Beyond this many lines nobody corrects spelling alone, and comparing each with each would take long.
_MOST_LINES_COMPARED = 200


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """One file of a diff.

    Attributes:
        name: its path.
        added: lines added, as the service counts them.
        removed: lines removed.
        patch: the unified diff; None for a binary file or a very long one.

    """

    name: str
    added: int
    removed: int
    patch: str | None


@dataclass(frozen=True, slots=True)
class Substance:
    """What a diff amounts to.

    Attributes:
        lines: changed lines that a machine runs, corrections of spelling left out.
        shortfall: what it is instead of a change of substance; None if it is one.
        words: the same for people.

    """

    lines: int
    shortfall: str | None = None
    words: str = ""


def weigh(files: Sequence[ChangedFile]) -> Substance:
    """Whether the diff changes what a program does, and by how many lines."""
    written = [file for file in files if not _is_generated(file.name)]
    code = [file for file in written if not _is_prose(file.name)]
    if not files:
        return Substance(0, "empty", "it changes no file")
    if not written:
        return Substance(0, "generated-only", "all of its files are generated, locked or copied from elsewhere")
    changes = [_change(file) for file in code]
    lines = sum(change.lines for change in changes)
    if lines:
        return Substance(lines)
    if any(change.respelled for change in changes):
        return Substance(0, "typo-only", "it corrects spelling, and no program runs otherwise for it")
    if any(change.commented for change in changes):
        return Substance(0, "comments-only", "it changes comments, and nothing that runs")
    if any(file.added or file.removed for file in code):
        return Substance(0, "layout-only", "it moves lines or blanks, and nothing runs otherwise for it")
    if len(code) < len(written):
        return Substance(0, "text-only", "it changes text for people, and nothing that runs")
    return Substance(0, "empty", "it changes no line")


@dataclass(frozen=True, slots=True)
class _Change:
    lines: int
    commented: int = 0
    respelled: int = 0


def _change(file: ChangedFile) -> _Change:
    """What one file of code really changes."""
    if file.patch is None:
        return _Change(file.added + file.removed)
    removed, added = _sides(file.patch)
    comments = sum(map(_is_comment, (*removed, *added)))
    gone, come = _differing(removed, added)
    respelled = _corrections(gone, come)
    return _Change(sum(gone.values()) + sum(come.values()) - 2 * respelled, comments, respelled)


def _sides(patch: str) -> tuple[list[str], list[str]]:
    """The removed and the added lines of a unified diff, as they stand in the files."""
    removed, added = [], []
    for line in patch.splitlines():
        if line.startswith("-") and not line.startswith("--- "):
            removed.append(line[1:])
        elif line.startswith("+") and not line.startswith("+++ "):
            added.append(line[1:])
    return removed, added


def _differing(removed: Iterable[str], added: Iterable[str]) -> tuple[Counter[str], Counter[str]]:
    """Lines of code that are only on one side, whatever their order, their blanks and their comments."""
    before = Counter(filter(None, map(_as_run, removed)))
    after = Counter(filter(None, map(_as_run, added)))
    return before - after, after - before


def _as_run(line: str) -> str:
    """A line as a machine reads it; empty for a comment or for prose."""
    if _is_comment(line):
        return ""
    return " ".join(_WORD.findall(_COMMENT_BEHIND.sub("", line)))


def _is_comment(line: str) -> bool:
    """A comment, or a line of a docstring: words, and no sign that programs are made of."""
    if not line.strip():
        return False
    return bool(_COMMENT.match(line)) or (len(line.split()) > 2 and not _CODE_SIGN.search(line))


def _corrections(gone: Counter[str], come: Counter[str]) -> int:
    """Pairs of lines that differ in the spelling of words alone."""
    left = list(come.elements())
    if max(gone.total(), come.total()) > _MOST_LINES_COMPARED:
        return 0
    count = 0
    for line in gone.elements():
        best = max(left, key=lambda other: _likeness(line, other), default="")
        if best and _likeness(line, best) >= _SAME_LINE and _is_respelling(line, best):
            left.remove(best)
            count += 1
    return count


def _is_respelling(line: str, other: str) -> bool:
    before, after = line.split(), other.split()
    if len(before) != len(after):
        return False
    pairs = [(one, two) for one, two in zip(before, after, strict=True) if one != two]
    return bool(pairs) and all(_is_same_word(one, two) for one, two in pairs)


def _is_same_word(one: str, two: str) -> bool:
    long_enough = min(len(one), len(two)) >= _SHORTEST_WORD
    return long_enough and one.isalpha() and two.isalpha() and _likeness(one, two) >= _SAME_WORD


def _likeness(one: str, two: str) -> float:
    return SequenceMatcher(None, one, two, autojunk=False).ratio()


def _is_generated(name: str) -> bool:
    path = PurePosixPath(name)
    return not _GENERATED_FOLDERS.isdisjoint(path.parts[:-1]) or any(fnmatch(path.name, one) for one in _GENERATED)


def _is_prose(name: str) -> bool:
    path = PurePosixPath(name)
    return any(fnmatch(path.name, one) for one in _PROSE)
