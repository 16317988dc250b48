"""Fetching one file from a server that drops, lies, refuses and redirects."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path
from typing import Any

import pytest

from deepfield_cli.datasets.errors import DatasetError, NotOffered
from deepfield_cli.datasets.listener import Listener
from deepfield_cli.datasets.transfer import Arrival, Order, Transfer
from tests.datasets.server import Server, Step, content

CONTENT = content(300_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Fetch:
    """One fetch into a folder, and what was told and waited for meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.part, self.notes = folder / "part", folder / "notes.json"
        self.told: list[str] = []
        self.pauses: list[float] = []

    def run(self, *urls: str, size: int | None = len(CONTENT), sha256: str | None = DIGEST) -> Arrival:
        listener = Listener(on_note=self.told.append)
        order = Order("words.bin", urls, size, sha256)
        return Transfer(order, self.part, self.notes, listener, self.pauses.append).run()

    def refusal(self, *urls: str, **options: Any) -> DatasetError:
        with pytest.raises(DatasetError) as caught:
            self.run(*urls, **options)
        assert "\n" not in str(caught.value)
        return caught.value

    def interrupted(self, server: Server, at: int, **options: Any) -> None:
        """Leave the first so many bytes here, as a killed process does."""
        (served,) = server.files.values()
        served.script = [Step(drop_after=at)]
        always, served.always = served.always, Step(status=503)
        self.refusal(server.url("/words.bin"), **options)
        served.always = always
        served.asked.clear()
        served.sent = 0
        assert self.part.stat().st_size == at


@pytest.fixture
def fetch(tmp_path: Path) -> Fetch:
    return Fetch(tmp_path)


def test_a_file_comes_whole(server: Server, fetch: Fetch) -> None:
    served = server.serve("/words.bin", CONTENT)
    arrival = fetch.run(server.url("/words.bin"))
    assert fetch.part.read_bytes() == CONTENT
    assert (arrival.sha256, arrival.told) == (DIGEST, None)
    assert served.sent == len(CONTENT)
    assert fetch.pauses == []


def test_progress_is_told_up_to_the_last_byte(server: Server, fetch: Fetch) -> None:
    server.serve("/words.bin", CONTENT)
    seen: list[tuple[int, int | None]] = []
    order = Order("words.bin", (server.url("/words.bin"),), None, None)
    Transfer(order, fetch.part, fetch.notes, Listener(on_bytes=lambda *amount: seen.append(amount))).run()
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert len({total for _, total in seen}) == 1


@pytest.mark.parametrize("known", [True, False])
def test_a_dropped_connection_goes_on_where_it_stopped(server: Server, fetch: Fetch, known: bool) -> None:
    served = server.serve("/words.bin", CONTENT, Step(drop_after=100_000), Step(drop_after=120_000))
    fetch.run(server.url("/words.bin"), **({} if known else {"size": None, "sha256": None}))
    assert fetch.part.read_bytes() == CONTENT
    assert served.sent == len(CONTENT)
    assert served.ranges_asked() == [None, "bytes=100000-", "bytes=220000-"]
    assert [headers["If-Range"] for headers in served.asked[1:]] == ['"one"'] * 2
    assert fetch.pauses == [1.0, 1.0]


def test_a_reset_connection_goes_on(server: Server, fetch: Fetch) -> None:
    """What was under way is lost; what arrived is kept, however much that is."""
    served = server.serve("/words.bin", CONTENT, Step(drop_after=200_000, reset=True))
    fetch.run(server.url("/words.bin"))
    assert fetch.part.read_bytes() == CONTENT
    assert len(served.asked) == 2
    assert len(fetch.pauses) == 1


def test_a_connection_that_always_breaks_is_given_up(server: Server, fetch: Fetch) -> None:
    served = server.serve("/words.bin", CONTENT, always=Step(drop_after=10))
    refusal = fetch.refusal(server.url("/words.bin"))
    assert "6 times in a row; 60 bytes are kept" in str(refusal)
    assert len(served.asked) == 6
    assert fetch.pauses == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert len(fetch.told) == 5


