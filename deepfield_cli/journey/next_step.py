"""The next step: one command that makes sense now, and why."""

from __future__ import annotations

from collections.abc import Sequence

from deepfield_cli.journey.past_attempt import PastAttempt
from deepfield_cli.journey.status import NextStep, ProblemStatus, SeasonStatus


def choose_next_step(
    problems: Sequence[ProblemStatus],
    current: str | None,
    last: PastAttempt | None,
    season: SeasonStatus | None = None,
) -> NextStep:
    """The command that leads on from where the learner stands."""
    here = next((one for one in problems if one.problem.id == current), None)
    if here is not None and here.problem.graded and not here.first_rung.is_solved:
        return _continue(here, last)
    if here is not None and here.problem.hand_in and not here.first_rung.is_done:
        return NextStep(here.problem.hand_in, "when it is ready")
    if season is not None and season.over:
        command = f"deepfield pick-field --since {season.season.started}"
        return NextStep(command, f"your season of {season.season.field} is over: choose again, with its evidence")
    following = _following(problems, here, season.season.field if season is not None else None)
    if following is not None:
        return _open(following)
    higher = next((one for one in problems if one.next_rung is not None and one.problem.graded), None)
    if higher is not None and higher.next_rung is not None:
        rung = higher.next_rung.rung
        return NextStep(f"deepfield grade {higher.problem.id} --rung {rung}", f"the {rung} rung is still open")
    return NextStep("deepfield verify", "everything here is solved, and the record can prove it")


def _continue(here: ProblemStatus, last: PastAttempt | None) -> NextStep:
    """On with the problem at hand."""
    name = here.problem.id
    if here.first_rung.state == "outdated":
        return NextStep(f"deepfield grade {name}", "its checks have changed since you solved it")
    if here.attempts == 0:
        return NextStep(f"deepfield watch {name}", f"it grades {here.problem.entry} at every save")
    if here.hints_shown < here.problem.hints:
        known = last is not None and last.problem == name and last.diagnosis is not None and last.check is not None
        reason = f"{last.check} failed: {last.diagnosis}" if known and last is not None else "a hint, if you are stuck"
        return NextStep(f"deepfield hint {name}", reason)
    return NextStep(f"deepfield repro {name}", "the failing input, to step through in a debugger")


def _following(
    problems: Sequence[ProblemStatus], here: ProblemStatus | None, season: str | None
) -> ProblemStatus | None:
    """The next unsolved problem whose needs are met: of the season's field or this one first, and one begun first."""
    solved = {one.problem.id for one in problems if one.first_rung.is_solved}
    ready = [
        one
        for one in problems
        if one.problem.id not in solved and one.problem.graded and solved.issuperset(_known_needs(one, problems))
    ]
    field = season or (here.problem.field if here is not None else None)
    return min(ready, key=lambda one: (one.problem.field != field, not one.started), default=None)


def _known_needs(one: ProblemStatus, problems: Sequence[ProblemStatus]) -> set[str]:
    """Its needs, less those that nothing can grade yet: nobody could meet them."""
    return set(one.problem.needs) & {other.problem.id for other in problems if other.problem.graded}


def _open(following: ProblemStatus) -> NextStep:
    if following.started:
        return NextStep(f"deepfield watch {following.problem.id}", "you have begun it")
    return NextStep(f"deepfield start {following.problem.id}", following.problem.title)
