"""Run as a script: reads a request, confines itself as a worker does, runs the request's code and prints its result."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from deepfield_cli.sandbox import confinement, landlock, seccomp
from deepfield_cli.sandbox.limits import Limits


def main() -> None:
    """Answer one request on the standard streams."""
    request = json.loads(sys.stdin.read())
    answer = os.fdopen(os.dup(1), "w")
    if "landlock" in request["without"]:
        landlock.version = lambda: 0  # an older kernel
    if "seccomp" in request["without"]:
        seccomp.available = lambda: False  # an architecture that the filter is not written for
    names: dict[str, Any] = {"result": None}
    if not request["free"]:
        names["isolation"] = _confine(request)
    exec(compile(request["code"], "<request>", "exec"), names)
    json.dump(names["result"], answer)
    answer.flush()


def _confine(request: dict[str, Any]) -> str:
    limits = Limits(**{"memory_mb": 256, **request.get("limits", {})}).as_wire()
    scratch = Path(request["scratch"])
    return confinement.confine(Path(__file__).parent, scratch, limits, request.get("hidden", []))


if __name__ == "__main__":
    main()
