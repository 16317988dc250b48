"""Whether a number follows its artefact: it gets worse when the artefact is disturbed, and only then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepfield_cli.errors import CheckFailed
from deepfield_cli.summit import nearness
from deepfield_cli.summit.claims import Claim
from deepfield_cli.summit.trial import Trial

if TYPE_CHECKING:
    import numpy as np


def follow(trial: Trial) -> None:
    """Disturb a part of the artefacts, drawn by lot, then the rest; the others hold next to the same numbers.

    Numbers whose own artefact was disturbed are looked at first, so that the lot does not decide what a bug is called.
    """
    import numpy as np

    rng = np.random.default_rng(trial.seed)
    first = _some_artefacts(trial, rng)
    second = [name for name in trial.claims.artefacts if name not in first]
    rounds = [(disturbed, trial.bench.measure_disturbed(disturbed, rng)) for disturbed in (first, second)]
    for own in (True, False):
        for disturbed, after in rounds:
            for claim in trial.claims.claims:
                for run in claim.runs:
                    if (run.artefact in disturbed) is own:
                        _compare(trial, claim, run.seed, after[claim.id, run.seed], disturbed=own)


def _some_artefacts(trial: Trial, rng: np.random.Generator) -> list[str]:
    """A part of the artefacts, drawn by lot and never all of them; the only one, if there is only one."""
    names = list(trial.claims.artefacts)
    count = int(rng.integers(1, len(names))) if len(names) > 1 else 1
    return [names[place] for place in rng.permutation(len(names))[:count]]


def _compare(trial: Trial, claim: Claim, seed: int, after: float, *, disturbed: bool) -> None:
    before, values = trial.numbers[claim.id, seed], trial.values(claim)
    what = f"{claim.id} of seed {seed}"
    shown = {"expected": f"{before:g} (undisturbed)", "actual": f"{after:g}"}
    if not disturbed and not nearness.is_unmoved(claim, before, after, values):
        raise CheckFailed(
            f"The number of {what} changed, though its artefact holds the same numbers as before.",
            help="Does the command look at the bytes of the file, or at another seed's artefact?",
            diagnosis="moves-without-cause",
            **shown,
        )
    if disturbed and after == before:
        raise CheckFailed(
            f"The number of {what} stays, though its artefact was disturbed.",
            help="Does the command measure, or print what was measured once?",
            diagnosis="does-not-follow",
            **shown,
        )
    if disturbed and not nearness.is_worse(claim, before, after):
        raise CheckFailed(
            f"The number of {what} is hardly worse, though everything that its artefact learned is gone.",
            help="What else does the number come from?",
            diagnosis="hardly-depends",
            **shown,
        )
