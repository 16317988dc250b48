"""A pull request is confirmed for what GitHub says of it, and every other answer has its own words."""

from __future__ import annotations

import time
from typing import Any

import pytest

from deepfield_cli.errors import DeepfieldError
from deepfield_cli.summit.asking import Limited, NotThere, OutsideError, Unclear, Unreached
from deepfield_cli.summit.github import ADDRESS_VARIABLE, GitHub
from deepfield_cli.summit.merged import Examined, examine
from deepfield_cli.summit.pull_request import Address, parse_address
from tests.summit.github_shapes import PATCH, account, changed, limited, publish, pull, remark
from tests.summit.server import Reply, Service, as_json

FLAGSHIPS = ["vllm-project/vllm", "vwxyzjn/cleanrl", "facebookresearch/faiss"]


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, service: Service) -> None:
    monkeypatch.setenv(ADDRESS_VARIABLE, service.url)
    for name in ("GITHUB_TOKEN", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def examined(address: str, account: str = "ada-l") -> Examined:
    return examine(GitHub(), parse_address(address), account, FLAGSHIPS)


def wrong(found: Examined) -> list[str | None]:
    return [point.diagnosis for point in found.points if not point.holds]


@pytest.mark.parametrize(
    "text",
    [
        "https://github.com/vllm-project/vllm/pull/77",
        "http://www.github.com/vllm-project/vllm/pull/77/files#diff-1",
        "github.com/vllm-project/vllm/pull/77?w=1",
        " vllm-project/vllm#77 ",
    ],
)
def test_addresses(text: str) -> None:
    assert parse_address(text) == Address("vllm-project/vllm", 77)


@pytest.mark.parametrize(
    "text", ["", "77", "https://github.com/a/b", "https://github.com/a/b/issues/7", "https://gitlab.com/a/b/pull/7"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(DeepfieldError, match="no address of a pull request"):
        parse_address(text)


def test_everything_holds(service: Service) -> None:
    found = examined(publish(service))
    assert found.holds
    assert (found.flagship, found.request.reviewers, found.request.remarks) == ("vllm-project/vllm", ("maintainer",), 2)
    assert [point.name for point in found.points] == [
        "merged",
        "yours",
        "in a flagship",
        "more than a typo",
        "reviewed",
    ]
    assert len(service.asked) == 5


def test_accounts_are_told_apart_as_github_does(service: Service) -> None:
    address = publish(service)
    assert examined(address, "ADA-L").holds
    assert wrong(examined(address, "ada")) == ["another-author"]


@pytest.mark.parametrize(
    ("diagnosis", "changes"),
    [
        ("not-merged", {"merged": False, "merged_at": None, "state": "open"}),
        ("closed-unmerged", {"merged": False, "merged_at": None}),
        ("another-author", {"user": account("somebody")}),
        ("author-gone", {"user": None}),
        ("no-flagship", {"base": {"repo": {"full_name": "ada-l/vllm"}}}),
    ],
)
def test_what_is_wrong_with_it_is_named(service: Service, diagnosis: str, changes: dict[str, Any]) -> None:
    address = publish(service, pull(**changes))
    service.says("/repos/vllm-project/vllm/issues/77/events", as_json([]))
    service.says("/repos/vllm-project/vllm", as_json({"full_name": "vllm-project/vllm"}))
    assert wrong(examined(address)) == [diagnosis]


@pytest.mark.parametrize(
    ("diagnosis", "files"),
    [
        ("typo-only", [changed(patch='-    log("recieved")\n+    log("received")')]),
        ("generated-only", [changed("uv.lock", "+x = 1"), changed("docs/_static/a.svg", "+<svg/>")]),
        ("text-only", [changed("README.md", "+A whole new chapter.\n" * 50)]),
        ("comments-only", [changed(patch="+# explains it")]),
        ("empty", []),
    ],
)
def test_a_diff_without_substance_is_named(service: Service, diagnosis: str, files: list[dict[str, Any]]) -> None:
    assert wrong(examined(publish(service, files=files))) == [diagnosis]


def test_a_small_change_counts_if_somebody_discussed_it(service: Service) -> None:
    small = [changed(patch="-    if x < y:\n+    if x <= y:")]
    assert examined(publish(service, files=small)).holds
    silent = [remark("maintainer", "", state="APPROVED")]
    address = publish(service, files=small, reviews=silent, on_lines=[], below=[])
    assert wrong(examined(address)) == ["too-small"]


def test_talking_to_oneself_and_to_bots_is_no_review(service: Service) -> None:
    own, bot = remark("ADA-l"), remark("mergify[bot]", kind="Bot")
    alone = pull(merged_by=account("Ada-L"))
    address = publish(service, alone, reviews=[own, bot], on_lines=[own], below=[bot, remark(None)])
    assert wrong(examined(address)) == ["unreviewed"]
    assert examined(publish(service, reviews=[], on_lines=[], below=[])).holds  # somebody else merged it


def test_comments_are_asked_for_only_where_there_are_some(service: Service) -> None:
    examined(publish(service, pull(comments=0, review_comments=0)))
    assert len(service.asked) == 3


def test_a_change_that_landed_from_a_mirror(service: Service) -> None:
    closed = pull("facebookresearch/faiss", 9, merged=False, merged_at=None, merged_by=None, merge_commit_sha="1" * 40)
    address = publish(service, closed, reviews=[], on_lines=[], below=[])
    place = "/repos/facebookresearch/faiss"
    events = [{"event": "labeled"}, {"event": "closed", "commit_id": "c" * 40, "created_at": "2026-10-03T09:00:00Z"}]
    service.says(f"{place}/issues/9/events", as_json(events))
    message = "Add it\n\nSummary: …\n\nPull Request resolved: https://github.com/facebookresearch/faiss/pull/9\n"
    commit = {"sha": "c" * 40, "author": account("Ada-L"), "commit": {"message": message}}
    service.says(f"{place}/commits/{'c' * 40}", as_json(commit))
    found = examined(address)
    assert found.holds and found.request.landed
    assert found.request.merged_at == "2026-10-03T09:00:00Z"
    assert "landed on 2026-10-03 in cccccccccc" in found.points[0].words
    for other in (
        {**commit, "author": account("maintainer")},  # somebody else's commit closed it
        {**commit, "author": None},
        {**commit, "commit": {"message": "Rewrites it, see /pull/91"}},
    ):
        service.says(f"{place}/commits/{'c' * 40}", as_json(other))
        assert "closed-unmerged" in wrong(examined(address))


def test_a_renamed_repository_is_followed(service: Service) -> None:
    publish(service, pull("cleanrl/cleanrl"))
    service.says("/repos/vwxyzjn/cleanrl/pulls/77", Reply(301, {"Location": "/repositories/1234/pulls/77"}))
    service.says("/repositories/1234/pulls/77", as_json(pull("cleanrl/cleanrl")))
    found = examined("vwxyzjn/cleanrl#77")
    assert found.holds
    assert found.points[2].words == "cleanrl/cleanrl, formerly vwxyzjn/cleanrl"
    assert "/repos/cleanrl/cleanrl/pulls/77/files?per_page=100&page=1" in service.paths()


def test_the_new_name_of_a_flagship_is_recognised(service: Service) -> None:
    address = publish(service, pull("cleanrl/cleanrl"))
    service.says("/repos/vwxyzjn/cleanrl", Reply(301, {"Location": "/repositories/1234"}))
    service.says("/repositories/1234", as_json({"full_name": "cleanrl/cleanrl"}))
    assert examined(address).holds
    service.says("/repositories/1234", as_json({"full_name": "vwxyzjn/cleanrl"}))  # no: a fork of the same name
    assert wrong(examined(address)) == ["no-flagship"]


def test_long_lists_are_read_page_by_page(service: Service) -> None:
    files = [changed(f"docs/{number}.md", "+word") for number in range(100)]
    address = publish(service, files=files)
    place = "/repos/vllm-project/vllm/pulls/77/files?per_page=100&page="
    service.says(f"{place}1", as_json(files))
    service.says(f"{place}2", as_json([changed(patch=PATCH)]))
    assert examined(address).holds
    assert f"{place}3" not in service.paths()


# What GitHub may say instead


def test_not_there_or_private(service: Service) -> None:
    with pytest.raises(NotThere, match=r"no pull request 5 in vllm-project/vllm — .*GITHUB_TOKEN"):
        examined("vllm-project/vllm#5")


def test_a_limit_that_is_reached(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    at = int(time.time()) + 1800
    service.says("/repos/a/b/pulls/1", limited(reset_at=at))
    hour = time.strftime("%H:%M", time.localtime(at))
    with pytest.raises(Limited, match=rf"often enough for now — try again after {hour}, or set GITHUB_TOKEN"):
        examined("a/b#1")
    monkeypatch.setenv("GITHUB_TOKEN", "t0ken")
    with pytest.raises(Limited, match=rf"try again after {hour}$"):
        examined("a/b#1")
    assert service.asked[-1].headers["Authorization"] == "Bearer t0ken"


def test_a_limit_in_the_middle(service: Service) -> None:
    address = publish(service)
    service.says("/repos/vllm-project/vllm/pulls/77/reviews", limited(reset_at=int(time.time()) + 60))
    with pytest.raises(Limited):
        examined(address)


def test_a_second_limit_without_a_time(service: Service) -> None:
    message = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}
    service.says("/repos/a/b/pulls/1", as_json(message, 403))
    with pytest.raises(Limited, match="try again after"):
        examined("a/b#1")


def test_a_short_wait_is_waited_for(service: Service) -> None:
    address = publish(service)
    path = "/repos/vllm-project/vllm/pulls/77"
    service.says(path, as_json({"message": "slow down"}, 429, Retry_After="0"), as_json(pull()))
    assert examined(address).holds
    service.says(path, Reply(reset=True), as_json(pull()))
    assert examined(address).holds


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (as_json({"message": "Bad credentials"}, 401), OutsideError, "does not accept the token"),
        (as_json({"message": "Resource protected by organization SAML"}, 403), OutsideError, "refuses: Resource"),
        (Reply(502, {}, b"<html>bad gateway</html>"), OutsideError, "in trouble: it answers 502"),
        (Reply(200, {}, b"<html>log in to the hotel's network</html>"), Unclear, "no JSON"),
        (Reply(200, {}, b"[" * 100_000), Unclear, "no JSON"),
        (as_json([1, 2]), Unclear, "no object"),
        (as_json({}), Unclear, '"base.repo.full_name"'),
        (as_json({**pull(), "merged": "yes"}), Unclear, '"merged"'),
        (as_json({**pull(), "additions": -1}), Unclear, '"additions"'),
        (as_json({**pull(), "title": None}), Unclear, '"title"'),
        (as_json({**pull(), "base": {"repo": None}}), Unclear, "full_name"),
        (as_json({"message": "teapot"}, 418), Unclear, "418: teapot"),
        (Reply(reset=True), Unreached, "broken off"),
        (Reply(200, {}, b"{", cut=10), Unreached, "cut off"),
        (Reply(301, {"Location": "/repos/vllm-project/vllm/pulls/77"}), Unreached, "redirects more than"),
    ],
)
def test_other_answers_end_in_one_line(service: Service, reply: Reply, kind: type[OutsideError], words: str) -> None:
    address = publish(service)
    service.says("/repos/vllm-project/vllm/pulls/77", reply)
    with pytest.raises(kind) as caught:
        examined(address)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("value", [{"message": "?"}, [1], [{"filename": 5}], [{"filename": "a", "additions": "1"}]])
def test_a_list_that_is_none(service: Service, value: Any) -> None:
    address = publish(service)
    service.says("/repos/vllm-project/vllm/pulls/77/files", as_json(value))
    with pytest.raises(Unclear):
        examined(address)


def test_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ADDRESS_VARIABLE, "https://github.invalid")
    with pytest.raises(Unreached, match="GitHub cannot be asked: no network — run it again"):
        examined("a/b#1")
    monkeypatch.setenv(ADDRESS_VARIABLE, "github.com")
    with pytest.raises(DeepfieldError, match="DEEPFIELD_GITHUB_API"):
        examined("a/b#1")


def test_a_token_stays_with_github(service: Service, other_service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GH_TOKEN", "t0ken")
    service.says("/repos/a/b/pulls/1", Reply(301, {"Location": f"{other_service.url}/repos/a/b/pulls/1"}))
    publish(other_service, pull("a/b", 1))
    with pytest.raises(NotThere):
        examined("a/b#1")
    assert "Authorization" in service.asked[0].headers
    assert "Authorization" not in other_service.asked[0].headers
