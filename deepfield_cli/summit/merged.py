"""Whether a pull request is what the summit asks for: merged, the learner's own, in a flagship, more than a typo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deepfield_cli.summit.github import GitHub
from deepfield_cli.summit.pull_request import Address, PullRequest, fetch, is_same_repository
from deepfield_cli.summit.substance import Substance, weigh

# A change this small is taken if somebody discussed it: one line can be a hard-won correction, or nothing at all.
# A judgement, not a measurement; ten lines are about what a first small fix with its test takes.
LINES_WITHOUT_DISCUSSION = 10


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that is asked of a pull request.

    Attributes:
        name: what is asked.
        holds: whether it is so.
        words: what GitHub says about it.
        diagnosis: the name of what is wrong; None where nothing is.

    """

    name: str
    holds: bool
    words: str
    diagnosis: str | None = None


@dataclass(frozen=True, slots=True)
class Examined:
    """A pull request, held against everything that is asked.

    Attributes:
        request: what GitHub says.
        account: the account that the learner calls their own.
        flagship: the flagship that it belongs to; None if to none.
        substance: what its diff amounts to.
        points: one by one.
        service: where GitHub was asked.

    """

    request: PullRequest
    account: str
    flagship: str | None
    substance: Substance
    points: tuple[Point, ...]
    service: str

    @property
    def holds(self) -> bool:
        """Whether everything is as asked."""
        return all(point.holds for point in self.points)


def examine(github: GitHub, address: Address, account: str, flagships: Sequence[str]) -> Examined:
    """Ask GitHub about a pull request, and hold it against what is asked.

    Raises:
        OutsideError: GitHub could not be asked, or knows no such pull request.

    """
    request = fetch(github, address)
    flagship = _flagship(github, request, flagships)
    substance = weigh(request.files)
    points = (
        _merged(request),
        _own(request, account),
        _in_a_flagship(request, flagship, flagships),
        _substantial(request, substance),
        _reviewed(request),
    )
    return Examined(request, account, flagship, substance, points, github.address)


def _merged(request: PullRequest) -> Point:
    if request.arrived:
        day = (request.merged_at or "")[:10]
        how = f"landed on {day} in {(request.commit or '')[:10]}" if request.landed else f"merged on {day}"
        return Point("merged", True, how)
    if request.state == "open":
        return Point("merged", False, "it is still open", "not-merged")
    return Point("merged", False, "it was closed without being merged", "closed-unmerged")


def _own(request: PullRequest, account: str) -> Point:
    if request.author is None:
        return Point("yours", False, "its author's account is gone", "author-gone")
    if request.author == account.lower():
        return Point("yours", True, f"opened by {account}")
    return Point("yours", False, f"it was opened by {request.author}, not by {account}", "another-author")


def _in_a_flagship(request: PullRequest, flagship: str | None, flagships: Sequence[str]) -> Point:
    if flagship is None:
        words = f"{request.repository} is not on the list: {', '.join(flagships)}"
        return Point("in a flagship", False, words, "no-flagship")
    renamed = "" if flagship.lower() == request.repository.lower() else f", formerly {flagship}"
    return Point("in a flagship", True, request.repository + renamed)


def _substantial(request: PullRequest, substance: Substance) -> Point:
    size = f"+{request.added} −{request.removed} in {_counted(request.changed_files, 'file')}"
    if substance.shortfall is not None:
        return Point("more than a typo", False, f"{substance.words} ({size})", substance.shortfall)
    if substance.lines < LINES_WITHOUT_DISCUSSION and not request.remarks:
        words = f"{_counted(substance.lines, 'line')} of substance, and nobody had a word to say about it ({size})"
        return Point("more than a typo", False, words, "too-small")
    return Point("more than a typo", True, f"{_counted(substance.lines, 'line')} of substance ({size})")


def _reviewed(request: PullRequest) -> Point:
    """Somebody else looked: spoke, approved or merged it. Of what landed from a mirror that is taken as read."""
    others = [*request.reviewers]
    if request.merged_by not in (None, request.author, *others):
        others.append(str(request.merged_by))
    if not others and not request.landed:
        return Point("reviewed", False, "nobody but its author looked at it", "unreviewed")
    remarks = _counted(request.remarks, "remark")
    return Point(
        "reviewed", True, f"{remarks} by others ({', '.join(others[:4])})" if others else "landed by the project"
    )


def _flagship(github: GitHub, request: PullRequest, flagships: Sequence[str]) -> str | None:
    """The entry of the list that is this repository, under its name of today or an older one."""
    names = {name.lower(): name for name in flagships}
    for name in (request.repository, request.asked_for):
        if name.lower() in names:
            return names[name.lower()]
    return next((name for name in _namesakes(request.repository, flagships) if _leads_to(github, name, request)), None)


def _namesakes(repository: str, flagships: Sequence[str]) -> Iterator[str]:
    """Flagships of the same name with another owner: a move keeps the name."""
    slug = repository.partition("/")[2].lower()
    return (name for name in flagships if name.partition("/")[2].lower() == slug)


def _leads_to(github: GitHub, name: str, request: PullRequest) -> bool:
    return is_same_repository(github, name, request.repository)


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}{'s' if count != 1 else ''}"