def test_a_connection_that_breaks_often_but_gets_on_is_not_given_up(server: Server, fetch: Fetch) -> None:
    large = content(2_000_000)
    served = server.serve("/words.bin", large, always=Step(drop_after=70_000))
    served.script = [Step(drop_after=70_000) for _ in range(28)]
    fetch.run(server.url("/words.bin"), size=len(large), sha256=None)
    assert fetch.part.read_bytes() == large
    assert set(fetch.pauses) == {1.0}


def test_an_interrupted_fetch_goes_on(server: Server, fetch: Fetch) -> None:
    served = server.serve("/words.bin", CONTENT)
    fetch.interrupted(server, 123_456)
    fetch.run(server.url("/words.bin"))
    assert fetch.part.read_bytes() == CONTENT
    assert served.sent == len(CONTENT) - 123_456


def test_interrupted_after_the_last_byte_nothing_is_asked_for(server: Server, fetch: Fetch) -> None:
    served = server.serve("/words.bin", CONTENT)
    fetch.part.write_bytes(CONTENT)
    fetch.run(server.url("/words.bin"))
    assert served.asked == []


def test_a_server_without_ranges_starts_again(server: Server, fetch: Fetch) -> None:
    served = server.serve("/words.bin", CONTENT, Step(drop_after=100_000), ranges=False)
    fetch.run(server.url("/words.bin"))
    assert fetch.part.read_bytes() == CONTENT
    assert served.sent == len(CONTENT) + 100_000
    assert any("starts again from the beginning" in note for note in fetch.told)


def test_a_server_without_ranges_that_always_drops_is_given_up(server: Server, fetch: Fetch) -> None:
    served = server.serve("/words.bin", CONTENT, always=Step(drop_after=200_000), ranges=False)
    assert "6 times in a row" in str(fetch.refusal(server.url("/words.bin")))
    assert len(served.asked) == 6


def test_a_new_version_replaces_what_was_here(server: Server, fetch: Fetch) -> None:
    served = server.serve("/words.bin", CONTENT)
    fetch.interrupted(server, 100_000, size=None, sha256=None)
    served.content, served.etag = content(250_000, seed=1), '"two"'
    fetch.run(server.url("/words.bin"), size=None, sha256=None)
    assert fetch.part.read_bytes() == served.content


@pytest.mark.parametrize("etag", [None, 'W/"one"'], ids=["none", "weak"])
def test_without_a_version_and_a_checksum_parts_are_not_put_together(
    server: Server, fetch: Fetch, etag: str | None
) -> None:
    served = server.serve("/words.bin", CONTENT, Step(drop_after=100_000), etag=etag)
    fetch.run(server.url("/words.bin"), size=None, sha256=None)
    assert served.ranges_asked() == [None, None]
    assert fetch.part.read_bytes() == CONTENT


def test_without_a_version_a_checksum_is_enough(server: Server, fetch: Fetch) -> None:
    served = server.serve("/words.bin", CONTENT, etag=None)
    fetch.interrupted(server, 100_000)
    fetch.run(server.url("/words.bin"))
    assert served.ranges_asked() == ["bytes=100000-"]
    assert served.asked[0]["If-Range"] is None


def test_a_damaged_part_is_fetched_again(server: Server, fetch: Fetch) -> None:
    served = server.serve("/words.bin", CONTENT)
    fetch.interrupted(server, 100_000)
    fetch.part.write_bytes(bytes(100_000))
    fetch.run(server.url("/words.bin"))
    assert fetch.part.read_bytes() == CONTENT
    assert served.ranges_asked() == ["bytes=100000-", None]
    assert any("does not fit the rest" in note for note in fetch.told)


def test_a_part_that_is_too_long_is_dropped(server: Server, fetch: Fetch) -> None:
    served = server.serve("/words.bin", CONTENT)
    fetch.part.write_bytes(CONTENT + b"more")
    fetch.run(server.url("/words.bin"))
    assert served.ranges_asked() == [None]


def test_notes_that_cannot_be_read_do_no_harm(server: Server, fetch: Fetch) -> None:
    server.serve("/words.bin", CONTENT)
    fetch.interrupted(server, 100_000)
    fetch.notes.write_bytes(b"\xff{")
    fetch.run(server.url("/words.bin"))
    assert fetch.part.read_bytes() == CONTENT


