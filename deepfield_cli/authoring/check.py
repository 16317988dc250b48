"""The author's judge, and CI's: everything that can be wrong with a problem is looked for and listed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from deepfield_cli.authoring.bench import RUNG, Bench
from deepfield_cli.authoring.claim import Claim, claim_findings, read_claim
from deepfield_cli.authoring.kills import Verdicts, grades_needed, judge
from deepfield_cli.authoring.layout import layout_findings
from deepfield_cli.authoring.mutant_notes import note_findings
from deepfield_cli.authoring.references import reference_findings
from deepfield_cli.authoring.report import CheckReport, Finding, ProblemReport
from deepfield_cli.authoring.strangeness import judge_strange, plan
from deepfield_cli.authoring.suite_text import suite_text_findings
from deepfield_cli.authoring.terms import Terms
from deepfield_cli.content.packs import Pack, ProblemLocation, find_location, packs
from deepfield_cli.content.problem import RUNGS, Problem
from deepfield_cli.errors import ContentError, DeepfieldError
from deepfield_cli.grading.loading import load_suite
from deepfield_cli.grading.suite import Check

NORMAL = Terms()


@dataclass(frozen=True)
class Step:
    """How far the judge is."""

    problem: str
    doing: str
    done: int
    total: int


OnStep = Callable[[Step], None]


def check_problems(
    names: Sequence[str] = (), terms: Terms = NORMAL, on_step: OnStep = lambda step: None
) -> CheckReport:
    """Judge the named problems, or every problem that has a grader, of every pack.

    Args:
        names: problem ids; empty for all.
        terms: how much is to be done.
        on_step: called as the work goes on.

    Raises:
        ContentError: a problem does not exist or has no grader; nothing would be judged.

    """
    started = time.monotonic()
    named = [_with_grader(find_location(name)) for name in dict.fromkeys(names)]
    locations = named if names else locations_with_grader()
    reports = tuple(check_problem(location, terms, on_step) for location in locations)
    return CheckReport(problems=reports, seconds=round(time.monotonic() - started, 2))


def check_problem(
    location: ProblemLocation, terms: Terms = NORMAL, on_step: OnStep = lambda step: None
) -> ProblemReport:
    """Judge one problem; whatever is wrong with it is a finding, never an exception."""
    started = time.monotonic()
    report = ProblemReport(problem=location.id, pack=location.pack.name)
    try:
        report = _judged(location, report, terms, on_step)
    except DeepfieldError as error:
        report = report.model_copy(update={"findings": (_as_finding(error, location),)})
    return report.model_copy(update={"seconds": round(time.monotonic() - started, 2)})


def _judged(location: ProblemLocation, report: ProblemReport, terms: Terms, on_step: OnStep) -> ProblemReport:
    problem = location.load()
    findings = [*layout_findings(location, problem), *reference_findings(location, problem), *_notes(location)]
    checks, broken = _loaded(location)
    findings += broken
    ours = [check for check in checks if check.rung == RUNG]
    findings += [*suite_text_findings(location, problem), *_rungs(location, problem, checks)] if checks else []
    if not ours or RUNG not in problem.rungs:
        return report.model_copy(update={"findings": tuple(findings)})
    claims, unclaimed = _claims(location, problem, ours)
    findings += unclaimed
    with Bench(location, problem, ours, terms) as bench:
        verdicts = _graded(bench, claims, on_step)
        strange, tried = _strange(bench, verdicts, on_step)
    return report.model_copy(
        update={
            "checks": tuple(check.name for check in ours),
            "wrongs": verdicts.wrongs,
            "solutions": verdicts.solutions,
            "strange_answers": tried,
            "findings": (*findings, *verdicts.findings, *strange),
        }
    )


def _graded(bench: Bench, claims: Sequence[Claim], on_step: OnStep) -> Verdicts:
    return judge(bench, claims, _counter(bench, "grading", grades_needed(bench, claims), on_step))


def _strange(bench: Bench, verdicts: Verdicts, on_step: OnStep) -> tuple[list[Finding], int]:
    """Strange answers say something only beside a solution that is otherwise right."""
    if not verdicts.solutions or verdicts.solutions[0].solved < verdicts.solutions[0].runs:
        return [], 0
    try:
        trials, findings = plan(bench)
        tick = _counter(bench, "strange answers", len(trials), on_step)
        return [*findings, *judge_strange(bench, trials, tick)], len(trials)
    except DeepfieldError as error:  # what was found before still counts
        return [_as_finding(error, bench.location)], 0


def _counter(bench: Bench, doing: str, total: int, on_step: OnStep) -> Callable[[], None]:
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        on_step(Step(bench.location.id, doing, done, total))

    on_step(Step(bench.location.id, doing, 0, total))
    return tick


def _loaded(location: ProblemLocation) -> tuple[list[Check], list[Finding]]:
    """The suite's checks, or why it cannot be loaded."""
    try:
        return load_suite(location).checks, []
    except DeepfieldError as error:
        return [], [_as_finding(error, location)]


