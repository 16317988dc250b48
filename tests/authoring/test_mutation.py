"""Mutating a solution with real workers: what is killed, what survives, and which survivors are explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepfield_cli.authoring.mutant_notes import as_yaml, load_notes
from deepfield_cli.authoring.mutants import mutants
from deepfield_cli.authoring.mutation import mutate
from deepfield_cli.content.packs import PACKS_VARIABLE
from deepfield_cli.errors import ContentError
from tests.authoring.conftest import TALLY, WORDS, FaultyCopy

NOTES = "graders/words/tally/mutants.yaml"
SOLUTION = "graders/words/tally/solutions/dictionary.py"
TWO_FILES = "graders/words/tally/solutions/two_files/tally.py"
SUITE = "graders/words/tally/suite.py"


@pytest.fixture(autouse=True)
def _no_pack_but_this(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PACKS_VARIABLE, str(WORDS))


def test_every_mutant_is_killed_or_explained() -> None:
    steps: list[tuple[int, int]] = []
    report = mutate(TALLY, on_step=lambda done, total: steps.append((done, total)))
    assert report.green, [row.mutant for row in report.unexplained] + [str(one) for one in report.stale]
    assert report.solution == "dictionary.py"
    assert len(report.mutants) == report.possible > 30
    assert len(report.of_fate("killed")) + len(report.of_fate("survived")) == report.possible
    assert len(report.of_fate("survived")) == 4
    assert all(row.reason for row in report.of_fate("survived"))
    assert {row.by for row in report.of_fate("killed")} == {"counts", "ranking"}
    assert steps == [(done, report.possible) for done in range(report.possible + 1)]


def test_every_file_of_a_folder_is_mutated_and_named_by_its_path() -> None:
    report = mutate(TALLY, solution="two_files")
    assert report.green
    assert {row.solution for row in report.mutants} == {"two_files/ranking.py", "two_files/tally.py"}
    assert [row.solution for row in report.of_fate("survived")] == ["two_files/ranking.py"]


def test_an_unexplained_survivor_and_stale_notes_are_not_green(
    faulty_copy: FaultyCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = faulty_copy()
    notes, file = location.pack.root / NOTES, "two_files/tally.py"
    killed = next(mutant for mutant in mutants((WORDS / TWO_FILES).read_text()) if mutant.before == "return cls(words)")
    notes.write_text(
        f'- mutant: "0123456789 1:1 drop gone→nothing"\n  solution: {file}\n  reason: The statement is no more.\n'
        f'- mutant: "{killed.id}"\n  solution: {file}\n  reason: Somebody thought that nobody could tell.\n'
        '- mutant: "0123456789 1:1 drop gone→nothing"\n  solution: dictionary.py\n  reason: Not asked about today.\n'
    )
    monkeypatch.setenv(PACKS_VARIABLE, str(location.pack.root))
    report = mutate(TALLY, solution="two_files")
    assert not report.green
    assert [(row.before, row.after) for row in report.unexplained] == [
        (
            "return sorted([(word, words.count(word)) for word in dict.fromkeys(words)], "
            "key=lambda pair: (-pair[1], pair[0]))",
            "return sorted([(word, words.count(word)) for word in dict.fromkeys(words)], "
            "key=lambda pair: (-pair[-1], pair[0]))",
        )
    ]
    assert {finding.where: finding.what for finding in report.stale} == {
        f"{notes}:1": "there is no mutant 0123456789 any more",
        f"{notes}:4": f"{killed.key} is explained as a survivor, and counts kills it",
    }


def test_notes_are_found_again_when_lines_move(faulty_copy: FaultyCopy, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = faulty_copy(SOLUTION, "class Tally", "import math\n\n\nclass Tally")
    monkeypatch.setenv(PACKS_VARIABLE, str(moved.pack.root))
    assert mutate(TALLY, limit=1).stale == ()
    (moved.pack.root / SOLUTION).write_text((moved.pack.root / SOLUTION).read_text().replace("ranked", "in_order"))
    assert [finding.what for finding in mutate(TALLY, limit=1).stale] == ["there is no mutant 77685acde3 any more"]


def test_a_limit_is_spread_over_the_file() -> None:
    everything = [mutant.id for mutant in mutants((WORDS / SOLUTION).read_text())]
    some = mutate(TALLY, limit=3)
    assert some.possible == len(everything)
    third = len(everything) // 3
    assert [row.mutant for row in some.mutants] == [everything[0], everything[third], everything[2 * third]]


def test_a_mutant_that_never_ends_is_killed_by_the_clock(
    faulty_copy: FaultyCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = "        return self.words.count(word)\n"
    location = faulty_copy(TWO_FILES, count, f"        while word:\n            break\n{count}")
    monkeypatch.setenv(PACKS_VARIABLE, str(location.pack.root))
    rows = {row.mutant.partition(" ")[2].partition(" ")[2]: row for row in mutate(TALLY, solution="two_files").mutants}
    assert (rows["loop break→continue"].fate, rows["loop break→continue"].how) == ("killed", "timeout")


def test_a_mutant_that_breaks_the_suite_is_not_green(faulty_copy: FaultyCopy, monkeypatch: pytest.MonkeyPatch) -> None:
    location = faulty_copy(SUITE, "    if not isinstance(tally, Reference):\n", "    if tally.number < 0:\n")
    monkeypatch.setenv(PACKS_VARIABLE, str(location.pack.root))
    report = mutate(TALLY, solution="two_files")
    assert not report.green
    broke = report.of_fate("broke the suite")
    assert {row.before for row in broke} == {"return cls(words)"}
    assert {row.how for row in broke} >= {"AttributeError: 'NoneType' object has no attribute 'number'"}


def test_a_solution_that_does_not_solve_is_not_mutated(
    faulty_copy: FaultyCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = faulty_copy(SOLUTION, "get(word, 0) + 1", "get(word, 0) + 2")
    monkeypatch.setenv(PACKS_VARIABLE, str(location.pack.root))
    with pytest.raises(ContentError, match=r"dictionary\.py: the unchanged solution does not pass counts"):
        mutate(TALLY)


def test_an_unknown_solution_has_a_near_miss() -> None:
    with pytest.raises(ContentError, match=r'no solution "dictionry" — did you mean "dictionary\.py"\?'):
        mutate(TALLY, solution="dictionry")
    assert mutate(TALLY, solution="dictionary", limit=1).solution == "dictionary.py"


FAULTY_NOTES = [
    ("  solution: dictionary.py\n", "", 1, 'missing key "solution"'),
    ("  reason: A slice", "  reson: A slice", 3, 'unknown key "reson"'),
    ('mutant: "b1cf3bafff 26', 'mutant: "26', 1, "0.mutant: String should match"),
    ("reason: Where both are equal, the assignment changes nothing.", "reason: Equal.", 6, "at least 15 characters"),
]


@pytest.mark.parametrize(("old", "new", "line", "what"), FAULTY_NOTES)
def test_notes_are_read_strictly(faulty_copy: FaultyCopy, old: str, new: str, line: int, what: str) -> None:
    location = faulty_copy(NOTES, old, new)
    with pytest.raises(ContentError) as caught:
        load_notes(location)
    assert caught.value.where == f"{location.pack.root / NOTES}:{line}"
    assert what in caught.value.what


@pytest.mark.parametrize("change", ["\"a: b\"→'c'", "x # y→z", "{}→[]", "\\n→\\t", "ä→ß"])
def test_what_is_to_be_pasted_is_strict_yaml(faulty_copy: FaultyCopy, change: str, tmp_path: Path) -> None:
    location = faulty_copy()
    (location.pack.root / NOTES).write_text(
        as_yaml(f"0123456789 1:2 kind {change}", "dictionary.py").replace('""', '"So that the reason is long enough."')
    )
    ((note, _),) = load_notes(location)
    assert note.mutant == f"0123456789 1:2 kind {change}"
