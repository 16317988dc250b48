"""``claims.yaml``: what a paper says, what the learner reached, and the artefact that each number comes out of."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from deepfield_cli.content.problem import Frozen, Identifier
from deepfield_cli.content.roadmap import Roadmap
from deepfield_cli.content.roadmap_problem import RoadmapTarget
from deepfield_cli.content.strict_yaml import load_model
from deepfield_cli.errors import ContentError, near_miss

FILE = "claims.yaml"
# A day: whatever needs longer to measure again is not measured again by anybody.
_LONGEST_SECONDS = 24 * 3600


def _inside(text: str) -> str:
    """A path that stays in the folder."""
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError(f'"{text}" is no path inside the folder')
    return str(path)


InnerPath = Annotated[str, AfterValidator(_inside)]


class Paper(Frozen):
    """What is reproduced."""

    title: str = Field(min_length=5, description="the paper's title")
    url: str = Field(pattern=r"^https?://\S+$", description="where it can be read")


class Evaluate(Frozen):
    """The one command that measures everything again."""

    command: tuple[str, ...] = Field(min_length=1, description="program and arguments; python is the interpreter")
    seconds: float = Field(default=600.0, gt=0, le=_LONGEST_SECONDS, description="how long it may take")
    memory_mb: int = Field(default=8192, ge=64, description="address space of each of its processes")
    gpu: bool = Field(default=False, description="needs a CUDA device")
    data: tuple[Identifier, ...] = Field(default=(), description="names of files or folders given with --data")


class Run(Frozen):
    """One training run: its seed, and what it left."""

    seed: int = Field(description="the seed; each run of a claim has another")
    artefact: InnerPath = Field(description="the file in this folder that the number is measured from")


class Claim(Frozen):
    """One number of the paper, and what became of it."""

    id: Identifier = Field(description="unique in this file; the command prints its numbers under it")
    table: str = Field(min_length=3, description="where in the paper it stands")
    metric: str = Field(min_length=3, description="what is measured, and on what")
    direction: Literal["higher", "lower", "equal"] = Field(description="which side is better")
    published: float = Field(description="the paper's number")
    spread: float | None = Field(default=None, ge=0, description="its standard deviation over seeds, as published")
    tolerance: float | None = Field(default=None, ge=0, description="where the paper gives no spread: how far is near")
    tolerance_because: str | None = Field(default=None, min_length=20, description="where that tolerance comes from")
    target: str | None = Field(default=None, description="problem and target of the roadmap, e.g. llm/gpt2:hellaswag")
    reached: float = Field(description="the mean over your seeds")
    hardware: str = Field(min_length=2, description="what it was trained on")
    hours: float = Field(ge=0, description="for how long, all seeds together")
    runs: tuple[Run, ...] = Field(min_length=1, description="one for each seed")

    @model_validator(mode="after")
    def _says_how_near_is_near(self) -> Claim:
        if self.spread is None and self.tolerance is None:
            raise ValueError(f'claim "{self.id}" gives neither the spread of the paper nor a tolerance')
        if self.tolerance is not None and self.tolerance_because is None and self.target is None:
            raise ValueError(f'claim "{self.id}" does not say where its tolerance comes from (tolerance_because)')
        return self

    @model_validator(mode="after")
    def _seeds_differ(self) -> Claim:
        seeds = [run.seed for run in self.runs]
        if len(set(seeds)) < len(seeds):
            raise ValueError(f'claim "{self.id}" has a seed twice')
        return self


class Claims(Frozen):
    """The whole file."""

    format_version: Literal[1] = Field(description="version of this format")
    paper: Paper = Field(description="what is reproduced")
    evaluate: Evaluate = Field(description="the command")
    claims: tuple[Claim, ...] = Field(min_length=1, description="the table")

    @model_validator(mode="after")
    def _ids_differ(self) -> Claims:
        ids = [claim.id for claim in self.claims]
        if len(set(ids)) < len(ids):
            raise ValueError("two claims share an id")
        return self

    @property
    def artefacts(self) -> tuple[str, ...]:
        """Every artefact, each once."""
        return tuple(dict.fromkeys(run.artefact for claim in self.claims for run in claim.runs))


def read_claims(folder: Path, roadmap: Roadmap) -> Claims:
    """Read a folder's claims; raise ContentError with file and line, or for a number that is not the roadmap's."""
    path = folder / FILE
    if not path.is_file():
        raise ContentError(
            f"there is no {FILE}", where=str(folder), fix="deepfield start summit/reproduction makes one"
        )
    claims = load_model(path, Claims)
    for claim in claims.claims:
        if claim.target is not None:
            _require_roadmaps_number(claim, find_target(claim, roadmap), path)
    return claims


def find_target(claim: Claim, roadmap: Roadmap) -> RoadmapTarget:
    """The roadmap's target that a claim names; raise ContentError with the near miss."""
    known = {f"{problem.id}:{target.id}": target for problem in roadmap.problems.values() for target in problem.targets}
    wanted = claim.target or ""
    if wanted not in known:
        hint = near_miss(wanted, known) or "deepfield show llm/gpt2 lists those of a problem"
        raise ContentError(f'claim "{claim.id}": the roadmap has no target "{wanted}"', where=FILE, fix=hint)
    return known[wanted]


def _require_roadmaps_number(claim: Claim, target: RoadmapTarget, path: Path) -> None:
    for name, own, its in (
        ("published", claim.published, target.value),
        ("direction", claim.direction, target.direction),
    ):
        if own != its:
            what = f'claim "{claim.id}": {name} is {own}, and the roadmap has {its} for {claim.target}'
            raise ContentError(what, where=str(path), fix="correct it, or leave target out")
