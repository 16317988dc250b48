"""Answers in the shapes of GitHub's REST API, for one pull request and all that is asked about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.summit.server import Reply, Service, as_json

PATCH = """@@ -10,6 +10,18 @@ def schedule(self):
     budget = self.token_budget
-    for request in self.waiting:
-        if request.num_tokens > budget:
+    for request in list(self.waiting):
+        needed = min(request.num_tokens, self.max_chunk)
+        if needed > budget:
             break
+        if not self.cache.has_room(request, needed):
+            self.cache.free(self.cache.oldest())
+            continue
+        budget -= needed
+        self.running.append(request)
+        self.waiting.remove(request)
+        request.scheduled += needed
+    if budget == self.token_budget:
+        raise NothingScheduled(len(self.waiting))
"""


def account(login: str | None, kind: str = "User") -> dict[str, Any] | None:
    return None if login is None else {"login": login, "id": 1, "type": kind, "site_admin": False}


def changed(name: str = "vllm/core/scheduler.py", patch: str | None = PATCH, **more: Any) -> dict[str, Any]:
    lines = (patch or "").splitlines()
    file = {
        "sha": "e" * 40,
        "filename": name,
        "status": "modified",
        "additions": sum(line.startswith("+") for line in lines),
        "deletions": sum(line.startswith("-") for line in lines),
        "changes": sum(line.startswith(("+", "-")) for line in lines),
        **more,
    }
    return {**file, "patch": patch} if patch is not None else file


def remark(login: str | None, body: str = "Why not here?", kind: str = "User", **more: Any) -> dict[str, Any]:
    return {"id": 1, "user": account(login, kind), "body": body, "author_association": "MEMBER", **more}


def pull(repository: str = "vllm-project/vllm", number: int = 77, **changes: Any) -> dict[str, Any]:
    found = {
        "url": f"https://api.github.com/repos/{repository}/pulls/{number}",
        "html_url": f"https://github.com/{repository}/pull/{number}",
        "number": number,
        "state": "closed",
        "title": "[Core] Schedule chunks only where the cache has room",
        "user": account("Ada-L"),
        "merged": True,
        "merged_at": "2026-10-02T08:00:00Z",
        "merge_commit_sha": "0123456789abcdef0123456789abcdef01234567",
        "merged_by": account("maintainer"),
        "comments": 1,
        "review_comments": 1,
        "commits": 3,
        "additions": 11,
        "deletions": 2,
        "changed_files": 1,
        "base": {"ref": "main", "repo": {"full_name": repository, "private": False}},
    }
    return {**found, **changes}


def publish(
    service: Service,
    request: Mapping[str, Any] | None = None,
    *,
    files: Sequence[Mapping[str, Any]] | None = None,
    reviews: Sequence[Mapping[str, Any]] | None = None,
    on_lines: Sequence[Mapping[str, Any]] | None = None,
    below: Sequence[Mapping[str, Any]] | None = None,
) -> str:
    """Have the server tell of a pull request; returns its address as a learner types it."""
    found = dict(request or pull())
    repository, number = found["base"]["repo"]["full_name"], found["number"]
    place = f"/repos/{repository}"
    service.says(f"{place}/pulls/{number}", as_json(found))
    service.says(f"{place}/pulls/{number}/files", as_json([changed()] if files is None else list(files)))
    service.says(
        f"{place}/pulls/{number}/reviews",
        as_json([remark("maintainer", state="APPROVED")] if reviews is None else list(reviews)),
    )
    service.says(
        f"{place}/pulls/{number}/comments", as_json([remark("maintainer")] if on_lines is None else list(on_lines))
    )
    service.says(
        f"{place}/issues/{number}/comments",
        as_json([remark("ci-runner[bot]", "CI passed", "Bot")] if below is None else list(below)),
    )
    return f"https://github.com/{repository}/pull/{number}"


def limited(*, reset_at: int, token: bool = False) -> Reply:
    """What GitHub says when its limit is reached."""
    message = "API rate limit exceeded for 203.0.113.7. (But here's the good news: authenticated requests get more.)"
    headers = {
        "X-RateLimit-Limit": "5000" if token else "60",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(reset_at),
    }
    return as_json({"message": message}, 403, **{name.replace("-", "_"): text for name, text in headers.items()})
