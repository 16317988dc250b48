"""Codeforces, as far as a rating asks: https://codeforces.com/apiHelp."""

from __future__ import annotations

import re
import time
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from deepfield_cli.errors import DeepfieldError
from deepfield_cli.summit.asking import (
    Limited,
    NotConfirmed,
    NotThere,
    OutsideError,
    Unclear,
    address_from,
    decoded,
    get,
)

ADDRESS_VARIABLE = "DEEPFIELD_CODEFORCES_API"
OFFICIAL = "https://codeforces.com/api"
_NAME = "Codeforces"
_HANDLE = re.compile(r"[A-Za-z0-9_.-]{2,24}")
# What its terms ask for between two questions.
PAUSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Rating:
    """What Codeforces says of an account.

    Attributes:
        handle: the account, as Codeforces spells it.
        highest: the highest rating that it ever reached.
        current: its rating after its last contest.
        contests: how many rated contests.
        reached_in: the contest that brought the highest rating.
        reached_at: when that was, UTC.
        service: where Codeforces was asked.

    """

    handle: str
    highest: int
    current: int
    contests: int
    reached_in: str
    reached_at: str
    service: str

    @property
    def url(self) -> str:
        """The account's page."""
        return f"https://codeforces.com/profile/{urllib.parse.quote(self.handle)}"


class Codeforces:
    """Asks Codeforces, and leaves it in peace between two questions."""

    def __init__(self, *, pause_seconds: float = PAUSE_SECONDS) -> None:
        """The address is that of the environment, the pause what the terms ask for."""
        self.address = address_from(ADDRESS_VARIABLE, OFFICIAL)
        self.answers: dict[str, bytes] = {}
        self._pause_seconds = pause_seconds
        self._asked = False

    def result(self, method: str, **parameters: str) -> Any:
        """The result of an API method.

        Raises:
            OutsideError: Codeforces could not be asked, or does not know the account.

        """
        if self._asked:
            time.sleep(self._pause_seconds)
        self._asked = True
        query = urllib.parse.urlencode(parameters)
        answer = get(_NAME, f"{self.address}/{method}?{query}", {"Accept": "application/json"})
        if answer.status in (429, 503):
            raise Limited("Codeforces has answered often enough for now", fix="try again in a minute")
        if answer.status >= 500:
            raise OutsideError(f"Codeforces is in trouble: it answers {answer.status}", fix="try again later")
        found = decoded(_NAME, answer)
        if not isinstance(found, dict) or found.get("status") not in ("OK", "FAILED"):
            raise Unclear(f"Codeforces answered {answer.status} without a status", fix="try again later")
        if found["status"] == "FAILED":
            raise _failure(str(found.get("comment") or "no reason given"))
        self.answers[method] = answer.body
        return found.get("result")


def fetch_rating(codeforces: Codeforces, handle: str) -> Rating:
    """The highest rating of an account, and the contest that brought it.

    Raises:
        DeepfieldError: that is no handle.
        OutsideError: Codeforces could not be asked, or does not know the account.
        NotConfirmed: the account never took part in a rated contest.

    """
    if not _HANDLE.fullmatch(handle):
        raise DeepfieldError(f'"{handle}" is no handle of Codeforces', fix="it has 2 to 24 letters, digits, . _ or -")
    users = codeforces.result("user.info", handles=handle)
    if not isinstance(users, list) or len(users) != 1 or not isinstance(users[0], dict):
        raise Unclear("Codeforces did not answer with one account", fix="try again later")
    spelled = _text(users[0], "handle")
    changes = codeforces.result("user.rating", handle=spelled)
    if not isinstance(changes, list) or not all(isinstance(change, dict) for change in changes):
        raise Unclear("Codeforces did not answer with a list of contests", fix="try again later")
    if not changes:
        raise NotConfirmed(f"{spelled} has no rating yet", fix="a rating comes with the first rated contest")
    best = max(changes, key=lambda change: _number(change, "newRating"))
    return Rating(
        handle=spelled,
        highest=_number(best, "newRating"),
        current=_number(changes[-1], "newRating"),
        contests=len(changes),
        reached_in=_text(best, "contestName"),
        reached_at=datetime.fromtimestamp(_number(best, "ratingUpdateTimeSeconds"), UTC).isoformat(),
        service=codeforces.address,
    )


def _failure(comment: str) -> OutsideError:
    lower = comment.lower()
    if "not found" in lower:
        return NotThere(f"Codeforces knows no such account: {comment[:100]}", fix="check the handle")
    if "limit exceeded" in lower:
        return Limited("Codeforces has answered often enough for now", fix="try again in a minute")
    return OutsideError(f"Codeforces refuses: {comment[:200]}", fix="try again later")


def _text(found: Mapping[str, Any], key: str) -> str:
    value = found.get(key)
    if not isinstance(value, str) or not value:
        raise Unclear(f'Codeforces\' answer has no "{key}"', fix="try again later")
    return value


def _number(found: Mapping[str, Any], key: str) -> int:
    value = found.get(key)
    # a rating can be negative; a time far beyond any calendar cannot be
    if type(value) is not int or abs(value) > 10**11:
        raise Unclear(f'Codeforces\' answer has no "{key}"', fix="try again later")
    return value
