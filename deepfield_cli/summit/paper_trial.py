"""The paper rung of a reproduction: its numbers hold against those that were published, and are the learner's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from deepfield_cli.errors import CheckFailed
from deepfield_cli.summit import nearness
from deepfield_cli.summit.artefacts import survey
from deepfield_cli.summit.course import Metrics, Station
from deepfield_cli.summit.trial import Trial, shown

# A file with more than this of the released weights in it was not trained.
_FROM_RELEASE = 0.5


def paper_stations(trial: Trial, release: Sequence[Path]) -> Iterator[Station]:
    """What the paper rung asks beyond."""
    yield Station(
        "seeds_are_enough",
        f"Every claim rests on at least {nearness.FEWEST_SEEDS} seeds.",
        partial(_seeds_are_enough, trial),
    )
    yield Station(
        "numbers_are_your_own",
        "The numbers differ from the paper's as runs differ, and no artefact is from its release.",
        partial(_numbers_are_your_own, trial, release),
    )
    yield Station(
        "claims_hold_against_the_paper",
        "Every mean is as good as the published number, within what its spread and the number of seeds allow.",
        partial(_claims_hold_against_the_paper, trial),
        ("seeds_are_enough",),
        3,
    )


def _seeds_are_enough(trial: Trial) -> Metrics:
    for claim in trial.claims.claims:
        if len(claim.runs) < nearness.FEWEST_SEEDS:
            raise CheckFailed(
                f"Claim {claim.id} rests on {len(claim.runs)} of at least {nearness.FEWEST_SEEDS} seeds.",
                help="One run is an anecdote: its distance from the paper says nothing without its spread.",
                diagnosis="too-few-seeds",
            )
    return None


def _numbers_are_your_own(trial: Trial, release: Sequence[Path]) -> Metrics:
    for claim in trial.claims.claims:
        values = trial.values(claim)
        if len(values) >= nearness.FEWEST_SEEDS and all(nearness.equals(value, claim.published) for value in values):
            raise CheckFailed(
                f"Every seed of claim {claim.id} gives the published {claim.published:g} to the last digit.",
                help="Runs of different seeds differ; a number that does not was copied.",
                actual=shown(values),
                diagnosis="number-copied",
            )
    for path in release:
        _compare_with_release(trial, path)
    return None


def _compare_with_release(trial: Trial, path: Path) -> None:
    released = survey(path)
    for name, found in trial.surveys.items():
        share = found.share_of(released)
        if share >= _FROM_RELEASE:
            raise CheckFailed(
                f"{share:.0%} of {name} is, byte for byte, in {path.name}, which the paper's authors released.",
                help="A reproduction is trained, not downloaded.",
                diagnosis="from-the-release",
            )


def _claims_hold_against_the_paper(trial: Trial) -> Metrics:
    for claim in trial.claims.claims:
        values = trial.values(claim)
        short, allowed = nearness.shortfall(claim, nearness.mean(values)), nearness.allowance(claim, len(values))
        if short > allowed:
            side = {"higher": "below", "lower": "above", "equal": "away from"}[claim.direction]
            raise CheckFailed(
                f"Claim {claim.id} is {short:g} {side} the published number; {allowed:g} is allowed.",
                help="What does the gap log say? Which of the gaps did you measure?",
                expected=f"{claim.published:g} ± {allowed:g} ({claim.table})",
                actual=shown(values),
                diagnosis="short-of-the-paper",
            )
    return trial.means()
