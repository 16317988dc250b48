"""Does the suite stand strange answers? The shipped solution with one function at a time that answers oddly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from deepfield_cli.authoring import strange_answers
from deepfield_cli.authoring.bench import Bench, without_needs
from deepfield_cli.authoring.breaks import error_of, listed, place_of
from deepfield_cli.authoring.report import Finding
from deepfield_cli.grading.suite import Check
from deepfield_cli.sandbox.staging import read_submission

_MODULE = "deepfield_strange_answers"
_FOR_LONG_CHECKS = {"None", "text", "a list of nothing", "an object", "a ValueError"}
# A check that is given more than the time limit that it gets unasked is a long one.
_USUAL_SECONDS = 20.0
# In brief a strange answer meets one check in so many, and never a long one.
BRIEF_SHARE = 24


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
    def functions(self) -> str:
        """The targets in words."""
        return self.targets[0] if len(self.targets) == 1 else "every function"


def plan(bench: Bench) -> tuple[list[Trial], list[Finding]]:
    """The trials worth making: each function, with the checks that call it; then all functions at once."""
    names = [api.name for api in bench.problem.api]
    answers = strange_answers.names(bench.problem.preload)
    met = [check for check in bench.checks if not (bench.terms.brief and _is_long(check))]
    reaches = _reaches(bench, names, without_needs(met))
    trials = [
        Trial((name,), answer, _patient(reaches[name].checks, answer))
        for name in names
        for answer in answers
        if reaches[name].checks and (answer in strange_answers.ANSWERS or answer in reaches[name].changes)
    ]
    if len(names) > 1:
        # as in a real grade, where most checks are skipped: each function alone has met every check that calls it
        everywhere = tuple(met)
        trials += [Trial(tuple(names), answer, everywhere) for answer in answers if answer in strange_answers.ANSWERS]
    if bench.terms.brief:
        trials = [_brief(trial, turn) for turn, trial in enumerate(trials)]
    uncalled = [name for name in names if not reaches[name].checks and len(met) == len(bench.checks)]
    return [trial for trial in trials if trial.checks], [_never_called(bench, name) for name in uncalled]


def _brief(trial: Trial, turn: int) -> Trial:
    """One check of so many, others for the next answer: every check meets an answer or two of every function."""
    met = (check for place, check in enumerate(trial.checks, turn) if place % BRIEF_SHARE == 0)
    return replace(trial, checks=tuple(met))


def _patient(checks: Sequence[Check], answer: str) -> tuple[Check, ...]:
    """Checks that do much work before they look at an answer meet a few answers only; their author says which."""
    return tuple(check for check in checks if answer in _FOR_LONG_CHECKS or not _is_long(check))


def _is_long(check: Check) -> bool:
    return check.exclusive or check.timeout_seconds > _USUAL_SECONDS


def judge_strange(bench: Bench, trials: Sequence[Trial], tick: Callable[[], None]) -> list[Finding]:
    """Run the trials; a check that breaks, and a plain strange answer that passes, are findings."""
    solution = _shipped(bench)
    broken: dict[tuple[str, str], list[_Break]] = {}
    passed: dict[str, list[Trial]] = {}
    for trial, results in bench.each(lambda trial: bench.run(_files(solution, bench, trial), trial.checks), trials):
        tick()
        for result in (result for result in results if result.outcome == "errored"):
            error = error_of(result)
            key = (place_of(result, bench.location.grader), error.partition(":")[0])
            broken.setdefault(key, []).append(_Break(trial, result.name, error))
        # in brief, the checks that would have said no may be among those that were left out
        if (
            trial.answer in strange_answers.ANSWERS
            and not bench.terms.brief
            and all(result.outcome == "passed" for result in results)
        ):
            passed.setdefault(trial.functions, []).append(trial)
    found = [_broken(place, seen) for (place, _), seen in sorted(broken.items())]
    return found + [_passed(bench, functions, trials) for functions, trials in sorted(passed.items())]


@dataclass(frozen=True)
class _Break:
    """One check that broke in a trial."""

    trial: Trial
    check: str
    error: str


def _broken(place: str, seen: Sequence[_Break]) -> Finding:
    """One finding for a line of the suite that breaks in one way, however many answers do it."""
    checks = listed(sorted(one.check for one in seen))
    alone = [one.trial.functions for one in seen if len(one.trial.targets) == 1]
    functions = listed(sorted(alone)) or seen[0].trial.functions
    answers = listed(sorted(one.trial.answer for one in seen))
    return Finding(
        where=place,
        what=f"{checks} breaks where {functions} answers {answers}: {min(one.error for one in seen)}",
        fix="a check must stand every answer: test its type before using it",
    )


def _passed(bench: Bench, functions: str, trials: Sequence[Trial]) -> Finding:
    answers = listed(sorted(trial.answer for trial in trials))
    checks = listed(check.name for check in trials[0].checks)
    return Finding(
        where=str(bench.location.grader / "suite.py"),
        what=f"{functions} may answer {answers}, and every check that calls it passes: {checks}",
        fix="compare the answer in a check",
    )


@dataclass(frozen=True)
class _Reach:
    """Which checks call a function, and which changes of its right answers are changes at all."""

    checks: tuple[Check, ...]
    changes: frozenset[str]


def _reaches(bench: Bench, names: Sequence[str], checks: Sequence[Check]) -> dict[str, _Reach]:
    """Seen by running the shipped solution once."""
    edits = "".join(f"{_MODULE}.watch(globals(), {name!r})\n" for name in names)
    results = bench.run(_edited(_shipped(bench), bench, edits), checks)
    said = {check.name: result.output.splitlines() for check, result in zip(checks, results, strict=True)}
    lines = {line for every in said.values() for line in every if line.startswith(strange_answers.APPLICABLE)}
    told = [line.removeprefix(strange_answers.APPLICABLE).split(strange_answers.SEPARATOR) for line in lines]
    return {
        name: _Reach(
            checks=tuple(check for check in checks if strange_answers.REACHED + name in said[check.name]),
            changes=frozenset(change for target, *changes in told if target == name for change in changes),
        )
        for name in names
    }


def _never_called(bench: Bench, name: str) -> Finding:
    return Finding(
        where=str(bench.location.grader / "suite.py"),
        what=f"{name} is in the api, and no check calls it",
        fix="call it in a check, or take it out of the api",
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