def test_a_range_from_another_place_is_not_appended(server: Server, fetch: Fetch) -> None:
    served = server.serve("/words.bin", CONTENT, Step(drop_after=100_000), Step(starts_at=50_000))
    fetch.run(server.url("/words.bin"))
    assert fetch.part.read_bytes() == CONTENT
    assert served.ranges_asked() == [None, "bytes=100000-", None]


def test_a_range_that_does_not_say_where_it_begins_is_not_appended(server: Server, fetch: Fetch) -> None:
    broken = Step(headers={"Content-Range": "bytes 100000-/"})
    server.serve("/words.bin", CONTENT, Step(drop_after=100_000), broken)
    fetch.run(server.url("/words.bin"))
    assert fetch.part.read_bytes() == CONTENT


def test_a_file_that_became_shorter_is_fetched_anew(server: Server, fetch: Fetch) -> None:
    served = server.serve("/words.bin", CONTENT)
    fetch.interrupted(server, 200_000, size=None, sha256=None)
    served.content = content(150_000, seed=1)
    fetch.run(server.url("/words.bin"), size=None, sha256=None)  # 416
    assert fetch.part.read_bytes() == served.content


def test_a_length_that_is_too_large_is_not_believed(server: Server, fetch: Fetch) -> None:
    """The connection ends early each time, at the same place."""
    server.serve("/words.bin", CONTENT, always=Step(claimed_length=len(CONTENT) + 1_000), ranges=False)
    refusal = fetch.refusal(server.url("/words.bin"), size=None, sha256=None)
    assert "1 kB before the end of the file" in str(refusal)


def test_a_length_that_contradicts_what_is_known_is_refused_at_once(server: Server, fetch: Fetch) -> None:
    served = server.serve("/words.bin", CONTENT, always=Step(claimed_length=len(CONTENT) - 1_000))
    refusal = fetch.refusal(server.url("/words.bin"))
    assert "299,000 bytes where words.bin has 300,000" in str(refusal)
    assert len(served.asked) == 1
    assert not fetch.part.exists()


def test_a_length_that_is_too_small_fails_the_checksum(server: Server, fetch: Fetch) -> None:
    server.serve("/words.bin", CONTENT, always=Step(claimed_length=len(CONTENT) - 1_000))
    refusal = fetch.refusal(server.url("/words.bin"), size=None)
    assert "what came is not words.bin" in str(refusal)
    assert not fetch.part.exists()


def test_more_than_promised_is_refused(server: Server, fetch: Fetch) -> None:
    server.serve("/words.bin", CONTENT, always=Step(chunked=True))
    refusal = fetch.refusal(server.url("/words.bin"), size=len(CONTENT) - 1)
    assert "sends more than the 299,999 bytes" in str(refusal)
    assert not fetch.part.exists()


@pytest.mark.parametrize("size", [len(CONTENT), None], ids=["known", "unknown"])
def test_chunks_without_a_length_arrive(server: Server, fetch: Fetch, size: int | None) -> None:
    server.serve("/words.bin", CONTENT, always=Step(chunked=True))
    fetch.run(server.url("/words.bin"), size=size)
    assert fetch.part.read_bytes() == CONTENT


def test_chunks_that_break_off_are_noticed(server: Server, fetch: Fetch) -> None:
    server.serve("/words.bin", CONTENT, Step(chunked=True, drop_after=100_000), Step(chunked=True))
    fetch.run(server.url("/words.bin"), size=None, sha256=None)
    assert fetch.part.read_bytes() == CONTENT
    assert len(fetch.pauses) == 1


def test_a_body_without_any_length_is_compared_with_the_known_size(server: Server, fetch: Fetch) -> None:
    server.serve("/words.bin", CONTENT, Step(unframed=True, drop_after=100_000), Step(unframed=True))
    fetch.run(server.url("/words.bin"))
    assert fetch.part.read_bytes() == CONTENT


def test_a_wrong_checksum_leaves_nothing(server: Server, fetch: Fetch) -> None:
    served = server.serve("/words.bin", content(len(CONTENT), seed=1))
    refusal = fetch.refusal(server.url("/words.bin"))
    assert isinstance(refusal, NotOffered)
    assert DIGEST[:12] in str(refusal)
    assert len(served.asked) == 1
    assert list(fetch.part.parent.iterdir()) == []


