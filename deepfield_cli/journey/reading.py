"""What there is to read and watch, and what the learner has done of it."""

from __future__ import annotations

from dataclasses import dataclass

from deepfield_cli.content.resource import Resource
from deepfield_cli.content.road import open_roadmap
from deepfield_cli.content.roadmap import Roadmap
from deepfield_cli.errors import ContentError, near_miss
from deepfield_cli.journey.clock import now
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.ledger import Ledger

DONE = "done"


@dataclass(frozen=True, slots=True)
class Listed:
    """One resource on a list.

    Attributes:
        resource: the resource.
        part: which part of it, where the list says so.
        done: when the learner was done with it, UTC; None before.

    """

    resource: Resource
    part: str | None
    done: str | None


@dataclass(frozen=True, slots=True)
class ReadingList:
    """A list with its name, e.g. a stage's reading."""

    title: str
    items: tuple[Listed, ...]


def read_lists(workspace: Workspace | None, field: str | None = None, *, unread: bool = False) -> list[ReadingList]:
    """Each stage's reading, in the order of the road; then what belongs to no stage's list."""
    roadmap = open_roadmap()
    if field is not None and field not in roadmap.stages:
        known = ", ".join(roadmap.stages)
        raise ContentError(f'there is no field "{field}"', fix=near_miss(field, roadmap.stages) or f"one of {known}")
    done = read_done(workspace)
    lists: list[ReadingList] = []
    placed: set[str] = set()
    for stage in roadmap.stages.values():
        names = roadmap.resources_of(stage.id)
        if field in (None, stage.id):
            lists.append(ReadingList(f"{stage.id}  {stage.title}", _listed(roadmap, stage.id, done)))
            placed.update(names)
    others = [
        one for one in roadmap.resources.values() if one.id not in placed and (field is None or field in one.fields)
    ]
    lists.append(ReadingList("further", tuple(Listed(one, None, done.get(one.id)) for one in others)))
    kept = [ReadingList(one.title, tuple(item for item in one.items if not (unread and item.done))) for one in lists]
    return [one for one in kept if one.items]


def read_done(workspace: Workspace | None) -> dict[str, str]:
    """Resource id to when it was done, for those that are."""
    if workspace is None or not workspace.has_record():
        return {}
    with workspace.record() as ledger:
        return _read_done(ledger)


def find_resource(name: str) -> Resource:
    """The resource of this id or alias; raise ContentError with the near miss."""
    roadmap = open_roadmap()
    kind, identifier = roadmap.index.get(name, ("", ""))
    if kind != "resource":
        hint = near_miss(name, roadmap.resources)
        what = f'"{name}" is a {kind}, not a resource' if kind else f'there is no resource "{name}"'
        raise ContentError(what, fix=hint or "deepfield resources lists them, deepfield search WORDS finds them")
    return roadmap.resources[identifier]


def mark_done(workspace: Workspace, resource: Resource, *, undo: bool = False) -> bool:
    """Record that a resource is done, or is not after all; whether that changed anything."""
    with workspace.ledger() as ledger, ledger.batch():
        if (resource.id in _read_done(ledger)) != undo:
            return False
        ledger.append(DONE, {"resource": resource.id, "undone": undo}, at=now())
    return True


def _read_done(ledger: Ledger) -> dict[str, str]:
    done: dict[str, str] = {}
    for entry in ledger.entries(DONE, newest_first=False):
        payload = ledger.payload(entry)
        if payload.get("undone"):
            done.pop(payload["resource"], None)
        else:
            done[payload["resource"]] = entry.at
    return done


def _listed(roadmap: Roadmap, stage: str, done: dict[str, str]) -> tuple[Listed, ...]:
    parts = {reading.resource: reading.part for reading in (*roadmap.stages[stage].read, *roadmap.stages[stage].watch)}
    return tuple(
        Listed(roadmap.resources[name], parts.get(name), done.get(name)) for name in roadmap.resources_of(stage)
    )
