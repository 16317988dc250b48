"""One pull request as GitHub tells of it: what it changes, who spoke about it, and whether it landed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from deepfield_cli.errors import DeepfieldError
from deepfield_cli.summit.asking import NotThere, Unclear
from deepfield_cli.summit.github import GitHub
from deepfield_cli.summit.substance import ChangedFile

_ADDRESS = re.compile(
    r"(?:https?://)?(?:www\.)?github\.com/(?P<owner>[\w.-]+)/(?P<name>[\w.-]+)/pull/(?P<number>\d+)(?:[/?#].*)?"
    r"|(?P<owner2>[\w.-]+)/(?P<name2>[\w.-]+)#(?P<number2>\d+)"
)


@dataclass(frozen=True, slots=True)
class Address:
    """Which pull request is meant."""

    repository: str
    number: int


@dataclass(frozen=True, slots=True)
class PullRequest:
    """What GitHub says.

    Attributes:
        asked_for: the repository that was asked for.
        repository: the repository that answered; another name if it was renamed.
        number: its number there.
        title: its title.
        url: its page.
        author: the account that opened it; None if that is gone.
        state: open or closed.
        merged_at: when it was merged, UTC; None if GitHub did not merge it.
        commit: the commit with which it arrived; None if it did not.
        landed: closed by a commit that carries it, as projects do that merge in a mirror of their own.
        merged_by: the account that merged it.
        added: lines added.
        removed: lines removed.
        changed_files: how many files it changes.
        files: these files, up to the first 300.
        reviewers: accounts of other people who reviewed it or spoke about it.
        remarks: what they said: reviews with words, comments on lines and comments below.

    """

    asked_for: str
    repository: str
    number: int
    title: str
    url: str
    author: str | None
    state: str
    merged_at: str | None
    commit: str | None
    landed: bool
    merged_by: str | None
    added: int
    removed: int
    changed_files: int
    files: tuple[ChangedFile, ...]
    reviewers: tuple[str, ...]
    remarks: int

    @property
    def arrived(self) -> bool:
        """Whether the change is in the project."""
        return self.merged_at is not None


def parse_address(text: str) -> Address:
    """``https://github.com/owner/name/pull/1`` or ``owner/name#1``; raise DeepfieldError for anything else."""
    match = _ADDRESS.fullmatch(text.strip())
    if match is None:
        example = "https://github.com/vllm-project/vllm/pull/123"
        raise DeepfieldError(f'"{text}" is no address of a pull request on GitHub', fix=f"write it as {example}")
    owner, name = match["owner"] or match["owner2"], match["name"] or match["name2"]
    return Address(f"{owner}/{name}", int(match["number"] or match["number2"]))


def fetch(github: GitHub, address: Address) -> PullRequest:
    """Ask GitHub for it, with its files and what was said about it.

    Raises:
        OutsideError: GitHub could not be asked, or knows no such pull request.

    """
    place = f"/repos/{address.repository}"
    try:
        found = github.one(f"{place}/pulls/{address.number}")
    except NotThere as error:
        what = f"GitHub knows no pull request {address.number} in {address.repository}"
        fix = "check the address; a private one is only seen with a GITHUB_TOKEN"
        raise NotThere(what, fix=fix) from error
    # from here on by the name that the answer gives: a renamed repository is not asked for by its old one
    repository = _text(found, "base", "repo", "full_name")
    place, author = f"/repos/{repository}", _login(found.get("user"))
    files = tuple(map(_changed_file, github.many(f"{place}/pulls/{address.number}/files")))
    voices = _Voices(author)
    voices.hear(github.many(f"{place}/pulls/{address.number}/reviews"))
    if _count(found, "review_comments"):
        voices.hear(github.many(f"{place}/pulls/{address.number}/comments"))
    if _count(found, "comments"):
        voices.hear(github.many(f"{place}/issues/{address.number}/comments"))
    arrival = _arrival(github, place, found)
    return PullRequest(
        asked_for=address.repository,
        repository=repository,
        number=_count(found, "number"),
        title=_text(found, "title"),
        url=_text(found, "html_url"),
        author=author,
        state=_text(found, "state"),
        merged_at=arrival.at,
        commit=arrival.commit,
        landed=arrival.landed,
        merged_by=_login(found.get("merged_by")),
        added=_count(found, "additions"),
        removed=_count(found, "deletions"),
        changed_files=_count(found, "changed_files"),
        files=files,
        reviewers=tuple(voices.people),
        remarks=voices.remarks,
    )


