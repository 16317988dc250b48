"""Silences of the network, each known by its name, and the waits that servers ask for."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
import urllib.error
from email.utils import formatdate

import pytest

from deepfield_cli.network import Silence, no_answer, seconds_to_wait


def uncertified() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"
    return error


@pytest.mark.parametrize(
    ("error", "silence", "words"),
    [
        (socket.gaierror(socket.EAI_NONAME, "not known"), "name", "the host's name is not known"),
        (socket.gaierror(socket.EAI_AGAIN, "later"), "no-network", "the host's name cannot be looked up"),
        (OSError(errno.ENETUNREACH, "unreachable"), "no-network", "the network cannot be reached"),
        (OSError(errno.EHOSTUNREACH, "unreachable"), "no-network", "the network cannot be reached"),
        (TimeoutError(), "timeout", "no answer in time"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), "refused", "nobody listens there"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), "reset", "the connection was broken off"),
        (BrokenPipeError(errno.EPIPE, "pipe"), "reset", "the connection was broken off"),
        (http.client.RemoteDisconnected("closed"), "reset", "the connection was broken off"),
        (http.client.IncompleteRead(b"half"), "reset", "the connection was broken off"),
        (uncertified(), "certificate", "it cannot prove who it is (self-signed certificate)"),
        (ssl.SSLEOFError(8, "EOF in violation of protocol"), "handshake", "no secure connection"),
        (http.client.BadStatusLine("SSH-2.0"), "broken", "it does not speak HTTP (BadStatusLine)"),
        (OSError(errno.EIO, "Input/output error"), "broken", "the connection fails (Input/output error)"),
        (OSError(), "broken", "the connection fails (OSError)"),
        (http.client.InvalidURL("no port"), "address", "it cannot be asked at such an address (no port)"),
        (ValueError("Invalid IPv6 URL"), "address", "it cannot be asked at such an address (Invalid IPv6 URL)"),
        (urllib.error.URLError("unknown url type: ftp"), "address", "it cannot be asked at such an address (unknown"),
    ],
    ids=repr,
)
def test_each_silence_has_its_name(error: Exception, silence: Silence, words: str) -> None:
    found = no_answer(error)
    assert found.silence == silence
    assert found.words.startswith(words)
    if isinstance(error, OSError) and not isinstance(error, urllib.error.URLError):
        assert no_answer(urllib.error.URLError(error)).words == found.words


def test_only_what_a_machine_without_a_network_meets_may_be_that() -> None:
    errors = (TimeoutError(), socket.gaierror(socket.EAI_AGAIN, ""), ConnectionRefusedError(), ConnectionResetError())
    assert [no_answer(error).may_be_offline for error in errors] == [True, True, False, False]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("", None),
        (" 17 ", 17.0),
        ("0", 0.0),
        ("soon", None),
        ("-3", None),
        ("1.5", None),
        (formatdate(1000, usegmt=True), 100.0),
        (formatdate(800, usegmt=True), 0.0),
        ("9" * 5000, 365.0 * 24 * 3600),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 365.0 * 24 * 3600),
    ],
)
def test_waits_that_are_asked_for(text: str | None, seconds: float | None) -> None:
    assert seconds_to_wait(text, 900.0) == seconds
