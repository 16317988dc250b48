"""Links are asked for politely, and what became of each is told apart; nothing is called dead that only fell silent."""

from __future__ import annotations

import threading
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from deepfield_cli.content.road import open_roadmap
from deepfield_cli.errors import DeepfieldError
from deepfield_cli.summit import link_check
from deepfield_cli.summit.link_check import LinkReport, Manners, Offline, check_links
from deepfield_cli.summit.linked import Link, Source, gather_links
from tests.summit.server import Asked, Reply, Service

QUICK = Manners(timeout_seconds=5.0, pause_seconds=0.0)


def link(url: str, name: str = "thing") -> Link:
    return Link(url, (Source(name, "resource", "curriculum"),))


def report_on(url: str, manners: Manners = QUICK) -> LinkReport:
    (report,) = check_links([link(url)], manners)
    return report


def test_every_address_of_the_road_is_asked_for_once() -> None:
    links = gather_links()
    urls = [one.url for one in links]
    assert len(urls) == len(set(urls)) > 300
    assert not any("#" in url for url in urls)
    roadmap = open_roadmap()
    resource = roadmap.resources["attention-is-all-you-need"]
    (found,) = gather_links(["attention-is-all-you-need"])
    source = next(source for source in found.sources if source.kind == "resource")
    assert (found.url, source.checked, source.verified) == (resource.url, resource.checked, True)
    assert {source.kind for one in links for source in one.sources} == {
        "resource", "person", "target", "flagship", "problem",
    }  # fmt: skip
    everything = {address.url for one in roadmap.resources.values() for address in one.addresses()}
    assert {url.partition("#")[0] for url in everything} <= set(urls)


def test_an_id_that_leads_nowhere_is_named() -> None:
    with pytest.raises(DeepfieldError, match='did you mean "minbpe"'):
        gather_links(["minbep"])


@pytest.mark.parametrize(
    ("replies", "state", "status"),
    [
        ([Reply()], "alive", 200),
        ([Reply(404)], "dead", 404),
        ([Reply(410)], "dead", 410),
        ([Reply(403)], "refused", 403),
        ([Reply(999)], "unreachable", 999),
        ([Reply(500)], "unreachable", 500),
        ([Reply(429)], "refused", 429),
        ([Reply(reset=True)], "unreachable", None),
        ([Reply(reset=True), Reply()], "alive", 200),
        ([Reply(429, {"Retry-After": "0"}), Reply()], "alive", 200),
        ([Reply(503, {"Retry-After": formatdate(0, usegmt=True)}), Reply()], "alive", 200),
        ([Reply(429, {"Retry-After": "86400"}), Reply(429, {"Retry-After": "86400"}), Reply()], "refused", 429),
    ],
)
def test_what_becomes_of_a_link(service: Service, replies: list[Reply], state: str, status: int | None) -> None:
    service.says("/x", *replies)
    report = report_on(f"{service.url}/x")
    assert (report.state, report.status) == (state, status)
    assert bool(report.words) == (state != "alive")


@pytest.mark.parametrize("status", [403, 404, 405, 501])
def test_a_server_that_answers_get_alone(service: Service, status: int) -> None:
    service.says("HEAD /x", Reply(status))
    service.says("GET /x", Reply(body=b"here"))
    assert report_on(f"{service.url}/x").state == "alive"
    assert [request.method for request in service.asked] == ["HEAD", "GET"]


@pytest.mark.parametrize(
    ("first", "second", "state"),
    [(301, 308, "moved"), (301, 302, "alive"), (302, 301, "alive"), (307, 303, "alive")],
)
def test_only_what_moved_for_good_has_moved(service: Service, first: int, second: int, state: str) -> None:
    service.says("/old", Reply(first, {"Location": "/between"}))
    service.says("/between", Reply(second, {"Location": "/new"}))
    service.says("/new", Reply())
    report = report_on(f"{service.url}/old")
    assert (report.state, report.now_at) == (state, f"{service.url}/new" if state == "moved" else None)


def test_a_slash_at_the_end_is_no_move_and_a_move_to_nowhere_is_dead(service: Service) -> None:
    service.says("/page", Reply(301, {"Location": "/page/"}))
    service.says("/page/", Reply())
    service.says("/lost", Reply(301, {"Location": "/nowhere"}))
    assert report_on(f"{service.url}/page").state == "alive"
    assert report_on(f"{service.url}/lost").state == "dead"


def test_a_host_that_is_too_slow_is_asked_twice_and_called_unreachable(service: Service) -> None:
    service.says("/fine", Reply())
    service.says("/slow", Reply(silent=True))
    links = [link(f"{service.url}/fine"), link(f"{service.url}/slow")]
    fine, slow = check_links(links, Manners(timeout_seconds=0.05, pause_seconds=0.0))
    assert (fine.state, slow.state, slow.words) == ("alive", "unreachable", "no answer in time")
    assert service.paths().count("/slow") == 2


def test_films_are_asked_for_where_the_host_knows_them(monkeypatch: pytest.MonkeyPatch, service: Service) -> None:
    monkeypatch.setattr(link_check, "_ABOUT_FILM", f"{service.url}/oembed?url=")
    assert report_on("https://www.youtube.com/watch?v=gone").state == "dead"
    assert service.paths() == ["/oembed?url=https%3A%2F%2Fwww.youtube.com%2Fwatch%3Fv%3Dgone"]


