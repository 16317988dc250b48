"""A web server that does what real ones do on bad days: a script for each file, one step for each request."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

_RANGE = re.compile(r"bytes=(\d+)-")
_BLOCK = 1 << 14


@dataclass
class Step:
    """How one request is answered.

    Attributes:
        status: an answer without the file.
        headers: more headers, or others.
        drop_after: the connection ends after so many bytes of the body.
        reset: it ends without a farewell, and what is still under way is lost.
        claimed_length: what Content-Length says, whatever is sent.
        body: sent in place of the file.
        chunked: no Content-Length; the body comes in chunks.
        unframed: no Content-Length; the body ends with the connection.
        starts_at: a range is answered from here, whatever was asked for.
        wait_for: sent only when this is set, after the first bytes.
        garbage: these bytes are sent in place of an HTTP answer.

    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    drop_after: int | None = None
    reset: bool = False
    claimed_length: int | None = None
    body: bytes | None = None
    chunked: bool = False
    unframed: bool = False
    starts_at: int | None = None
    wait_for: threading.Event | None = None
    garbage: bytes | None = None


@dataclass
class Served:
    """One file, how the server treats it, and what was asked of it."""

    content: bytes
    ranges: bool = True
    etag: str | None = '"one"'
    headers: Mapping[str, str] = field(default_factory=dict)
    script: list[Step] = field(default_factory=list)
    always: Step = field(default_factory=Step)
    asked: list[Message] = field(default_factory=list)
    sent: int = 0

    def next_step(self) -> Step:
        """The step for this request: the script, then always the same."""
        return self.script.pop(0) if self.script else self.always

    def ranges_asked(self) -> list[str | None]:
        """The Range header of each request."""
        return [headers.get("Range") for headers in self.asked]


class Server:
    """The server and its files, by path."""

    def __init__(self) -> None:
        self.files: dict[str, Served] = {}
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._http.daemon_threads = True
        self._http.files = self.files  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def serve(self, path: str, content: bytes, *script: Step, **options: Any) -> Served:
        """Offer a file."""
        self.files[path] = Served(content, script=list(script), **options)
        return self.files[path]

    def url(self, path: str) -> str:
        """The address of a path."""
        return f"http://127.0.0.1:{self._http.server_port}{path}"

    def stop(self) -> None:
        """No more answers."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@contextmanager
def running() -> Iterator[Server]:
    """A server for as long as the context is open."""
    server = Server()
    try:
        yield server
    finally:
        server.stop()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # a client that went away while a body is sent is nothing to report
    timeout = 20.0

    def do_GET(self) -> None:
        served = cast("dict[str, Served]", self.server.files).get(self.path)  # type: ignore[attr-defined]
        if served is None:
            self._status(404, {})
            return
        served.asked.append(self.headers)
        step = served.next_step()
        if step.garbage is not None:
            self.wfile.write(step.garbage)
            self.close_connection = True
        elif step.status is not None:
            self._status(step.status, step.headers)
        else:
            self._file(served, step)

    def _status(self, code: int, headers: Mapping[str, str]) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _file(self, served: Served, step: Step) -> None:
        whole = served.content if step.body is None else step.body
        start = self._start(served, len(whole))
        if start is None:
            self._status(416, {"Content-Range": f"bytes */{len(whole)}"})
            return
        answered = start if step.starts_at is None else step.starts_at
        body = whole[answered:]
        self._head(served, step, body, start=answered, total=len(whole), partial=start > 0)
        try:
            self._send(served, step, body)
        except OSError:  # the client went away, or the connection was reset as the step wants it
            self.close_connection = True

    def _start(self, served: Served, total: int) -> int | None:
        """Where the answer begins; None if there is nothing from there on."""
        match = _RANGE.fullmatch(self.headers.get("Range", ""))
        condition = self.headers.get("If-Range")
        if match is None or not served.ranges or (condition is not None and condition != served.etag):
            return 0
        start = int(match[1])
        return start if start < total else None

    def _head(self, served: Served, step: Step, body: bytes, *, start: int, total: int, partial: bool) -> None:
        headers = {"Content-Type": "application/octet-stream", **served.headers, **step.headers}
        if served.etag is not None:
            headers.setdefault("ETag", served.etag)
        if step.chunked:
            headers["Transfer-Encoding"] = "chunked"
        elif not step.unframed:
            headers["Content-Length"] = str(len(body) if step.claimed_length is None else step.claimed_length)
        if partial:
            headers.setdefault("Content-Range", f"bytes {start}-{total - 1}/{total}")
        if step.unframed or step.drop_after is not None or step.claimed_length is not None:
            self.close_connection = True
        self.send_response(206 if partial else 200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, served: Served, step: Step, body: bytes) -> None:
        whole = body if step.drop_after is None else body[: step.drop_after]
        for at in range(0, len(whole), _BLOCK):
            block = whole[at : at + _BLOCK]
            served.sent += len(block)  # before the client can have it, and look
            self.wfile.write(b"%x\r\n%s\r\n" % (len(block), block) if step.chunked else block)
            if step.wait_for is not None and at == 0:
                self.wfile.flush()
                step.wait_for.wait(60)
        if step.chunked and step.drop_after is None:
            self.wfile.write(b"0\r\n\r\n")
        if step.reset:
            _reset(self.connection)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def content(size: int, seed: int = 0) -> bytes:
    """Bytes that repeat nowhere, so that a piece in the wrong place is seen."""
    import random

    return random.Random(seed).randbytes(size)
