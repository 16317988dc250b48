"""GitHub's API, as far as one pull request asks: https://docs.github.com/rest."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from deepfield_cli.summit.asking import Limited, NotThere, OutsideError, Unclear, address_from, clock_time, decoded, get
from deepfield_cli.summit.web import Answer, wait_asked_for

ADDRESS_VARIABLE = "DEEPFIELD_GITHUB_API"
OFFICIAL = "https://api.github.com"
_TOKEN_VARIABLES = ("GITHUB_TOKEN", "GH_TOKEN")
_VERSION = "2022-11-28"
_NAME = "GitHub"
_PAGE = 100


class GitHub:
    """Asks GitHub; a token raises its limit from 60 requests an hour to 5,000 and is otherwise not needed."""

    def __init__(self) -> None:
        """Address and token are those of the environment."""
        self.address = address_from(ADDRESS_VARIABLE, OFFICIAL)
        self._token = next(filter(None, (os.environ.get(name, "").strip() for name in _TOKEN_VARIABLES)), "")
        self.answers: dict[str, bytes] = {}

    def one(self, path: str) -> Mapping[str, Any]:
        """The object at a path; raise OutsideError."""
        found = self._get(path)
        if not isinstance(found, dict):
            raise Unclear(f"{_NAME} answered no object for {path}", fix="try again later")
        return found

    def many(self, path: str, *, most_pages: int = 3) -> list[Mapping[str, Any]]:
        """The objects of a list, page by page; raise OutsideError."""
        items: list[Mapping[str, Any]] = []
        for page in range(1, most_pages + 1):
            found = self._get(f"{path}?per_page={_PAGE}&page={page}")
            if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
                raise Unclear(f"{_NAME} answered no list for {path}", fix="try again later")
            items += found
            if len(found) < _PAGE:
                break
        return items

    def _get(self, path: str) -> Any:
        answer = get(_NAME, f"{self.address}{path}", self._headers())
        self._require_good(answer, path)
        self.answers[path] = answer.body
        return decoded(_NAME, answer)

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": _VERSION}
        return {**headers, "Authorization": f"Bearer {self._token}"} if self._token else headers

    def _require_good(self, answer: Answer, path: str) -> None:
        status = answer.status
        if status == 200:
            return
        if status == 401:
            raise OutsideError("GitHub does not accept the token", fix="correct GITHUB_TOKEN, or unset it")
        if status in (404, 410, 451):
            # a private repository answers as if it were not there
            what = f"GitHub knows nothing at {path.partition('?')[0].removeprefix('/repos/')}: not there, or private"
            raise NotThere(what, fix="check the address")
        if status in (403, 429):
            raise self._refusal(answer)
        if status >= 500:
            raise OutsideError(f"GitHub is in trouble: it answers {status}", fix="try again later")
        raise Unclear(f"GitHub answers {status}: {_message(answer)}", fix="try again later")

    def _refusal(self, answer: Answer) -> OutsideError:
        """A limit that is reached looks like a refusal; what tells them apart are the headers and the words."""
        message = _message(answer)
        spent = answer.headers.get("x-ratelimit-remaining") == "0"
        wait = wait_asked_for(answer, time.time())
        if not spent and wait is None and "rate limit" not in message.lower():
            fix = "a GITHUB_TOKEN that may read it" if not self._token else "a token with more rights, or none"
            return OutsideError(f"GitHub refuses: {message}", fix=f"it may take {fix}")
        fix = f"try again after {clock_time(self._free_again(answer, wait))}"
        return Limited(
            "GitHub has answered often enough for now", fix=fix if self._token else f"{fix}, or set GITHUB_TOKEN"
        )

    def _free_again(self, answer: Answer, wait: float | None) -> float:
        reset = answer.headers.get("x-ratelimit-reset", "")
        if wait is None and reset.isdecimal():
            return float(reset)
        # GitHub's advice where it names no time
        return time.time() + (wait if wait is not None else 60.0)


def _message(answer: Answer) -> str:
    try:
        found = decoded(_NAME, answer)
    except Unclear:
        return f"{answer.status} without a reason"
    words = found.get("message") if isinstance(found, dict) else None
    return str(words or answer.status)[:200]
