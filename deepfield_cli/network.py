"""What a network says when it gives no answer, and when a server wants to be asked again: the same for every client."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
import urllib.error
from email.utils import parsedate_to_datetime
from typing import Literal

# name: no such host. no-network: nothing at all can be reached. address: it cannot be asked there at all.
# broken: an answer that is no HTTP.
Silence = Literal["name", "no-network", "timeout", "refused", "reset", "certificate", "handshake", "address", "broken"]
_NO_WAY_THERE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN)
# No server means more, and no clock shows it.
_LONGEST_WAIT_SECONDS = 365.0 * 24 * 3600


class NoAnswer(Exception):
    """There was no answer that could be read; ``silence`` says of which kind."""

    def __init__(self, silence: Silence, words: str) -> None:
        super().__init__(words)
        self.silence = silence
        self.words = words

    @property
    def may_be_offline(self) -> bool:
        """Whether it is what a machine without a network meets; one behind a wall only waits."""
        return self.silence in ("name", "no-network", "timeout")


def no_answer(error: Exception) -> NoAnswer:
    """Which silence an exception of the libraries below stands for, in words that follow the name of a server."""
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, OSError):
        return _of_connection(cause)
    if isinstance(cause, http.client.IncompleteRead):
        return NoAnswer("reset", "the connection was broken off")
    if isinstance(cause, ValueError | http.client.InvalidURL | str):
        return NoAnswer("address", f"it cannot be asked at such an address ({cause})")
    return NoAnswer("broken", f"it does not speak HTTP ({type(cause).__name__})")


def seconds_to_wait(retry_after: str | None, now: float) -> float | None:
    """What a Retry-After asks for, a number or a date; None where there is none, or one that nobody can read."""
    text = (retry_after or "").strip()
    try:
        seconds = float(text) if text.isdecimal() else parsedate_to_datetime(text).timestamp() - now
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT_SECONDS)


def _of_connection(error: OSError) -> NoAnswer:
    if isinstance(error, socket.gaierror):
        if error.errno == socket.EAI_AGAIN:
            return NoAnswer("no-network", "the host's name cannot be looked up")
        return NoAnswer("name", "the host's name is not known")
    if isinstance(error, TimeoutError):
        return NoAnswer("timeout", "no answer in time")
    if isinstance(error, ssl.SSLCertVerificationError):
        return NoAnswer("certificate", f"it cannot prove who it is ({error.verify_message})")
    if isinstance(error, ssl.SSLError):
        return NoAnswer("handshake", f"no secure connection ({error})")
    if isinstance(error, ConnectionRefusedError):
        return NoAnswer("refused", "nobody listens there")
    if isinstance(error, ConnectionError):
        return NoAnswer("reset", "the connection was broken off")
    if error.errno in _NO_WAY_THERE:
        return NoAnswer("no-network", "the network cannot be reached")
    return NoAnswer("broken", f"the connection fails ({error.strerror or str(error) or type(error).__name__})")
