"""A real HTTP server on the loopback that says what a test has written for it, and remembers what it was asked."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """One answer: plain, or one of the ways in which servers fail."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    reset: bool = False  # break the connection off without a word
    silent: bool = False  # take the request and never answer
    cut: int = 0  # promise so many bytes more than are sent


def as_json(value: Any, status: int = 200, **headers: str) -> Reply:
    """A JSON document; underscores in the names of headers stand for hyphens."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(status, {"Content-Type": "application/json", **named}, json.dumps(value).encode())


@dataclass(frozen=True)
class Asked:
    """One request that came in."""

    method: str
    path: str
    headers: Mapping[str, str]


class Service:
    """What a server says, path by path: one reply for ever, or a list of which the last one stays."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[Asked] = []
        self.over = threading.Event()
        self._replies: dict[str, list[Reply]] = {}
        self._lock = threading.Lock()

    def says(self, path: str, *replies: Reply) -> None:
        """Answer so from now on; a path with a method before it ("HEAD /x") holds for that method only."""
        self._replies[path] = list(replies)

    def reply_to(self, request: Asked) -> Reply:
        """The next reply for a request; 404 for what nobody wrote down."""
        with self._lock:
            self.asked.append(request)
            for name in (f"{request.method} {request.path}", request.path, request.path.partition("?")[0]):
                waiting = self._replies.get(name)
                if waiting:
                    return waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return as_json({"message": "Not Found", "documentation_url": "https://docs.github.com/rest"}, 404)

    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [request.path for request in self.asked]


@contextmanager
def serving() -> Iterator[Service]:
    """A server for the length of a test."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    service = Service(f"http://127.0.0.1:{server.server_address[1]}")
    _Handler.services[server.server_address[1]] = service
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
        del _Handler.services[server.server_address[1]]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    services: dict[int, Service] = {}  # noqa: RUF012 - one table for all handlers, by the port that they stand at

    def do_GET(self) -> None:
        address: Any = self.server.server_address
        service = self.services[address[1]]
        reply = service.reply_to(Asked(self.command, self.path, dict(self.headers.items())))
        self.close_connection = True
        if reply.silent:
            service.over.wait()
            return
        if reply.reset:
            # closed with data still to be sent, a socket says RST
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        self.send_response(reply.status)
        for name, text in reply.headers.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(reply.body) + reply.cut))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    do_HEAD = do_GET

    def finish(self) -> None:
        """What a broken connection leaves to be flushed is of no interest."""
        with suppress(OSError):
            super().finish()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""
