"""One reproduction under examination: what is known of it so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from deepfield_cli.summit import nearness
from deepfield_cli.summit.artefacts import Survey
from deepfield_cli.summit.claims import Claim, Claims
from deepfield_cli.summit.clean_copy import Copied
from deepfield_cli.summit.measuring import Bench, Numbers


@dataclass
class Trial:
    """Each check finds here what the ones before it have measured.

    Attributes:
        bench: where it is measured.
        copied: what the clean copy holds.
        seed: run seed.
        surveys: what each artefact holds.
        numbers: what was measured, by claim and seed.

    """

    bench: Bench
    copied: Copied
    seed: int
    surveys: dict[str, Survey] = field(default_factory=dict)
    numbers: Numbers = field(default_factory=dict)

    @property
    def claims(self) -> Claims:
        """What is claimed."""
        return self.bench.claims

    def values(self, claim: Claim) -> list[float]:
        """The numbers of a claim, in the order of its seeds."""
        return [self.numbers[claim.id, run.seed] for run in claim.runs]

    def means(self) -> dict[str, float]:
        """The mean of each claim, under the id of the target that it is measured for."""
        return {
            (claim.target or claim.id).rpartition(":")[2]: nearness.mean(self.values(claim))
            for claim in self.claims.claims
        }

    def by_claim(self) -> dict[str, dict[str, float]]:
        """The numbers, claim by claim."""
        found: dict[str, dict[str, float]] = {}
        for (claim, seed), value in self.numbers.items():
            found.setdefault(claim, {})[str(seed)] = value
        return found

    def text(self, name: str) -> str:
        """A text of the folder."""
        return (self.bench.clean / name).read_text(encoding="utf-8", errors="replace")


def shown(values: Sequence[float]) -> str:
    """A mean, and what it is the mean of."""
    return f"{nearness.mean(values):g} (mean of {', '.join(f'{value:g}' for value in values)})"
