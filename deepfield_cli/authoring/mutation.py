"""Mutating a solution: small changes, one at a time, until a check fails or none does."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from deepfield_cli.authoring.bench import RUNG, Bench
from deepfield_cli.authoring.breaks import error_of
from deepfield_cli.authoring.mutant_notes import MutantNote, load_notes
from deepfield_cli.authoring.mutants import Mutant, mutants
from deepfield_cli.authoring.mutation_report import Fate, MutantRow, MutationReport
from deepfield_cli.authoring.report import Finding, diagnosis_of, first_failure
from deepfield_cli.authoring.terms import Terms
from deepfield_cli.content.packs import ProblemLocation, find_location
from deepfield_cli.content.problem import Problem
from deepfield_cli.errors import ContentError, near_miss
from deepfield_cli.grading.loading import load_suite
from deepfield_cli.grading.result import CheckResult
from deepfield_cli.grading.suite import Check
from deepfield_cli.sandbox.staging import read_submission

# A mutant that loops for ever would cost a check's whole time limit, up to tens of seconds each. One that takes this
# many times what the solution takes, and at least so many seconds, is given up and counts as killed by the clock.
_PATIENCE = 20.0
_LEAST_SECONDS = 5.0


@dataclass(frozen=True)
class _Task:
    """One mutant of one file."""

    file: str
    mutant: Mutant


def mutate(
    name: str,
    *,
    solution: str | None = None,
    limit: int | None = None,
    jobs: int = 2,
    on_step: Callable[[int, int], None] = lambda done, total: None,
) -> MutationReport:
    """Grade every mutant of one solution until its first failed check.

    Args:
        name: problem id.
        solution: file or folder below solutions/; the shipped one if None.
        limit: try only so many, spread evenly over the file.
        jobs: mutants at a time.
        on_step: called with the number of mutants done and the number of all.

    Raises:
        ContentError: no such problem or solution, or the unchanged solution does not solve the problem.

    """
    started = time.monotonic()
    location = find_location(name)
    problem = location.load()
    source = _solution(location, solution)
    checks = [check for check in load_suite(location).checks if check.rung == RUNG]
    files = read_submission(source, problem.entry).files
    tasks = _tasks(source, problem, files)
    chosen = _spread(tasks, limit)
    notes = load_notes(location)
    with Bench(location, problem, checks, Terms(jobs=jobs)) as bench:
        rows = _rows(bench, files, _impatient(bench, source, files), source, chosen, notes, on_step)
    return MutationReport(
        problem=problem.id,
        solution=source.name,
        possible=len(tasks),
        mutants=tuple(rows),
        stale=tuple(_stale(notes, _listed(source, tasks), rows)),
        seconds=round(time.monotonic() - started, 2),
    )


def _solution(location: ProblemLocation, name: str | None) -> Path:
    solutions = {path.name: path for path in location.solutions()}
    if not solutions:
        raise ContentError("there is no solution to mutate", where=str(location.grader / "solutions"))
    wanted = next(iter(solutions)) if name is None else name
    if wanted not in solutions and f"{wanted}.py" in solutions:
        wanted = f"{wanted}.py"
    if wanted not in solutions:
        hint = near_miss(wanted, solutions) or f"there are {', '.join(solutions)}"
        raise ContentError(f'there is no solution "{wanted}"', where=location.id, fix=hint)
    return solutions[wanted]


def _tasks(source: Path, problem: Problem, files: Mapping[str, bytes]) -> list[_Task]:
    """Mutants of every Python file, by its name in the submission."""
    sources = {name: content.decode("utf-8") for name, content in files.items() if name.endswith(".py")}
    return [_Task(file, mutant) for file, text in sources.items() for mutant in mutants(text)]


def _spread(tasks: Sequence[_Task], limit: int | None) -> list[_Task]:
    if limit is None or limit >= len(tasks):
        return list(tasks)
    return [tasks[index * len(tasks) // limit] for index in range(limit)]


def _impatient(bench: Bench, source: Path, files: Mapping[str, bytes]) -> list[Check]:
    """The checks, with time limits that follow from how long the unchanged solution takes."""
    results = bench.run(files, bench.checks)
    broken = next((result for result in results if result.outcome != "passed"), None)
    if broken is not None:
        what = f"the unchanged solution does not pass {broken.name}, so its mutants say nothing"
        raise ContentError(what, where=str(source), fix=f"deepfield dev check {bench.location.id} says why")
    took = {result.name: result.seconds for result in results}
    return [
        replace(check, timeout_seconds=min(check.timeout_seconds, max(_LEAST_SECONDS, _PATIENCE * took[check.name])))
        for check in bench.checks
    ]


def _rows(
    bench: Bench,
    files: Mapping[str, bytes],
    checks: Sequence[Check],
    source: Path,
    tasks: Sequence[_Task],
    notes: Sequence[tuple[MutantNote, str]],
    on_step: Callable[[int, int], None],
) -> list[MutantRow]:
    reasons = {(note.solution, note.key): note.reason for note, _ in notes}

    def work(task: _Task) -> MutantRow:
        changed = {**files, task.file: task.mutant.source.encode("utf-8", "surrogatepass")}
        results = bench.run(changed, checks, stop_at_first_failure=True)
        return _row(task, _listed_name(source, task.file), results, reasons)

    rows: dict[int, MutantRow] = {}
    order = {id(task): index for index, task in enumerate(tasks)}
    on_step(0, len(tasks))
    for task, row in bench.each(work, tasks):
        rows[order[id(task)]] = row
        on_step(len(rows), len(tasks))
    return [rows[index] for index in sorted(rows)]


def _row(task: _Task, solution: str, results: list[CheckResult], reasons: Mapping[tuple[str, str], str]) -> MutantRow:
    broken = next((result for result in results if result.outcome == "errored"), None)
    decisive = broken or first_failure(results)
    fate: Fate = "broke the suite" if broken else "killed" if decisive else "survived"
    mutant = task.mutant
    return MutantRow(
        mutant=mutant.id,
        solution=solution,
        function=mutant.function,
        before=mutant.before,
        after=mutant.after,
        fate=fate,
        by=decisive.name if decisive else None,
        how=_how(decisive),
        reason=reasons.get((solution, mutant.key)) if fate == "survived" else None,
    )


def _how(decisive: CheckResult | None) -> str | None:
    if decisive is not None and decisive.outcome == "errored":
        return error_of(decisive)
    return diagnosis_of(decisive)


def _listed(source: Path, tasks: Sequence[_Task]) -> set[tuple[str, str]]:
    return {(_listed_name(source, task.file), task.mutant.key) for task in tasks}


def _listed_name(source: Path, file: str) -> str:
    """A file of a submission as mutants.yaml names it: by its path below solutions/."""
    return f"{source.name}/{file}" if source.is_dir() else source.name


def _stale(
    notes: Sequence[tuple[MutantNote, str]], existing: set[tuple[str, str]], rows: Sequence[MutantRow]
) -> list[Finding]:
    """Notes on mutants of this solution that no longer exist, or that the suite does kill."""
    dead = {(row.solution, row.mutant[:10]): row.by for row in rows if row.fate != "survived"}
    ours = {name for name, _ in existing}
    stale = []
    for note, where in notes:
        name = (note.solution, note.key)
        if note.solution in ours and name not in existing:
            stale.append(Finding(where=where, what=f"there is no mutant {note.key} any more", fix="take the entry out"))
        elif name in dead:
            what = f"{note.key} is explained as a survivor, and {dead[name]} kills it"
            stale.append(Finding(where=where, what=what, fix="take the entry out"))
    return stale
