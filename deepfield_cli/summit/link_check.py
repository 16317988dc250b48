"""Asking whether links still lead somewhere, as a polite guest: a host is asked one thing at a time, with pauses."""

from __future__ import annotations

import re
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Literal

from deepfield_cli.errors import DeepfieldError
from deepfield_cli.network import NoAnswer
from deepfield_cli.summit.linked import Link
from deepfield_cli.summit.web import PERMANENT, Answer, ask, wait_asked_for

State = Literal["alive", "moved", "dead", "refused", "unreachable"]

# Seconds between two requests to one host. A second is what crawlers grant a host that asks for nothing; arXiv asks
# for three in its terms for programs.
PAUSE_SECONDS = 1.0
_PAUSES = {"arxiv.org": 3.0, "export.arxiv.org": 3.0}
# A host may ask us to come back later; for longer than this it is told as refused, and the next run asks again.
LONGEST_WAIT_SECONDS = 60.0
_DEAD = frozenset({404, 410})
# Many servers answer GET and not HEAD, or not to programs that only ask for the head.
_NOT_HEAD = frozenset({400, 401, 403, 404, 405, 406, 429, 500, 501, 503})
_LATER = frozenset({429, 503})
# A page of a film that is gone answers 200 like any other; this address of the same host knows.
_FILM = re.compile(r"https?://(www\.)?(youtube\.com/(watch|playlist)\?|youtu\.be/).+")
_ABOUT_FILM = "https://www.youtube.com/oembed?format=json&url="
# So many hosts in a row without any answer, and none before: then it is this machine that has no network.
HOSTS_UNTIL_OFFLINE = 3


@dataclass(frozen=True, slots=True)
class LinkReport:
    """What became of one link.

    Attributes:
        link: the link.
        state: alive; moved for good; dead (404, 410); refused (answers, but not to programs); unreachable.
        status: the last HTTP status; None if there was no answer.
        words: what happened, where it is not plain alive.
        now_at: where it is now, if it has moved.

    """

    link: Link
    state: State
    status: int | None = None
    words: str = ""
    now_at: str | None = None


@dataclass(frozen=True, slots=True)
class Manners:
    """How links are asked for.

    Attributes:
        timeout_seconds: how long one answer is waited for.
        at_a_time: how many hosts are asked at once.
        pause_seconds: least time between two requests to one host.
        longest_wait_seconds: the longest wait that a host may ask for.

    """

    timeout_seconds: float = 20.0
    at_a_time: int = 8
    pause_seconds: float = PAUSE_SECONDS
    longest_wait_seconds: float = LONGEST_WAIT_SECONDS


class Offline(DeepfieldError):
    """There is no network."""


def check_links(
    links: Iterable[Link], manners: Manners, on_report: Callable[[LinkReport], None] = lambda report: None
) -> tuple[LinkReport, ...]:
    """Ask for every link; the reports come in the order of the links.

    Raises:
        Offline: none of the first hosts could be reached.

    """
    wanted = tuple(links)
    walk = _Walk(manners, on_report)
    with ThreadPoolExecutor(manners.at_a_time) as pool:
        try:
            for done in as_completed([pool.submit(walk.ask_host, links) for links in _by_host(wanted).values()]):
                walk.reports.update({report.link.url: report for report in done.result()})
        except BaseException:  # Ctrl-C: nobody waits for what the threads are still at
            walk.stopped.set()
            raise
    if walk.stopped.is_set() or _all_silent(walk):
        raise Offline("no network: no host of these links can be reached", fix="run it again when there is one")
    return tuple(walk.reports[link.url] for link in wanted)