def test_the_next_address_is_tried(server: Server, fetch: Fetch) -> None:
    server.serve("/wrong.bin", content(len(CONTENT), seed=1))
    server.serve("/words.bin", CONTENT)
    arrival = fetch.run(server.url("/gone.bin"), server.url("/wrong.bin"), server.url("/words.bin"))
    assert arrival.url == server.url("/words.bin")
    assert len(fetch.told) == 2


def test_if_no_address_helps_the_first_is_told(server: Server, fetch: Fetch) -> None:
    server.serve("/wrong.bin", content(len(CONTENT), seed=1))
    refusal = fetch.refusal(server.url("/gone.bin"), server.url("/wrong.bin"))
    assert "there is no such file on the server (404)" in str(refusal)


def test_a_part_from_one_address_is_completed_from_another(server: Server, fetch: Fetch) -> None:
    server.serve("/one.bin", CONTENT, Step(drop_after=100_000), always=Step(status=404))
    other = server.serve("/other.bin", CONTENT, etag='"other"')
    fetch.run(server.url("/one.bin"), server.url("/other.bin"))
    assert other.ranges_asked() == ["bytes=100000-"]
    assert other.sent == len(CONTENT) - 100_000
    assert fetch.part.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (404, "there is no such file on the server (404)"),
        (410, "there is no such file on the server (410)"),
        (401, "does not give it out (401, unauthorized)"),
        (403, "does not give it out (403, forbidden)"),
        (418, "the server answers 418"),
        (204, "gives no file"),
        (300, "the server answers 300"),
    ],
)
def test_a_refusal_is_told_and_not_repeated(server: Server, fetch: Fetch, status: int, words: str) -> None:
    served = server.serve("/words.bin", CONTENT, always=Step(status=status))
    refusal = fetch.refusal(server.url("/words.bin"))
    assert words in str(refusal)
    assert server.url("/words.bin") in str(refusal)
    assert len(served.asked) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_server_in_trouble_is_asked_again(server: Server, fetch: Fetch, status: int) -> None:
    served = server.serve("/words.bin", CONTENT, Step(status=status), Step(status=status))
    fetch.run(server.url("/words.bin"))
    assert len(served.asked) == 3
    assert fetch.pauses == [1.0, 2.0]


def test_a_server_that_stays_in_trouble_is_given_up(server: Server, fetch: Fetch) -> None:
    server.serve("/words.bin", CONTENT, always=Step(status=503))
    assert "the server answers 503 (service unavailable), 6 times in a row" in str(
        fetch.refusal(server.url("/words.bin"))
    )


def test_the_servers_own_wish_is_waited_for(server: Server, fetch: Fetch) -> None:
    server.serve("/words.bin", CONTENT, Step(status=429, headers={"Retry-After": "7"}))
    fetch.run(server.url("/words.bin"))
    assert fetch.pauses == [7.0]


def test_a_wish_for_an_hour_is_told(server: Server, fetch: Fetch) -> None:
    server.serve("/words.bin", CONTENT, Step(status=429, headers={"Retry-After": "3600"}))
    assert "asks to come back in 3,600 s" in str(fetch.refusal(server.url("/words.bin")))
    assert fetch.pauses == []


