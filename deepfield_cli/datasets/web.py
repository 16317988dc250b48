"""One request to a web server, and what its answer promises: how long the file is, which version, which digest."""

from __future__ import annotations

import http.client
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from typing import IO, Any
from urllib.parse import urlsplit

from deepfield_cli import __version__
from deepfield_cli.datasets.errors import NotOffered
from deepfield_cli.network import NoAnswer, Silence, no_answer, seconds_to_wait

# No byte for so long: the connection is dead, whatever it says.
_SECONDS_WITHOUT_A_BYTE = 30.0
# A server that asks for more patience than this is not waited for.
_LONGEST_WAIT_SECONDS = 120.0
_PASSING_CODES = {408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524}
# Nobody is there: the server will not be there a second later either.
_NOBODY_THERE: tuple[Silence, ...] = ("name", "no-network", "refused")
# Asked again, it will be the same.
_FOR_GOOD: tuple[Silence, ...] = ("certificate", "address")
# A size of more digits is none, and Python reads no number of thousands of them.
_MOST_DIGITS = 18
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


class Passing(Exception):
    """It did not work, but may work if asked again; ``wait_seconds`` is the server's own wish, if it has one."""

    def __init__(self, reason: str, *, wait_seconds: float | None = None, offline: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait_seconds = wait_seconds
        self.offline = offline


class RangeRefused(Exception):
    """The server does not have the bytes from there on; ``total`` is the size that it gives instead."""

    def __init__(self, total: int | None) -> None:
        super().__init__(total)
        self.total = total


@dataclass(frozen=True, slots=True)
class Offer:
    """What the head of an answer promises.

    Attributes:
        start: the first byte that comes; 0 unless a range was asked for and given.
        total: size of the whole file; None if the server does not say.
        validator: the version, for If-Range: a strong ETag, else the date of the last change; None if there is neither.
        sha256: the digest, if the server names it.

    """

    start: int
    total: int | None
    validator: str | None
    sha256: str | None


@dataclass
class Answer:
    """An answer that has begun to arrive."""

    offer: Offer
    _body: Any = field(repr=False)

    def blocks(self, size: int) -> Iterator[bytes]:
        """The bytes as they come; raise Passing when the connection breaks."""
        while block := self._next(size):
            yield block

    def _next(self, size: int) -> bytes:
        with _network():
            block: bytes = self._body.read1(size)
            return block


@contextmanager
def ask(url: str, start: int = 0, validator: str | None = None) -> Iterator[Answer]:
    """Ask for a file from byte ``start`` on.

    Raises Passing if it may help to ask again, NotOffered if not, RangeRefused if there is nothing from there on.
    """
    redirects = _Redirects()
    with _network():
        body = _opener(redirects).open(_request(url, start, validator), timeout=_SECONDS_WITHOUT_A_BYTE)
    with body:
        _require_file(body.status, body.headers, url)
        yield Answer(_offer(body.status, body.headers, redirects.linked), body)


def _require_file(status: int, headers: Message, url: str) -> None:
    packing = headers.get("Content-Encoding", "identity")
    if packing != "identity":
        raise NotOffered(f"the server sends it packed ({packing})", where=url)
    if status not in (http.client.OK, http.client.PARTIAL_CONTENT):
        raise NotOffered(f"the server answers {status} and gives no file", where=url)
    if headers.get_content_type() == "text/html":
        raise NotOffered(
            "the server answers with a web page",
            where=url,
            fix="does this network ask for a login in the browser first?",
        )


def _request(url: str, start: int, validator: str | None) -> urllib.request.Request:
    headers = {"User-Agent": f"deepfield/{__version__}", "Accept": "*/*", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if validator:
            headers["If-Range"] = validator
    return urllib.request.Request(url, headers=headers)


def _opener(redirects: _Redirects) -> urllib.request.OpenerDirector:
    """Knows http and https and nothing else: no redirect leads to a file of this machine."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        redirects,
    ):
        opener.add_handler(handler)
    return opener


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never from https to http, and keeps what the first server says of the file."""

    def __init__(self) -> None:
        self.linked: dict[str, str] = {}

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """The next request."""
        if urlsplit(req.full_url).scheme == "https" and urlsplit(newurl).scheme != "https":
            raise NotOffered("the server redirects to an address that is not https", where=req.full_url)
        self.linked.update({name.lower(): value for name, value in headers.items()})
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _offer(status: int, headers: Message, linked: dict[str, str]) -> Offer:
    start, total = 0, _number(headers.get("Content-Length"))
    if status == http.client.PARTIAL_CONTENT:
        start, total = _range(headers.get("Content-Range", ""))
    return Offer(start, total, _validator(headers), _digest({**linked, **{k.lower(): v for k, v in headers.items()}}))


def _range(header: str) -> tuple[int, int | None]:
    match = _CONTENT_RANGE.fullmatch(header.strip())
    if match is None or match[1] is None:
        raise Passing(f'the server gives a part of the file without saying which ("{header}")')
    return int(match[1]), _number(match[3])


def _validator(headers: Message) -> str | None:
    """A weak ETag names a meaning, not bytes: a file must not be put together from two of them."""
    etag = headers.get("ETag", "")
    if etag.startswith('"'):
        return str(etag)
    return headers.get("Last-Modified")


def _digest(headers: dict[str, str]) -> str | None:
    """Hugging Face names the SHA-256 of what it keeps in LFS in a header of its first answer (X-Linked-ETag)."""
    named = headers.get("x-linked-etag", "").strip('"')
    return named if _SHA256.fullmatch(named) else None


def _number(text: str | None) -> int | None:
    return int(text) if text and len(text) <= _MOST_DIGITS and text.isascii() and text.isdigit() else None


@contextmanager
def _network() -> Iterator[None]:
    """Sort what the network says into what may pass and what will not."""
    try:
        yield
    except urllib.error.HTTPError as error:
        with error:
            raise _of_status(error) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _of_silence(no_answer(error)) from error


def _of_status(error: urllib.error.HTTPError) -> Exception:
    code, words = error.code, http.client.responses.get(error.code, "").lower()
    if code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
        match = _CONTENT_RANGE.fullmatch((error.headers.get("Content-Range") or "").strip())
        return RangeRefused(_number(match[3]) if match else None)
    if code in _PASSING_CODES:
        wish = seconds_to_wait(error.headers.get("Retry-After"), time.time())
        if wish is None or wish <= _LONGEST_WAIT_SECONDS:
            return Passing(f"the server answers {code} ({words})", wait_seconds=wish)
        later = f"the server answers {code} ({words}) and asks to come back in {wish:,.0f} s"
        return NotOffered(later, where=error.url)
    if code in (404, 410):
        return NotOffered(f"there is no such file on the server ({code})", where=error.url)
    if code in (401, 403):
        return NotOffered(f"the server does not give it out ({code}, {words})", where=error.url)
    if code in (301, 302, 303, 307, 308):
        return NotOffered("the server redirects in circles, or to nowhere", where=error.url)
    return NotOffered(f"the server answers {code} ({words})", where=error.url)


def _of_silence(answer: NoAnswer) -> Exception:
    if answer.silence in _FOR_GOOD:
        return NotOffered(answer.words)
    return Passing(answer.words, offline=answer.silence in _NOBODY_THERE)