class _Walk:
    """One round over all hosts; each host belongs to one thread, so that nobody asks it twice at a time."""

    def __init__(self, manners: Manners, on_report: Callable[[LinkReport], None]) -> None:
        self.manners = manners
        self.stopped = threading.Event()
        self.reports: dict[str, LinkReport] = {}
        self.silent_hosts = 0
        self.answered = False
        self._on_report = on_report
        self._lock = threading.Lock()

    def ask_host(self, links: list[Link]) -> list[LinkReport]:
        """Every link of one host, one after the other."""
        host = _Host(urllib.parse.urlsplit(links[0].url).hostname or "", self.manners, self.rest)
        reports: list[LinkReport] = []
        for link in links:
            if self.stopped.is_set():
                return []
            report, silent = host.report(link)
            self._note(report, silent=silent, first=not reports)
            reports.append(report)
        return reports

    def rest(self, seconds: float) -> None:
        """Let a host rest, unless the walk has ended."""
        self.stopped.wait(seconds)

    def _note(self, report: LinkReport, *, silent: bool, first: bool) -> None:
        with self._lock:
            self.answered = self.answered or not silent
            self.silent_hosts += int(silent and first)
            if not self.answered and self.silent_hosts >= HOSTS_UNTIL_OFFLINE:
                self.stopped.set()
            self._on_report(report)


class _Host:
    """One host, and when it may be asked again."""

    def __init__(self, name: str, manners: Manners, rest: Callable[[float], None]) -> None:
        self._manners = manners
        self._rest = rest
        self._pause = max(manners.pause_seconds, _PAUSES.get(name, 0.0) if manners.pause_seconds else 0.0)
        self._free_at = 0.0

    def report(self, link: Link) -> tuple[LinkReport, bool]:
        """What became of a link, and whether it was a silence that a machine without a network would meet."""
        try:
            return _judged(link, self._ask(link.url)), False
        except NoAnswer as silence:
            return LinkReport(link, "unreachable", words=silence.words), silence.may_be_offline

    def _ask(self, url: str) -> Answer:
        if _FILM.fullmatch(url):
            return self._ask_patiently(_ABOUT_FILM + urllib.parse.quote(url, safe=""), "GET")
        answer = self._ask_patiently(url, "HEAD")
        return self._ask_patiently(url, "GET") if answer.status in _NOT_HEAD else answer

    def _ask_patiently(self, url: str, method: str) -> Answer:
        """Once more after a silence that may pass, and once more after the wait that the host asks for."""
        try:
            answer = self._ask_in_turn(url, method)
        except NoAnswer as silence:
            if silence.silence not in ("timeout", "reset"):
                raise
            return self._ask_in_turn(url, method)
        wait = wait_asked_for(answer, time.time()) if answer.status in _LATER else None
        if wait is None or wait > self._manners.longest_wait_seconds:
            return answer
        self._free_at = time.monotonic() + wait
        return self._ask_in_turn(url, method)

    def _ask_in_turn(self, url: str, method: str) -> Answer:
        self._rest(max(self._free_at - time.monotonic(), 0.0))
        try:
            return ask(url, method=method, timeout_seconds=self._manners.timeout_seconds, with_body=False)
        finally:
            self._free_at = time.monotonic() + self._pause


def _judged(link: Link, answer: Answer) -> LinkReport:
    status = answer.status
    if status in _DEAD:
        return LinkReport(link, "dead", status, f"answers {status}")
    if status in _LATER:
        return LinkReport(link, "refused", status, "asks us to come back later")
    if 400 <= status < 500:
        return LinkReport(link, "refused", status, f"answers {status}, perhaps only to programs")
    if status >= 500:
        return LinkReport(link, "unreachable", status, f"answers {status}: the server is in trouble")
    moved = bool(answer.hops) and all(hop.status in PERMANENT for hop in answer.hops)
    if moved and not _same_page(link.url, answer.url):
        return LinkReport(link, "moved", status, "moved for good", answer.url)
    return LinkReport(link, "alive", status)


def _same_page(url: str, other: str) -> bool:
    """A slash at the end, and nothing else, is not a move."""
    return url.rstrip("/") == other.rstrip("/")


def _all_silent(walk: _Walk) -> bool:
    """Fewer hosts than it takes to be sure while walking, and none of them could be reached."""
    return bool(walk.reports) and not walk.answered


def _by_host(links: Iterable[Link]) -> Mapping[str, list[Link]]:
    hosts: dict[str, list[Link]] = {}
    for link in links:
        hosts.setdefault(urllib.parse.urlsplit(link.url).netloc.lower(), []).append(link)
    # the longest list first: it takes longest, and should not begin last
    return dict(sorted(hosts.items(), key=lambda item: -len(item[1])))
