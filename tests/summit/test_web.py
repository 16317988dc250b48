"""A request to the outside: what comes back is an answer, and each silence has its name."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from deepfield_cli.network import NoAnswer
from deepfield_cli.summit.web import Answer, ask, wait_asked_for
from tests.summit.server import Reply, Service


def silence_of(url: str, **options: float) -> str:
    with pytest.raises(NoAnswer) as caught:
        ask(url, timeout_seconds=options.get("timeout_seconds", 20.0), most_bytes=int(options.get("most_bytes", 999)))
    return caught.value.silence


@pytest.mark.parametrize("status", [200, 204, 403, 404, 429, 500, 599])
def test_every_status_is_an_answer(service: Service, status: int) -> None:
    service.says("/x", Reply(status, {"X-Word": "told"}, b"" if status == 204 else b"body"))
    answer = ask(f"{service.url}/x")
    assert (answer.status, answer.headers["x-word"]) == (status, "told")
    assert answer.body == (b"" if status == 204 else b"body")


def test_redirects_are_followed_and_told(service: Service, other_service: Service) -> None:
    service.says("/a", Reply(301, {"Location": "/b?x=1#here"}))
    service.says("/b", Reply(302, {"Location": f"{other_service.url}/c"}))
    other_service.says("/c", Reply(body=b"end"))
    answer = ask(f"{service.url}/a")
    assert (answer.body, answer.url) == (b"end", f"{other_service.url}/c")
    assert [(hop.status, hop.url.partition("#")[0]) for hop in answer.hops] == [
        (301, f"{service.url}/b?x=1"),
        (302, f"{other_service.url}/c"),
    ]


def test_a_secret_is_sent_to_its_own_host_alone(service: Service, other_service: Service) -> None:
    service.says("/a", Reply(301, {"Location": "/b"}))
    service.says("/b", Reply(307, {"Location": f"{other_service.url}/c"}))
    other_service.says("/c", Reply(302, {"Location": f"{service.url}/d"}))
    service.says("/d", Reply())
    ask(f"{service.url}/a", headers={"Authorization": "Bearer s3cret", "Accept": "text/plain"})
    assert [request.headers.get("Authorization") for request in service.asked] == ["Bearer s3cret"] * 2 + [None]
    assert other_service.asked[0].headers.get("Authorization") is None
    assert other_service.asked[0].headers["Accept"] == "text/plain"


@pytest.mark.parametrize(
    ("reply", "silence"),
    [
        (Reply(301, {"Location": "/x"}), "broken"),
        (Reply(301, {"Location": "file:///etc/passwd"}), "broken"),
        (Reply(reset=True), "reset"),
        (Reply(body=b"short", cut=5), "reset"),
        (Reply(body=b"x" * 1000), "broken"),
    ],
)
def test_what_cannot_be_read(service: Service, reply: Reply, silence: str) -> None:
    service.says("/x", reply)
    assert silence_of(f"{service.url}/x") == silence


def test_a_host_that_never_answers(service: Service) -> None:
    service.says("/x", Reply(silent=True))
    assert silence_of(f"{service.url}/x", timeout_seconds=0.05) == "timeout"


def test_hosts_that_are_not_there(service: Service) -> None:
    # names that end in .invalid never exist (RFC 2606)
    assert silence_of("http://deepfield.invalid/") in ("name", "no-network")
    assert silence_of("http://127.0.0.1:1/") == "refused"
    assert silence_of("http://[::/x") == "address"
    assert silence_of("http://a b/") == "address"


def test_addresses_with_other_letters(service: Service) -> None:
    service.says("/caf%C3%A9/a%20b?q=%E2%82%AC", Reply(body=b"found"))
    assert ask(f"{service.url}/café/a%20b?q=€#part").body == b"found"


def test_only_the_head_is_asked_for(service: Service) -> None:
    service.says("/x", Reply(body=b"x" * 1000))
    assert ask(f"{service.url}/x", method="HEAD").body == b""
    assert ask(f"{service.url}/x", with_body=False).body == b""
    assert [request.method for request in service.asked] == ["HEAD", "GET"]
    assert service.asked[0].headers["User-Agent"].startswith("deepfield/")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("", None), ("17", 17.0), ("soon", None), ("-3", None), (formatdate(1000, usegmt=True), 100.0)],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    answer = Answer("", 429, {"retry-after": text} if text else {}, b"", ())
    assert wait_asked_for(answer, 900.0) == seconds
    assert (wait_asked_for(answer, time.time()) == 0.0) == (seconds == 100.0)
