"""Every link of the road and of the packs, each address once, with everything that leads to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from deepfield_cli.content.packs import Pack, packs
from deepfield_cli.content.road import open_roadmap
from deepfield_cli.content.roadmap import Roadmap
from deepfield_cli.errors import DeepfieldError, near_miss


@dataclass(frozen=True, slots=True)
class Source:
    """One place that links to an address.

    Attributes:
        id: of the resource, person, problem or project that holds the link.
        kind: what it is: resource, person, flagship, target or problem.
        file: where it stands, below the pack.
        checked: the day on which the address was last looked at; None where nobody wrote it down.
        verified: whether a public source showed it then; None where nobody said.

    """

    id: str
    kind: str
    file: str
    checked: date | None = None
    verified: bool | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """One address, and all that leads to it."""

    url: str
    sources: tuple[Source, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids that lead to it, each once."""
        return tuple(dict.fromkeys(source.id for source in self.sources))


def gather_links(wanted: Iterable[str] = ()) -> tuple[Link, ...]:
    """Every link, or those of the ids that are wanted, in the order of the files.

    Raises:
        ContentError: a file of a pack is not what it should be.
        DeepfieldError: nothing has a wanted id, or it has no link.

    """
    found: dict[str, list[Source]] = {}
    for url, source in _all_links():
        found.setdefault(_without_fragment(url), []).append(source)
    links = tuple(Link(url, tuple(sources)) for url, sources in found.items())
    chosen = tuple(wanted)
    known = {name for link in links for name in link.ids}
    for name in chosen:
        if name not in known:
            raise DeepfieldError(f'nothing with a link is called "{name}"', fix=near_miss(name, sorted(known)) or None)
    return tuple(link for link in links if not chosen or not set(chosen).isdisjoint(link.ids))


def _all_links() -> Iterator[tuple[str, Source]]:
    yield from _of_roadmap(open_roadmap())
    for pack in packs():
        yield from _of_pack(pack)


def _of_roadmap(roadmap: Roadmap) -> Iterator[tuple[str, Source]]:
    for kind, items in (("resource", roadmap.resources), ("person", roadmap.people)):
        for item in items.values():
            for address in item.addresses():
                yield address.url, Source(item.id, kind, "curriculum", item.checked, address.verified)
    for problem in roadmap.problems.values():
        for target in problem.targets:
            if target.url is not None:
                file = f"curriculum/problems/{problem.field}.yaml"
                yield target.url, Source(problem.id, "target", file, roadmap.charter.checked, target.verified)
    for flagship in roadmap.charter.flagships:
        url = f"https://github.com/{flagship.repository}"
        yield url, Source(flagship.repository, "flagship", "curriculum/charter.yaml", roadmap.charter.checked)


def _of_pack(pack: Pack) -> Iterator[tuple[str, Source]]:
    for name in pack.problem_ids():
        problem = pack.location(name).load()
        source = Source(name, "problem", f"problems/{name}/problem.yaml")
        yield from ((resource.url, source) for resource in problem.resources)
        yield from ((target.url, source) for target in problem.targets if target.url is not None)


def _without_fragment(url: str) -> str:
    """A place inside a page is not asked for: the server never hears of it."""
    return url.partition("#")[0]
