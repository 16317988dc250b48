"""What was proved, gathered for showing: each thing with the kind of evidence that it rests on, and nothing private.

No code, no path, no name of a machine or file gets in here. Notes get in only when they are asked for. The month of a
scripted learner joins here: whatever it did must be found in ``gather``'s answer.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from deepfield_cli import __version__
from deepfield_cli.content.packs import find_location
from deepfield_cli.errors import DeepfieldError
from deepfield_cli.journey.clock import day_of, today
from deepfield_cli.journey.counts import CONFIRM, DRILL
from deepfield_cli.journey.curves import Curve, curves_in
from deepfield_cli.journey.gaps import Gap, read_gaps
from deepfield_cli.journey.progress import read_problems
from deepfield_cli.journey.season import Season, kept_weeks, read_seasons
from deepfield_cli.journey.status import ProblemStatus, RungStatus
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.ledger import ChainReport, Entry, Ledger
from deepfield_cli.practice.quantity import in_words

if TYPE_CHECKING:
    from deepfield_cli.content.problem import Problem
    from deepfield_cli.content.roadmap import Roadmap

EvidenceKind = Literal["verified", "confirmed", "attested"]
Direction = Literal["higher", "lower", "equal"]
_WORK = frozenset({"attempt", "review", "gap", "drill", "start"})
_CONFIRMED = {"merged-pr": "Pull request merged", "codeforces-rating": "Codeforces rating"}
_SOLVED = ("solved", "outdated")


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung of a problem: always verified, since a grader measured it.

    Attributes:
        name: core, laptop or paper.
        state: solved, outdated, tried or open.
        day: when it was first solved.
        attempts: how many were scored.

    """

    name: str
    state: str
    day: date | None
    attempts: int


@dataclass(frozen=True, slots=True)
class Reached:
    """A target, and the number that was measured for it.

    Attributes:
        id: the target's id, which is also the name of the metric that is measured for it.
        rung: the rung at which it is measured.
        metric: what is measured.
        target: the published number, as text.
        unit: its unit.
        direction: which side is better.
        reached: what the solving attempt measured; None if it measured no number for it.
        met: whether that is good enough; None if nothing was measured.
        source: where the number comes from.
        url: where that can be read.
        verified: whether the number was looked up at its source.

    """

    id: str
    rung: str
    metric: str
    target: str
    unit: str
    direction: Direction
    reached: float | None
    met: bool | None
    source: str
    url: str | None
    verified: bool


@dataclass(frozen=True, slots=True)
class Score:
    """One attempt: when, at which rung, and how much of it passed."""

    at: str
    rung: str
    score: float


@dataclass(frozen=True, slots=True)
class Proved:
    """One problem with everything that was measured.

    Attributes:
        id: problem id.
        title: what it is called.
        difficulty: medium, hard, brutal or legendary.
        field: its field.
        rungs: the rungs that it has.
        scores: every attempt, the oldest first.
        targets: numbers to reach, of the rungs that were tried.
        measured: other numbers of the solving attempts.
        curves: curves of the solving attempts.
        hints: hints shown.
        gave_up: whether the solution was opened before it was solved.

    """

    id: str
    title: str
    difficulty: str
    field: str
    rungs: tuple[Rung, ...]
    scores: tuple[Score, ...]
    targets: tuple[Reached, ...]
    measured: Mapping[str, float]
    curves: tuple[Curve, ...]
    hints: int
    gave_up: bool

    @property
    def is_solved(self) -> bool:
        """Whether any rung was solved."""
        return any(rung.state in _SOLVED for rung in self.rungs)


@dataclass(frozen=True, slots=True)
class Vouched:
    """Something that no grader can see: confirmed by an outside service, or attested by the learner."""

    kind: EvidenceKind
    title: str
    day: date
    count: int
    link: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Reaching:
    """A project, arena item or mastery signal that was reached, and the weakest evidence that it rests on."""

    kind: Literal["project", "arena", "signal"]
    title: str
    evidence: EvidenceKind