def test_a_server_may_name_the_moment(server: Server, fetch: Fetch) -> None:
    never = {"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}
    server.serve("/words.bin", CONTENT, Step(status=503, headers=never))
    assert "asks to come back in 31,536,000 s" in str(fetch.refusal(server.url("/words.bin")))
    past = {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}
    server.serve("/words.bin", CONTENT, Step(status=503, headers=past))
    fetch.run(server.url("/words.bin"))
    assert fetch.pauses == [1.0]


def test_a_number_of_thousands_of_digits_is_none(server: Server, fetch: Fetch) -> None:
    server.serve("/words.bin", CONTENT, Step(status=416, headers={"Content-Range": f"bytes */{'9' * 5000}"}))
    fetch.run(server.url("/words.bin"))
    assert fetch.part.read_bytes() == CONTENT


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(server: Server, fetch: Fetch, status: int) -> None:
    server.serve("/words.bin", b"", always=Step(status=status, headers={"Location": "/here/words.bin"}))
    real = server.serve("/here/words.bin", CONTENT, Step(drop_after=100_000))
    arrival = fetch.run(server.url("/words.bin"))
    assert real.ranges_asked() == [None, "bytes=100000-"]
    assert arrival.url == server.url("/words.bin")


def test_redirects_in_circles_end(server: Server, fetch: Fetch) -> None:
    server.serve("/words.bin", b"", always=Step(status=302, headers={"Location": "/words.bin"}))
    assert "redirects in circles" in str(fetch.refusal(server.url("/words.bin")))


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/words.bin", "http://a..b/words.bin"])
def test_redirects_lead_to_web_servers_only(server: Server, fetch: Fetch, target: str) -> None:
    server.serve("/words.bin", b"", always=Step(status=302, headers={"Location": target}))
    fetch.refusal(server.url("/words.bin"))
    assert not fetch.part.exists()


def test_the_first_server_may_name_the_checksum(server: Server, fetch: Fetch) -> None:
    told = {"Location": "/lfs", "X-Linked-ETag": f'"{DIGEST}"', "X-Linked-Size": str(len(CONTENT))}
    server.serve("/words.bin", b"", always=Step(status=302, headers=told))
    server.serve("/lfs", CONTENT, etag=None)
    arrival = fetch.run(server.url("/words.bin"), sha256=None)
    assert arrival.told == DIGEST


def test_a_checksum_that_the_server_names_is_held_against_it(server: Server, fetch: Fetch) -> None:
    told = {"Location": "/lfs", "X-Linked-ETag": f'"{DIGEST}"'}
    server.serve("/words.bin", b"", always=Step(status=302, headers=told))
    server.serve("/lfs", content(len(CONTENT), seed=1))
    assert "which is on the server" in str(fetch.refusal(server.url("/words.bin"), sha256=None))
    assert not fetch.part.exists()


@pytest.mark.parametrize("named", ['"607a30d783dfa663caf39e06633721c8d4cfcd7e"', "W/", ""])
def test_other_names_of_versions_are_no_checksums(server: Server, fetch: Fetch, named: str) -> None:
    server.serve("/words.bin", CONTENT, headers={"X-Linked-ETag": named})
    assert fetch.run(server.url("/words.bin"), sha256=None).told is None


def test_a_login_page_is_no_file(server: Server, fetch: Fetch) -> None:
    server.serve("/words.bin", CONTENT, headers={"Content-Type": "text/html; charset=utf-8"})
    assert "answers with a web page" in str(fetch.refusal(server.url("/words.bin"), size=None, sha256=None))
    assert not fetch.part.exists()


def test_a_packed_body_is_refused(server: Server, fetch: Fetch) -> None:
    server.serve("/words.bin", CONTENT, headers={"Content-Encoding": "gzip"})
    assert "packed (gzip)" in str(fetch.refusal(server.url("/words.bin")))


def test_what_is_no_http_is_told(server: Server, fetch: Fetch) -> None:
    server.serve("/words.bin", CONTENT, always=Step(garbage=b"SSH-2.0-OpenSSH\r\n\r\n"))
    assert "does not speak HTTP" in str(fetch.refusal(server.url("/words.bin")))


def test_nobody_there_is_told_quickly(fetch: Fetch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/words.bin"  # bound, but nobody listens
        refusal = fetch.refusal(url)
    assert "127.0.0.1: nobody listens there, 2 times in a row" in str(refusal)
    assert fetch.pauses == [1.0]


def test_no_network_is_told_quickly(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name server is asked nothing here: on some machines without a network it takes a minute to say so."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    refusal = fetch.refusal("https://huggingface.co/words.bin")
    assert "huggingface.co: the host's name cannot be looked up, 2 times in a row" in str(refusal)
    assert "when the network is back" in str(refusal)
    assert fetch.pauses == [1.0]


def test_a_silent_server_is_asked_again(server: Server, fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    from deepfield_cli.datasets import web

    monkeypatch.setattr(web, "_SECONDS_WITHOUT_A_BYTE", 0.3)
    never = threading.Event()
    server.serve("/words.bin", CONTENT, Step(wait_for=never))
    fetch.run(server.url("/words.bin"))
    never.set()
    assert fetch.part.read_bytes() == CONTENT
    assert any("no answer in time" in note for note in fetch.told)
