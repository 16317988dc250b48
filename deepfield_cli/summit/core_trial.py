"""The core rung of a reproduction: the folder is whole, and its numbers come out of its artefacts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial

from deepfield_cli.errors import CheckFailed
from deepfield_cli.summit import nearness
from deepfield_cli.summit.artefacts import ArtefactError, survey
from deepfield_cli.summit.claims import FILE, Claim
from deepfield_cli.summit.course import Metrics, Station
from deepfield_cli.summit.following import follow
from deepfield_cli.summit.trial import Trial, shown

GAPS, README = "gaps.md", "README.md"
_FEWEST_GAPS = 3
_FEWEST_WORDS = 50
# A gap is a row of a table, an item of a list or a small heading of its own.
_GAP = re.compile(r"^(\|(?!\s*(-|:|day\b)).+\||[-*] .+|###+ .+)$", re.MULTILINE)
# A number is found in a table of results as it stands, as a percentage, or as the share of one.
_SCALES = (1.0, 100.0, 0.01)


def core_stations(trial: Trial) -> Iterator[Station]:
    """What the core rung asks."""
    yield Station(
        "folder_is_complete",
        f"{FILE}, {GAPS}, {README} and every artefact are there, and the README tells the command.",
        partial(_folder_is_complete, trial),
    )
    yield Station(
        "gaps_are_logged",
        f"{GAPS} holds at least {_FEWEST_GAPS} differences between the paper and the world.",
        partial(_gaps_are_logged, trial),
        ("folder_is_complete",),
    )
    yield Station(
        "artefacts_hold_numbers",
        "Each artefact can be looked into, holds numbers, and belongs to one seed alone.",
        partial(_artefacts_hold_numbers, trial),
        ("folder_is_complete",),
    )
    yield Station(
        "command_measures_again",
        "In a clean copy the command ends in time and prints a number for every claim and seed.",
        partial(_command_measures_again, trial),
        ("artefacts_hold_numbers",),
        2,
    )
    yield Station(
        "claims_are_what_is_measured",
        "The mean over the seeds is the number that the table claims.",
        partial(_claims_are_what_is_measured, trial),
        ("command_measures_again",),
    )
    yield Station(
        "numbers_are_not_kept_beside",
        "No artefact carries the number itself in a table of results.",
        partial(_numbers_are_not_kept_beside, trial),
        ("command_measures_again",),
    )
    yield Station(
        "numbers_follow_their_artefacts",
        "A number gets worse when its artefact is disturbed, and only then.",
        partial(follow, trial),
        ("command_measures_again",),
        3,
    )


def _folder_is_complete(trial: Trial) -> Metrics:
    present = trial.copied.sizes
    missing = [name for name in (GAPS, README, *trial.claims.artefacts) if not present.get(name)]
    if missing:
        artefact = next((name for name in missing if name in trial.claims.artefacts), None)
        raise CheckFailed(
            f"Not there, or empty: {', '.join(missing)}.",
            help="Links are not followed: a stranger's copy would not have what they lead to.",
            diagnosis="artefact-missing" if artefact else "file-missing",
        )
    text = trial.text(README)
    if len(text.split()) < _FEWEST_WORDS:
        raise CheckFailed(f"{README} has fewer than {_FEWEST_WORDS} words.", diagnosis="readme-too-short")
    command = " ".join(trial.claims.evaluate.command)
    if command not in " ".join(text.split()):
        raise CheckFailed(f"{README} does not tell the command.", expected=command, diagnosis="command-untold")
    return None


def _gaps_are_logged(trial: Trial) -> Metrics:
    count = len(_GAP.findall(trial.text(GAPS)))
    if count < _FEWEST_GAPS:
        raise CheckFailed(
            f"{GAPS} holds {count} of the {_FEWEST_GAPS} entries that are asked for.",
            help="deepfield gap add summit/reproduction logs one; deepfield gap export writes the file.",
            diagnosis="gaps-missing",
        )
    return {"gaps": float(count)}


def _artefacts_hold_numbers(trial: Trial) -> Metrics:
    for name in trial.claims.artefacts:
        try:
            trial.surveys[name] = survey(trial.bench.clean / name)
        except ArtefactError as error:
            raise CheckFailed(f"{error.what}.", help=error.fix, diagnosis="artefact-unreadable") from error
        if not trial.surveys[name].numbers:
            raise CheckFailed(f"{name} holds no numbers that could be disturbed.", diagnosis="artefact-empty")
    for claim in trial.claims.claims:
        _refuse_shared_artefacts(trial, claim)
    return {"artefact_numbers": float(sum(found.numbers for found in trial.surveys.values()))}


def _refuse_shared_artefacts(trial: Trial, claim: Claim) -> None:
    owners: dict[str, int] = {}
    for run in claim.runs:
        digest = trial.copied.digests[run.artefact]
        if digest in owners:
            raise CheckFailed(
                f"Claim {claim.id}: seeds {owners[digest]} and {run.seed} have the same artefact.",
                help="Each seed is a training run of its own, and leaves a file of its own.",
                diagnosis="artefact-shared",
            )
        owners[digest] = run.seed


def _command_measures_again(trial: Trial) -> Metrics:
    trial.numbers = trial.bench.measure()
    return {**trial.means(), **{f"{claim}_seed_{seed}": value for (claim, seed), value in trial.numbers.items()}}


def _claims_are_what_is_measured(trial: Trial) -> Metrics:
    for claim in trial.claims.claims:
        values = trial.values(claim)
        if not nearness.is_as_claimed(claim, values):
            raise CheckFailed(
                f"Claim {claim.id} says {claim.reached:g}, and the artefacts give {nearness.mean(values):g}.",
                expected=f"{claim.reached:g} (claimed)",
                actual=shown(values),
                diagnosis="not-as-claimed",
            )
    return None


def _numbers_are_not_kept_beside(trial: Trial) -> Metrics:
    for claim in trial.claims.claims:
        for run in claim.runs:
            value = trial.numbers[claim.id, run.seed]
            if _is_telling(value) and _stands_in(value, trial.surveys[run.artefact].tables):
                raise CheckFailed(
                    f"{run.artefact} holds the number {value:g} itself.",
                    help="Measure it from weights or predictions, and keep results out of the artefact.",
                    diagnosis="number-kept-beside",
                )
    return None


def _is_telling(value: float) -> bool:
    """Whether a number could only be the result: zeros and ones are everywhere."""
    return value not in (0.0, 1.0, -1.0, 100.0)


def _stands_in(value: float, table: Sequence[float]) -> bool:
    return any(nearness.equals(entry * scale, value) for entry in table for scale in _SCALES)