@dataclass(frozen=True, slots=True)
class ShownSeason:
    """A season: its field, its days, and how much of it is over or kept."""

    field: str
    title: str
    started: date
    ends: date
    weeks: int
    kept: int
    over: bool
    week: int


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Everything that is shown.

    Attributes:
        name: the learner's name, if they gave one.
        made: the day on which it was made.
        program: the version of deepfield.
        chain: what a walk over the whole record found.
        problems: what was tried, in the order of the road.
        fields: field to its title, in the order of the road.
        vouched: confirmations and attestations, the oldest first.
        reachings: milestones that were reached.
        seasons: the newest first.
        gaps: the gap logs, problem by problem.
        drills: field to right and all answers of the envelope drill.
        reviews: how many reviews of passed problems were made, and how many succeeded.
        days: day to how many entries of work it has.

    """

    name: str | None
    made: date
    program: str
    chain: ChainReport
    problems: tuple[Proved, ...]
    fields: Mapping[str, str]
    vouched: tuple[Vouched, ...]
    reachings: tuple[Reaching, ...]
    seasons: tuple[ShownSeason, ...]
    gaps: Mapping[str, tuple[Gap, ...]]
    drills: Mapping[str, tuple[int, int]]
    reviews: tuple[int, int]
    days: Mapping[date, int]

    @property
    def rungs_verified(self) -> int:
        """How many rungs a grader has measured as solved."""
        return sum(rung.state in _SOLVED for problem in self.problems for rung in problem.rungs)

    def vouched_as(self, kind: EvidenceKind) -> int:
        """How many things of one kind there are; kinds are never added up."""
        return sum(one.count for one in self.vouched if one.kind == kind)


def gather(workspace: Workspace, *, name: str | None = None, notes: bool = False) -> Portfolio:
    """Everything that the record proves.

    Raises:
        DeepfieldError: the record is not as it was written; a portfolio of it would prove nothing.

    """
    from deepfield_cli.content.road import open_roadmap

    roadmap = open_roadmap()
    statuses = [one for one in read_problems(workspace) if one.attempts]
    gaps = read_gaps(workspace)
    with workspace.record() as ledger:
        chain = ledger.verify()
        if not chain.ok:
            raise DeepfieldError("the record is not as it was written", fix="deepfield verify says where")
        return Portfolio(
            name=name,
            made=today(),
            program=__version__,
            chain=chain,
            problems=tuple(_proved(ledger, status) for status in statuses),
            fields={stage.id: stage.title for stage in roadmap.stages.values()},
            vouched=_vouched(ledger, roadmap, notes=notes),
            reachings=_reachings(workspace, roadmap),
            seasons=tuple(_season(season, ledger, roadmap) for season in read_seasons(ledger)),
            gaps={problem: tuple(gap for gap in gaps if gap.problem == problem) for problem in _order(gaps)},
            drills=_drills(ledger),
            reviews=_reviews(ledger),
            days=Counter(day_of(moment.at) for moment in ledger.moments() if moment.kind in _WORK),
        )


# Problems


def _proved(ledger: Ledger, status: ProblemStatus) -> Proved:
    problem = status.problem
    entries = ledger.entries("attempt", problem.id, newest_first=False)
    rungs = tuple(_rung(rung) for rung in status.rungs if rung.state != "absent")
    metrics = {rung.name: _metrics(ledger, entries, rung.name) for rung in rungs}
    targets = tuple(_targets(problem.id, metrics, {rung.name for rung in rungs if rung.attempts}))
    everything = {name: value for found in metrics.values() for name, value in found.items()}
    named = {_key(target.id) for target in targets}
    return Proved(
        id=problem.id,
        title=problem.title,
        difficulty=problem.difficulty,
        field=problem.field,
        rungs=rungs,
        scores=tuple(_score(entry) for entry in entries if entry.score is not None),
        targets=targets,
        measured={name: value for name, value in everything.items() if "@" not in name and _key(name) not in named},
        curves=curves_in(everything),
        hints=status.hints_shown,
        gave_up=status.gave_up,
    )


def _rung(rung: RungStatus) -> Rung:
    day = day_of(rung.solved_at) if rung.solved_at else None
    return Rung(rung.rung, rung.state, day, rung.attempts)


def _score(entry: Entry) -> Score:
    return Score(entry.at, entry.rung or "", entry.score or 0.0)


def _metrics(ledger: Ledger, entries: Iterable[Entry], rung: str) -> dict[str, float]:
    """Every finite number that the newest solving attempt at a rung measured."""
    solving = [entry for entry in entries if entry.rung == rung and entry.solved]
    if not solving:
        return {}
    found: dict[str, float] = {}
    for check in ledger.payload(solving[-1]).get("checks", ()):
        found.update(check.get("metrics") or {})
    return {name: float(value) for name, value in found.items() if math.isfinite(value)}


def _targets(problem_id: str, metrics: Mapping[str, Mapping[str, float]], tried: set[str]) -> Iterable[Reached]:
    problem = _declared(problem_id)
    for target in problem.targets if problem is not None else ():
        if target.rung not in tried or isinstance(target.value, str):
            continue
        measured = {_key(name): value for name, value in metrics.get(target.rung, {}).items()}
        reached = measured.get(_key(target.id))
        yield Reached(
            id=target.id,
            rung=target.rung,
            metric=target.metric,
            target=in_words(float(target.value), 4),
            unit=target.unit or "",
            direction=target.direction,
            reached=reached,
            met=_is_met(reached, target.value, target.direction),
            source=target.source,
            url=target.url,
            verified=target.verified,
        )


def _declared(problem_id: str) -> Problem | None:
    try:
        return find_location(problem_id).load()
    except DeepfieldError:
        return None


def _is_met(reached: float | None, target: float, direction: Direction) -> bool | None:
    if reached is None:
        return None
    if direction == "equal":
        return math.isclose(reached, target, rel_tol=1e-9)
    return bool(reached >= target if direction == "higher" else reached <= target)


def _key(name: str) -> str:
    return name.replace("-", "_").lower()


# What no grader can see


def _vouched(ledger: Ledger, roadmap: Roadmap, *, notes: bool) -> tuple[Vouched, ...]:
    from deepfield_cli.journey.counts import ATTEST

    found = []
    for entry in ledger.entries(newest_first=False):
        if entry.kind == ATTEST:
            payload = ledger.payload(entry)
            rubric = roadmap.rubrics.get(payload["rubric"])
            title = rubric.title if rubric else str(payload["rubric"])
            found.append(_one("attested", title, entry, payload, int(payload.get("count", 1)), notes=notes))
        elif entry.kind == CONFIRM:
            payload = ledger.payload(entry)
            found.append(_one("confirmed", _confirmed_title(payload), entry, payload, 1, notes=notes))
    return tuple(found)


def _one(
    kind: EvidenceKind, title: str, entry: Entry, payload: Mapping[str, Any], count: int, *, notes: bool
) -> Vouched:
    link = payload.get("link") or payload.get("url")
    note = payload.get("note") if notes else None
    return Vouched(kind, title, day_of(entry.at), count, str(link) if link else None, str(note) if note else None)


def _confirmed_title(payload: Mapping[str, Any]) -> str:
    what, value = str(payload.get("what", "")), payload.get("value", 1)
    title = _CONFIRMED.get(what, what)
    return title if value == 1 else f"{title}: {value}"


def _reachings(workspace: Workspace, roadmap: Roadmap) -> tuple[Reaching, ...]:
    from deepfield_cli.journey.facts import read_facts
    from deepfield_cli.journey.rules import decide

    facts = read_facts(workspace)
    found = []
    shelves = (("project", roadmap.projects), ("arena", roadmap.arena), ("signal", roadmap.signals))
    for kind, items in shelves:
        for item in items.values():
            part = decide(item.evidence.model_dump(mode="json"), facts)
            if part.holds and part.evidence is not None:
                found.append(Reaching(kind, item.title, part.evidence))  # type: ignore[arg-type]
    return tuple(found)


# The rest


def _season(season: Season, ledger: Ledger, roadmap: Roadmap) -> ShownSeason:
    day = today()
    stage = roadmap.stages.get(season.field)
    return ShownSeason(
        field=season.field,
        title=stage.title if stage else season.field,
        started=season.started,
        ends=season.ends,
        weeks=season.weeks,
        kept=kept_weeks(season, ledger, day),
        over=season.is_over(day),
        week=season.week(day),
    )


def _order(gaps: Iterable[Gap]) -> list[str]:
    return list(dict.fromkeys(gap.problem for gap in gaps))


def _drills(ledger: Ledger) -> dict[str, tuple[int, int]]:
    right: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for entry in ledger.entries(DRILL):
        payload = ledger.payload(entry)
        field = str(payload.get("question", "")).partition("/")[0]
        asked[field] += 1
        right[field] += bool(payload.get("right"))
    return {field: (right[field], asked[field]) for field in sorted(asked)}


def _reviews(ledger: Ledger) -> tuple[int, int]:
    """Reviews of problems: how many succeeded, and how many there were."""
    outcomes = [bool(entry.solved) for entry in ledger.entries("review") if entry.problem is not None]
    return sum(outcomes), len(outcomes)
