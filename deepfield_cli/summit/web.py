"""One request to the world outside: with a deadline, every redirect in plain sight, and each way to fail told apart."""

from __future__ import annotations

import http.client
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass

from deepfield_cli import __version__
from deepfield_cli.network import NoAnswer, no_answer, seconds_to_wait

USER_AGENT = f"deepfield/{__version__} (a learner's grader)"
REDIRECTS = frozenset({301, 302, 303, 307, 308})
PERMANENT = frozenset({301, 308})
# Browsers give up after twenty; nobody honest needs half of that.
MOST_HOPS = 8
MOST_BYTES = 8 << 20
_CHUNK = 1 << 16
# Sent to the host that they are meant for, and to no other.
_SECRET_HEADERS = frozenset({"authorization", "cookie"})


@dataclass(frozen=True, slots=True)
class Hop:
    """One redirect: its status, and where it led."""

    status: int
    url: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        url: the address that answered in the end.
        status: its HTTP status.
        headers: its headers, names in lower case.
        body: what it sent; empty for HEAD, or if nobody wanted it.
        hops: the redirects on the way.

    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    hops: tuple[Hop, ...]


def ask(
    url: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    timeout_seconds: float = 20.0,
    most_bytes: int = MOST_BYTES,
    with_body: bool = True,
) -> Answer:
    """Ask, follow redirects, and return the answer, whatever its status.

    Headers that hold a secret are sent on to no other host.

    Raises:
        NoAnswer: nothing came that could be read.

    """
    hops: list[Hop] = []
    sent = dict(headers or {})
    while True:
        answer = _ask_once(url, method, sent, timeout_seconds, most_bytes if with_body else 0)
        target = answer.headers.get("location")
        if answer.status not in REDIRECTS or not target:
            return Answer(url, answer.status, answer.headers, answer.body, tuple(hops))
        if len(hops) == MOST_HOPS:
            raise NoAnswer("broken", f"it redirects more than {MOST_HOPS} times")
        following = _resolved(url, target)
        if origin_of(following) != origin_of(url):
            sent = {name: value for name, value in sent.items() if name.lower() not in _SECRET_HEADERS}
        url = following
        hops.append(Hop(answer.status, url))


def origin_of(url: str) -> tuple[str, str]:
    """Scheme and host with port: what a secret or a pause belongs to."""
    parts = urllib.parse.urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()


def wait_asked_for(answer: Answer, now: float) -> float | None:
    """Seconds that an answer asks us to wait: a number or a date in Retry-After; None if it does not say."""
    return seconds_to_wait(answer.headers.get("retry-after"), now)


class _AsItComes(urllib.request.HTTPErrorProcessor):
    """Every status is an answer: nothing raises, and nothing is followed behind our back."""

    def http_response(
        self, request: urllib.request.Request, response: http.client.HTTPResponse
    ) -> http.client.HTTPResponse:
        return response

    https_response = http_response


def _ask_once(url: str, method: str, headers: Mapping[str, str], timeout_seconds: float, most_bytes: int) -> Answer:
    deadline = time.monotonic() + timeout_seconds
    try:
        request = urllib.request.Request(_ascii(url), method=method, headers={"User-Agent": USER_AGENT, **headers})
        with urllib.request.build_opener(_AsItComes).open(request, timeout=timeout_seconds) as response:
            found = {name.lower(): value for name, value in response.headers.items()}
            body = _read(response, deadline, most_bytes) if most_bytes and method != "HEAD" else b""
            return Answer(url, response.status, found, body, ())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise no_answer(error) from error


def _read(response: http.client.HTTPResponse, deadline: float, most_bytes: int) -> bytes:
    """The body, no longer than it may be and no later: a server may send a byte a minute."""
    parts, size = [], 0
    while part := response.read1(_CHUNK):
        size += len(part)
        if size > most_bytes:
            raise NoAnswer("broken", f"the answer is longer than {most_bytes:,} bytes")
        if time.monotonic() > deadline:
            raise TimeoutError
        parts.append(part)
    promised = response.headers.get("content-length", "")
    if promised.isdecimal() and size < int(promised):
        raise NoAnswer("reset", "the answer was cut off")
    return b"".join(parts)


def _ascii(url: str) -> str:
    """The address as it goes over the wire: what is not ASCII is escaped, what is escaped stays."""
    parts = urllib.parse.urlsplit(url)
    host = parts.netloc if parts.netloc.isascii() else parts.netloc.encode("idna").decode("ascii")
    path = urllib.parse.quote(parts.path, safe="/%:@!$&'()*+,;=~-._")
    query = urllib.parse.quote(parts.query, safe="/%:@!$&'()*+,;=~-._?[]")
    return urllib.parse.urlunsplit((parts.scheme, host, path, query, ""))


def _resolved(url: str, target: str) -> str:
    following = urllib.parse.urljoin(url, target)
    scheme = urllib.parse.urlsplit(following).scheme
    if scheme not in ("http", "https"):
        raise NoAnswer("broken", f"it redirects to something that is no web address ({scheme})")
    return following
