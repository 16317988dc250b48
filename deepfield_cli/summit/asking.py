"""A service with a JSON API: asked politely, and every way in which it can fail told in one line."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from deepfield_cli.errors import DeepfieldError
from deepfield_cli.network import NoAnswer
from deepfield_cli.summit.web import Answer, ask, wait_asked_for

TIMEOUT_SECONDS = 20.0
# Short waits are waited for; for a longer one the user is told when to come back.
PATIENCE_SECONDS = 5.0


class OutsideError(DeepfieldError):
    """A service outside could not be asked, or did not answer as it promises; nothing was decided."""


class Unreached(OutsideError):
    """There is no network, or the service does not answer."""


class NotThere(OutsideError):
    """The service does not know what it was asked for."""


class Limited(OutsideError):
    """The service has answered often enough for now."""


class Unclear(OutsideError):
    """The service answered something else than its API promises."""


class NotConfirmed(DeepfieldError):
    """The service answered, and it does not say what was hoped for; nothing is recorded."""

    exit_code = 1


def address_from(variable: str, default: str) -> str:
    """Where a service is: its own address, or what the environment says; raise DeepfieldError if that is none."""
    address = os.environ.get(variable, "").rstrip("/") or default
    if not address.startswith(("http://", "https://")):
        raise DeepfieldError(f'{variable}: "{address}" is no address', fix=f"unset it, or write one such as {default}")
    return address


def get(service: str, url: str, headers: Mapping[str, str]) -> Answer:
    """One answer; a service that fell silent or asks for a short wait is asked once more.

    Raises:
        Unreached: no answer.

    """
    answer = _get_once(service, url, headers, again=True)
    wait = wait_asked_for(answer, time.time()) if answer.status in (403, 429, 503) else None
    if wait is None or wait > PATIENCE_SECONDS:
        return answer
    time.sleep(wait)
    return _get_once(service, url, headers, again=False)


def decoded(service: str, answer: Answer) -> Any:
    """The JSON of an answer; raise Unclear where there is none."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        what = f"{service} answered {answer.status} with something that is no JSON"
        raise Unclear(what, fix="try again later; a proxy on the way may have answered in its place") from error


def clock_time(moment: float) -> str:
    """A moment of today as the user's clock shows it."""
    return datetime.fromtimestamp(moment).astimezone().strftime("%H:%M")


def _get_once(service: str, url: str, headers: Mapping[str, str], *, again: bool) -> Answer:
    try:
        return ask(url, headers=headers, timeout_seconds=TIMEOUT_SECONDS)
    except NoAnswer as silence:
        if again and silence.silence == "reset":
            return _get_once(service, url, headers, again=False)
        words = "no network" if silence.silence in ("name", "no-network") else silence.words
        fix = "run it again when there is a network" if words == "no network" else "try again later"
        raise Unreached(f"{service} cannot be asked: {words}", fix=fix) from silence
