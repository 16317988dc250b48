"""Does the suite stand strange answers? The shipped solution with one function at a time that answers oddly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deepfield_cli.authoring import strange_answers
from deepfield_cli.authoring.bench import Bench, without_needs
from deepfield_cli.authoring.kills import errored_findings
from deepfield_cli.authoring.report import Finding
from deepfield_cli.grading.result import CheckResult
from deepfield_cli.grading.suite import Check
from deepfield_cli.sandbox.staging import read_submission

_MODULE = "deepfield_strange_answers"


@dataclass(frozen=True)
class Trial:
    """One submission that answers strangely.

    Attributes:
        targets: the functions that do.
        answer: the name of what they answer.
        checks: those that are run on it, whatever became of the checks that they need.

    """

    targets: tuple[str, ...]
    answer: str
    checks: tuple[Check, ...]

    @property
    def where(self) -> str:
        """The trial in words, in place of a file."""
        functions = self.targets[0] if len(self.targets) == 1 else "every function"
        return f"(the shipped solution, where {functions} answers: {self.answer})"


def plan(bench: Bench) -> tuple[list[Trial], list[Finding]]:
    """The trials worth making: each function, with the checks that call it; then all functions at once."""
    names = [api.name for api in bench.problem.api]
    answers = strange_answers.names(bench.problem.preload)
    callers, findings = _callers(bench, names)
    trials = [Trial((name,), answer, callers[name]) for name in names if callers[name] for answer in answers]
    if len(names) > 1:
        everywhere = tuple(without_needs(bench.checks))
        trials += [Trial(tuple(names), answer, everywhere) for answer in answers if answer in strange_answers.ANSWERS]
    return trials, findings


def judge_strange(bench: Bench, trials: Sequence[Trial], tick: Callable[[], None]) -> list[Finding]:
    """Run the trials; a check that breaks, and a plain strange answer that passes, are findings."""
    solution = _shipped(bench)
    findings: list[Finding] = []
    for trial, results in bench.each(lambda trial: bench.run(_files(solution, bench, trial), trial.checks), trials):
        tick()
        findings += _findings(trial, results)
    return sorted(findings, key=str)


def _callers(bench: Bench, names: Sequence[str]) -> tuple[dict[str, tuple[Check, ...]], list[Finding]]:
    """Which checks call which function, seen by running the shipped solution once."""
    checks = without_needs(bench.checks)
    edits = "".join(f"{_MODULE}.watch(globals(), {name!r})\n" for name in names)
    results = bench.run(_edited(_shipped(bench), bench, edits), checks)
    reached = {
        name: tuple(
            check
            for check, result in zip(checks, results, strict=True)
            if strange_answers.MARK + name in result.output.splitlines()
        )
        for name in names
    }
    return reached, [_never_called(bench, name) for name in names if not reached[name]]


def _never_called(bench: Bench, name: str) -> Finding:
    return Finding(
        where=str(bench.location.grader / "suite.py"),
        what=f"{name} is in the api, and no check calls it",
        fix="call it in a check, or take it out of the api",
    )


def _findings(trial: Trial, results: Sequence[CheckResult]) -> Iterator[Finding]:
    yield from errored_findings(trial.where, results, "return this value from the solution")
    if trial.answer in strange_answers.ANSWERS and all(result.outcome == "passed" for result in results):
        checks = ", ".join(check.name for check in trial.checks)
        yield Finding(
            where=trial.where, what=f"passes every check that calls it: {checks}", fix="compare the answer in a check"
        )


def _shipped(bench: Bench) -> Mapping[str, bytes]:
    return read_submission(bench.location.solutions()[0], bench.problem.entry).files


def _files(solution: Mapping[str, bytes], bench: Bench, trial: Trial) -> dict[str, bytes]:
    edits = "".join(f"{_MODULE}.replace(globals(), {name!r}, {trial.answer!r})\n" for name in trial.targets)
    return _edited(solution, bench, edits)


def _edited(solution: Mapping[str, bytes], bench: Bench, edits: str) -> dict[str, bytes]:
    """The solution with lines at its end; what is strange lies in a file beside it."""
    entry = bench.problem.entry
    strange = Path(strange_answers.__file__).read_bytes()
    added = f"\n\nimport {_MODULE}\n{edits}".encode()
    return {**solution, entry: solution[entry] + added, f"{_MODULE}.py": strange}
