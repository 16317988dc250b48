"""Does the suite tell right from wrong? The stub, the solutions and the wrong submissions, graded for real."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from deepfield_cli.authoring.bench import Bench
from deepfield_cli.authoring.breaks import breaks
from deepfield_cli.authoring.claim import Claim, unknown_diagnosis
from deepfield_cli.authoring.report import Finding, SolutionRow, WrongRow, diagnosis_of, first_failure
from deepfield_cli.content.problem import Problem
from deepfield_cli.errors import DeepfieldError
from deepfield_cli.grading.diagnoses import look_up
from deepfield_cli.grading.result import CheckResult, GradeResult

Tick = Callable[[], None]


@dataclass(frozen=True)
class Verdicts:
    """What came out: rows for the reader, findings for the author."""

    wrongs: tuple[WrongRow, ...]
    solutions: tuple[SolutionRow, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class _Task:
    """One submission to grade; ``claim`` is there for a wrong one."""

    role: str
    source: Path
    claim: Claim | None = None
    draw: int = 0


def judge(bench: Bench, claims: Sequence[Claim], tick: Tick) -> Verdicts:
    """Grade the stub once, each solution and each wrong submission as often as the bench's terms say.

    Args:
        bench: the problem.
        claims: the wrong submissions, with what they say they fail.
        tick: called after each grade.

    """
    solutions, terms = bench.location.solutions(), bench.terms
    tasks = [_Task("stub", bench.location.starter)] if bench.location.starter.is_dir() else []
    tasks += [_Task("solution", source, draw=draw) for source in solutions for draw in range(terms.runs)]
    tasks += [_Task("wrong", claim.path, claim, draw) for claim in claims for draw in range(terms.draws)]
    graded = [(task, grade) for task, grade in _graded(bench, tasks, tick)]
    graded.sort(key=lambda pair: (pair[0].role, pair[0].source, pair[0].draw))
    findings = [finding for task, grade in graded for finding in _findings(bench, task, grade)]
    return Verdicts(
        wrongs=tuple(_wrong_rows(graded)),
        solutions=tuple(_solution_row(source, graded) for source in solutions),
        findings=tuple(dict.fromkeys(findings)),
    )


def grades_needed(bench: Bench, claims: Sequence[Claim]) -> int:
    """How many grades ``judge`` will make."""
    return 1 + bench.terms.runs * len(bench.location.solutions()) + bench.terms.draws * len(claims)


Graded = GradeResult | DeepfieldError


def _graded(bench: Bench, tasks: Sequence[_Task], tick: Tick) -> Iterator[tuple[_Task, Graded]]:
    def work(task: _Task) -> Graded:
        try:
            return bench.grade(
                task.source,
                over=task.claim.over if task.claim else None,
                only=(task.claim.check,) if bench.terms.brief and task.claim else (),
                draw=task.draw,
            )
        except DeepfieldError as error:  # one that cannot be graded must not hide the others
            return error

    for pair in bench.each(work, tasks):
        tick()
        yield pair


def _findings(bench: Bench, task: _Task, grade: Graded) -> Iterator[Finding]:
    where = str(task.claim.line if task.claim else task.source)
    if isinstance(grade, DeepfieldError):
        yield Finding(where=where, what=f"it cannot be graded: {grade}")
        return
    yield from breaks(f"{where} (seed {grade.seed})", grade.checks, bench.location.grader)
    yield from _unnamed(where, grade, bench.problem)
    if task.role == "stub":
        yield from _stub(where, grade)
    elif task.role == "solution":
        yield from _solution(where, grade)
    elif task.claim is not None:
        yield from _wrong(task.claim, grade)


def _unnamed(where: str, grade: GradeResult, problem: Problem) -> Iterator[Finding]:
    for result in grade.checks:
        name = diagnosis_of(result)
        if name is not None and look_up(name, problem) is None:
            yield Finding(where=where, **unknown_diagnosis(name, problem))


def _stub(where: str, grade: GradeResult) -> Iterator[Finding]:
    passed = [result.name for result in grade.checks if result.outcome == "passed"]
    if passed or grade.score:
        what = f"the untouched stub passes {', '.join(passed)}"
        yield Finding(where=where, what=what, fix="a check must call the submission before it passes")
    first = first_failure(grade.checks)
    if first is None or diagnosis_of(first) != "not-implemented":
        said = f'{first.name} says "{_words(first)}"' if first else "no check fails"
        fix = "each function of the starter raises NotImplementedError, and the first check calls one"
        yield Finding(where=where, what=f"the stub is not told that it is not implemented: {said}", fix=fix)


def _solution(where: str, grade: GradeResult) -> Iterator[Finding]:
    if grade.solved:
        return
    first = first_failure(grade.checks)
    said = f'{first.name}: "{_words(first)}"' if first else "a check broke"
    yield Finding(where=where, what=f"a solution does not solve it: {said}", fix=f"replay it with --seed {grade.seed}")


def _wrong(claim: Claim, grade: GradeResult) -> Iterator[Finding]:
    first = first_failure(grade.checks)
    if first is None:
        fix = f"the suite has a hole (seed {grade.seed}): add a check or inputs that tell it from a solution"
        passed = claim.check if grade.partial else "every check"
        yield Finding(where=f"{claim.line}:1", what=f"a wrong submission passes {passed}", fix=fix)
    elif first.name != claim.check:
        what = f'the first check that fails is {first.name}, not {claim.check}: "{_words(first)}"'
        yield Finding(where=f"{claim.line}:1", what=what, fix=f"replay it with --seed {grade.seed}")
    elif diagnosis_of(first) != claim.diagnosis:
        got, said = diagnosis_of(first) or "none", claim.diagnosis or "none"
        what = f'{first.name} gives the diagnosis {got}, not {said}: "{_words(first)}"'
        yield Finding(where=f"{claim.line}:1", what=what, fix=f"replay it with --seed {grade.seed}")


def _wrong_rows(graded: Sequence[tuple[_Task, Graded]]) -> Iterator[WrongRow]:
    """One row for each wrong submission: of its last draw, or of the first that did not end as it says."""
    rows: dict[Claim, WrongRow] = {}
    for task, grade in graded:
        claim = task.claim
        if claim and isinstance(grade, GradeResult) and (claim not in rows or rows[claim].killed):
            rows[claim] = _wrong_row(claim, grade)
    yield from rows.values()


def _wrong_row(claim: Claim, grade: GradeResult) -> WrongRow:
    first = first_failure(grade.checks)
    return WrongRow(
        name=claim.path.name,
        check=claim.check,
        diagnosis=claim.diagnosis,
        outcomes={result.name: result.outcome for result in grade.checks},
        killed=first is not None and first.name == claim.check and diagnosis_of(first) == claim.diagnosis,
    )


def _solution_row(source: Path, graded: Sequence[tuple[_Task, Graded]]) -> SolutionRow:
    runs = [grade for task, grade in graded if task.role == "solution" and task.source == source]
    solved = [grade for grade in runs if isinstance(grade, GradeResult) and grade.solved]
    return SolutionRow(name=source.name, runs=len(runs), solved=len(solved))


def _words(result: CheckResult) -> str:
    return result.cause.rationale if result.cause else result.outcome