def _as_finding(error: DeepfieldError, location: ProblemLocation) -> Finding:
    return Finding(where=error.where or location.id, what=error.what, fix=error.fix)


def _notes(location: ProblemLocation) -> list[Finding]:
    try:
        return note_findings(location)
    except ContentError as error:
        return [_as_finding(error, location)]


def _rungs(location: ProblemLocation, problem: Problem, checks: Sequence[Check]) -> Iterator[Finding]:
    suite = str(location.grader / "suite.py")
    used = {check.rung for check in checks}
    for rung in problem.rungs:
        if rung not in used:
            yield Finding(where=suite, what=f"no check of rung {rung}, which problem.yaml declares", fix="write one")
    for check in checks:
        if check.rung not in problem.rungs:
            known = ", ".join(rung for rung in RUNGS if rung in problem.rungs)
            what = f"{check.name} is of rung {check.rung}, which problem.yaml does not declare"
            yield Finding(where=suite, what=what, fix=f"it declares {known}")
    if RUNG not in problem.rungs:
        yield Finding(where=str(location.yaml), what=f"there is no rung {RUNG}", fix="declare it: seconds, on any CPU")


def _claims(location: ProblemLocation, problem: Problem, checks: Sequence[Check]) -> tuple[list[Claim], list[Finding]]:
    """What the wrong submissions say, and which misconceptions none of them shows."""
    read = [read_claim(path, problem.entry) for path in location.wrongs()]
    claims = [claim for claim in read if isinstance(claim, Claim)]
    findings = [fault for fault in read if isinstance(fault, Finding)]
    names = [check.name for check in checks]
    findings += [finding for claim in claims for finding in claim_findings(claim, names, problem)]
    shown = {claim.diagnosis for claim in claims}
    folder = location.grader / "wrong"
    for name in problem.misconceptions:
        if name not in shown:
            fix = f"add a file there that begins: # fails: CHECK   diagnosis: {name}"
            findings.append(Finding(where=str(folder), what=f"no wrong submission shows {name}", fix=fix))
    return claims, findings


def _with_grader(location: ProblemLocation) -> ProblemLocation:
    if not _has_grader(location.grader):
        raise ContentError(f"{location.id} has no grader yet", where=str(location.grader), fix="add its suite.py")
    return location


def locations_with_grader() -> list[ProblemLocation]:
    """Every problem with a grader; a problem that an earlier pack has too is judged in both."""
    graded = [pack.location(name) for pack in packs() for name in _grader_ids(pack)]
    if not graded:
        raise ContentError("there is no problem with a grader", fix="deepfield dev new begins one")
    return graded


def _grader_ids(pack: Pack) -> list[str]:
    """Ids of the folders that hold a suite, whether or not there is a problem.yaml to it."""
    folders = [path.parent for path in sorted((pack.root / "graders").glob("*/*/suite.py"))]
    return [f"{folder.parent.name}/{folder.name}" for folder in folders]


def _has_grader(folder: Path) -> bool:
    return (folder / "suite.py").is_file()