def is_same_repository(github: GitHub, name: str, other: str) -> bool:
    """Whether a repository's name leads to another name today: it was renamed, or moved to another owner."""
    if name.lower() == other.lower():
        return True
    try:
        return _text(github.one(f"/repos/{name}"), "full_name").lower() == other.lower()
    except NotThere:
        return False


@dataclass(frozen=True, slots=True)
class _Arrival:
    at: str | None = None
    commit: str | None = None
    landed: bool = False


def _arrival(github: GitHub, place: str, found: Mapping[str, Any]) -> _Arrival:
    """When and with which commit the change came into the project.

    Projects that are developed in a mirror (faiss is one) close a pull request with the commit that carries it, and
    GitHub never calls it merged. Such a commit names the pull request, and its author is that of the pull request.
    """
    merged = found.get("merged")
    if not isinstance(merged, bool):
        raise Unclear('GitHub does not say whether it is "merged"', fix="try again later")
    if merged:
        return _Arrival(_text(found, "merged_at"), _optional(found, "merge_commit_sha"))
    if found.get("state") != "closed":
        return _Arrival()
    number, author = _count(found, "number"), _login(found.get("user"))
    closings = [event for event in github.many(f"{place}/issues/{number}/events") if event.get("event") == "closed"]
    commit = _optional(closings[-1], "commit_id") if closings else None
    if commit is None:
        return _Arrival()
    carrier = github.one(f"{place}/commits/{commit}")
    names_it = re.search(rf"(/pull/|#){number}\b", _text(carrier, "commit", "message"))
    if names_it is None or author is None or _login(carrier.get("author")) != author:
        return _Arrival()
    return _Arrival(_text(closings[-1], "created_at"), commit, landed=True)


class _Voices:
    """People other than the author, and how often they spoke."""

    def __init__(self, author: str | None) -> None:
        self.people: dict[str, None] = {}
        self.remarks = 0
        self._author = author

    def hear(self, remarks: Iterable[Mapping[str, Any]]) -> None:
        for remark in remarks:
            user = remark.get("user")
            login = _login(user)
            if login is None or login == self._author or _is_bot(user):
                continue
            self.people[login] = None
            self.remarks += bool(str(remark.get("body") or "").strip())


def _is_bot(user: Any) -> bool:
    return user.get("type") == "Bot" or str(user.get("login")).endswith(("[bot]", "-bot", "-ci"))


def _changed_file(item: Mapping[str, Any]) -> ChangedFile:
    patch = item.get("patch")
    return ChangedFile(
        _text(item, "filename"),
        _count(item, "additions"),
        _count(item, "deletions"),
        patch if isinstance(patch, str) else None,
    )


def _login(user: Any) -> str | None:
    """An account's name in lower case, since GitHub tells no difference; None for an account that is gone."""
    login = user.get("login") if isinstance(user, dict) else None
    return login.lower() if isinstance(login, str) and login else None


def _text(found: Mapping[str, Any], *path: str) -> str:
    value: Any = found
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    if not isinstance(value, str) or not value:
        raise Unclear(f'GitHub\'s answer has no "{".".join(path)}"', fix="try again later")
    return value


def _optional(found: Mapping[str, Any], key: str) -> str | None:
    value = found.get(key)
    return value if isinstance(value, str) and value else None


def _count(found: Mapping[str, Any], key: str) -> int:
    value = found.get(key)
    if type(value) is not int or value < 0:
        raise Unclear(f'GitHub\'s answer has no "{key}"', fix="try again later")
    return value
