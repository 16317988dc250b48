"""A rating is confirmed for what Codeforces says of the account."""

from __future__ import annotations

from typing import Any

import pytest

from deepfield_cli.errors import DeepfieldError
from deepfield_cli.summit.asking import Limited, NotConfirmed, NotThere, OutsideError, Unclear, Unreached
from deepfield_cli.summit.codeforces import ADDRESS_VARIABLE, Codeforces, Rating, fetch_rating
from tests.summit.server import Reply, Service, as_json


def contest(number: int, before: int, after: int) -> dict[str, Any]:
    return {
        "contestId": 1900 + number,
        "contestName": f"Codeforces Round {900 + number} (Div. 1)",
        "handle": "Ada",
        "rank": 300,
        "ratingUpdateTimeSeconds": 1_760_000_000 + number * 86_400,
        "oldRating": before,
        "newRating": after,
    }


HISTORY = [contest(1, 0, 1500), contest(2, 1500, 1954), contest(3, 1954, 1903)]


def publish(service: Service, changes: list[dict[str, Any]] | None = None) -> None:
    user = {"handle": "Ada", "rating": 1903, "maxRating": 1954, "rank": "candidate master", "contribution": 0}
    service.says("/user.info", as_json({"status": "OK", "result": [user]}))
    service.says("/user.rating", as_json({"status": "OK", "result": HISTORY if changes is None else changes}))


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, service: Service) -> None:
    monkeypatch.setenv(ADDRESS_VARIABLE, service.url)


def fetched(handle: str = "ada") -> Rating:
    return fetch_rating(Codeforces(pause_seconds=0.0), handle)


def test_the_highest_rating_and_its_contest(service: Service) -> None:
    publish(service)
    rating = fetched()
    assert (rating.handle, rating.highest, rating.current, rating.contests) == ("Ada", 1954, 1903, 3)
    assert rating.reached_in == "Codeforces Round 902 (Div. 1)"
    assert rating.reached_at == "2025-10-11T08:53:20+00:00"
    assert service.paths() == ["/user.info?handles=ada", "/user.rating?handle=Ada"]
    assert rating.url == "https://codeforces.com/profile/Ada"


def test_no_contest_yet(service: Service) -> None:
    publish(service, [])
    with pytest.raises(NotConfirmed, match="Ada has no rating yet") as caught:
        fetched()
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("handle", ["", "a", "two words", "x" * 25, "a;b", "a&handle=tourist"])
def test_what_is_no_handle(service: Service, handle: str) -> None:
    with pytest.raises(DeepfieldError, match="no handle"):
        fetched(handle)
    assert service.asked == []


@pytest.mark.parametrize("method", ["user.info", "user.rating"])
@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (as_json({"status": "FAILED", "comment": "handles: User with handle ada not found"}, 400), NotThere, "no such"),
        (as_json({"status": "FAILED", "comment": "Call limit exceeded"}), Limited, "try again in a minute"),
        (as_json({"status": "FAILED", "comment": "Internal"}), OutsideError, "refuses: Internal"),
        (as_json({"status": "FAILED"}), OutsideError, "no reason given"),
        (Reply(503, {}, b"<html>down</html>"), Limited, "often enough"),
        (Reply(500), OutsideError, "in trouble"),
        (Reply(200, {}, b"<html>checking your browser</html>"), Unclear, "no JSON"),
        (as_json({"status": "OK"}), Unclear, "Codeforces did not answer"),
        (as_json({"status": "OK", "result": [5]}), Unclear, "Codeforces did not answer"),
        (as_json(["OK"]), Unclear, "without a status"),
        (Reply(reset=True), Unreached, "broken off"),
    ],
)
def test_other_answers_end_in_one_line(
    service: Service, method: str, reply: Reply, kind: type[OutsideError], words: str
) -> None:
    publish(service)
    service.says(f"/{method}", reply)
    with pytest.raises(kind) as caught:
        fetched()
    assert words in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "change", [{"newRating": "1900"}, {"newRating": None}, {"ratingUpdateTimeSeconds": 10**15}, {"contestName": 7}]
)
def test_contests_in_another_shape(service: Service, change: dict[str, Any]) -> None:
    publish(service, [{**HISTORY[0], **change}])
    with pytest.raises(Unclear):
        fetched()


def test_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ADDRESS_VARIABLE, "https://codeforces.invalid/api")
    with pytest.raises(Unreached, match="no network"):
        fetched()