class Clock:
    """Time that passes only while somebody sleeps; each sleep is written down."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def rest(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_a_host_gets_its_pause_and_the_wait_that_it_asks_for(monkeypatch: pytest.MonkeyPatch, service: Service) -> None:
    clock = Clock()
    monkeypatch.setattr(link_check, "time", clock)
    monkeypatch.setattr(link_check._Walk, "rest", lambda walk, seconds: clock.rest(seconds))
    service.says("/busy", Reply(429, {"Retry-After": "30"}), Reply(429, {"Retry-After": "30"}), Reply())
    for name in ("/a", "/b"):
        service.says(name, Reply())
    links = [link(f"{service.url}{name}") for name in ("/a", "/b", "/busy")]
    reports = check_links(links, Manners(timeout_seconds=5.0, pause_seconds=1.0))
    assert [report.state for report in reports] == ["alive"] * 3
    # before a, b, busy, busy again, and busy as GET
    assert clock.slept == [0.0, 1.0, 1.0, 30.0, 1.0]


class Counting(Service):
    """Notes how many requests were under way at once; each waits until the host has nothing else to do."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.inside = 0
        self.most_inside = 0
        self._door = threading.Lock()

    def reply_to(self, request: Asked) -> Reply:
        with self._door:
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
        time.sleep(0.01)
        with self._door:
            self.inside -= 1
        return super().reply_to(request)


def test_no_host_is_asked_two_things_at_a_time(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(service.url)
    from tests.summit import server

    monkeypatch.setitem(server._Handler.services, int(service.url.rpartition(":")[2]), counting)
    links = [link(f"{service.url}/{number}") for number in range(12)]
    assert {report.state for report in check_links(links, QUICK)} == {"dead"}
    assert (counting.most_inside, len(counting.asked)) == (1, 24)


def test_without_a_network_it_stops_after_a_few_hosts() -> None:
    # names that end in .invalid never exist (RFC 2606), which is how a machine without a network sees every name
    links = [link(f"http://host{number}.invalid/") for number in range(200)]
    seen: list[LinkReport] = []
    with pytest.raises(Offline, match="no network"):
        check_links(links, Manners(at_a_time=2, pause_seconds=0.0), seen.append)
    assert len(seen) < 20


def test_an_interruption_waits_for_nobody(service: Service) -> None:
    service.says("/a", Reply())
    service.says("/b", Reply(429, {"Retry-After": "3600"}))

    def interrupt(report: LinkReport) -> None:
        raise KeyboardInterrupt

    links = [link(f"{service.url}/b"), link(f"{service.url.replace('127.0.0.1', 'localhost')}/a")]
    with pytest.raises(KeyboardInterrupt):  # and not in an hour
        check_links(links, Manners(pause_seconds=0.0, longest_wait_seconds=7200.0), interrupt)


def test_hosts_that_are_gone_are_no_missing_network_where_others_answer(service: Service) -> None:
    service.says("/x", Reply())
    links = [link(f"{service.url}/x"), *(link(f"http://host{number}.invalid/") for number in range(6))]
    reports = check_links(links, Manners(at_a_time=1, pause_seconds=0.0))
    assert [report.state for report in reports] == ["alive"] + ["unreachable"] * 6


@pytest.fixture
def linked_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: Service) -> Path:
    """A pack with one problem, whose reading list stands on the loopback."""
    source = Path(__file__).parent.parent / "packs" / "tiny" / "problems" / "tiny" / "mean"
    folder = tmp_path / "pack" / "problems" / "tiny" / "mean"
    folder.mkdir(parents=True)
    text = (source / "problem.yaml").read_text(encoding="utf-8")
    assert "resources" not in text
    rows = "".join(
        f"  - {{title: {name}, url: '{service.url}/{name}', kind: paper}}\n" for name in ("fine", "gone", "old")
    )
    (folder / "problem.yaml").write_text(f"{text}\nresources:\n{rows}", encoding="utf-8")
    monkeypatch.setenv("DEEPFIELD_PACKS", str(tmp_path / "pack"))
    return folder


def test_the_command(run_cli: Any, service: Service, linked_pack: Path, tmp_path: Path) -> None:
    import json

    service.says("/fine", Reply())
    service.says("/gone", Reply(404))
    service.says("/old", Reply(301, {"Location": "/fine"}))
    told = run_cli("dev", "links", "tiny/mean", "--json", "--pause", "0", cwd=tmp_path)
    document = json.loads(told.stdout)
    assert told.returncode == 1
    assert [(one["url"].rpartition("/")[2], one["state"], one["now_at"]) for one in document["links"]] == [
        ("fine", "alive", None), ("gone", "dead", None), ("old", "moved", f"{service.url}/fine"),
    ]  # fmt: skip
    assert document["links"][1]["sources"][0]["id"] == "tiny/mean"
    assert document["counts"] == {"alive": 1, "moved": 1, "dead": 1, "refused": 0, "unreachable": 0}
    shown = run_cli("dev", "links", "tiny/mean", "--pause", "0", cwd=tmp_path)
    assert shown.returncode == 1
    for words in ("dead", "tiny/mean", f"{service.url}/gone", "moved", "1 dead"):
        assert words in shown.stdout
    service.says("/gone", Reply())
    assert run_cli("dev", "links", "tiny/mean", "--pause", "0", cwd=tmp_path).returncode == 0


def test_the_command_without_a_network(run_cli: Any, linked_pack: Path, tmp_path: Path) -> None:
    path = linked_pack / "problem.yaml"
    text = path.read_text(encoding="utf-8")
    import re

    path.write_text(re.sub(r"http://127.0.0.1:\d+/(\w+)", r"http://\1.invalid/", text), encoding="utf-8")
    told = run_cli("dev", "links", "tiny/mean", "--pause", "0", cwd=tmp_path)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.startswith("deepfield: no network") and told.stderr.count("\n") == 1
