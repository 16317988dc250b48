"""One socket, framed: eight bytes of length, then the frame; with deadlines and a cap on what is read."""

from __future__ import annotations

import select
import socket
import time

from deepfield_cli.sandbox.wire import MAXIMUM_FRAME_BYTES
from deepfield_cli.sandbox.working_time import working_time

LENGTH_BYTES = 8
# Where a worker finds the socket: fixed, so that a trap needs no object that could be tampered with to reach it.
CONNECTION_DESCRIPTOR = 3
_CHUNK = 1 << 20
_LONGEST_WAIT_SECONDS = 0.5


class ChannelClosed(Exception):
    """The other side is gone."""


class ChannelTimeout(Exception):
    """No whole frame before the deadline."""


class FrameTooLarge(Exception):
    """The other side announced more bytes than are ever read."""


def send_frame(connection: socket.socket, body: bytes) -> None:
    """Send one frame; raise ChannelClosed if the other side is gone, ChannelTimeout if it does not read."""
    try:
        if len(body) < _CHUNK:
            connection.sendall(len(body).to_bytes(LENGTH_BYTES, "little") + body)
        else:
            connection.sendall(len(body).to_bytes(LENGTH_BYTES, "little"))
            connection.sendall(body)
    except TimeoutError as error:
        raise ChannelTimeout from error
    except OSError as error:
        raise ChannelClosed from error


def receive_frame(connection: socket.socket, *, maximum: int = MAXIMUM_FRAME_BYTES) -> bytearray:
    """Block until one whole frame is there (the worker's side, which has nothing else to do)."""
    reader = FrameReader(maximum)
    while True:
        frame = reader.read_some(connection)
        if frame is not None:
            return frame


class FrameReader:
    """Collects one frame from whatever the socket has, so that the caller can watch other things meanwhile."""

    def __init__(self, maximum: int = MAXIMUM_FRAME_BYTES) -> None:
        self._maximum = maximum
        self._head = bytearray()
        self._body: bytearray | None = None
        self._filled = 0

    def read_some(self, connection: socket.socket) -> bytearray | None:
        """Read once; return the frame when it is whole. Raises ChannelClosed, FrameTooLarge."""
        try:
            if self._body is None:
                return self._read_head(connection)
            count = connection.recv_into(
                memoryview(self._body)[self._filled :], min(_CHUNK, len(self._body) - self._filled)
            )
        except BlockingIOError:
            return None
        except OSError as error:
            raise ChannelClosed from error
        if count == 0:
            raise ChannelClosed
        self._filled += count
        return self._body if self._filled == len(self._body) else None

    def _read_head(self, connection: socket.socket) -> bytearray | None:
        received = connection.recv(LENGTH_BYTES - len(self._head))
        if not received:
            raise ChannelClosed
        self._head += received
        if len(self._head) < LENGTH_BYTES:
            return None
        length = int.from_bytes(self._head, "little")
        if length > self._maximum:
            raise FrameTooLarge(f"{length:,} bytes announced, at most {self._maximum:,} are read")
        self._body = bytearray(length)
        return self._body if length == 0 else None


def wait_readable(sources: list[int], deadline: float) -> list[int]:
    """Return those file descriptors that have something to read; raise ChannelTimeout at the deadline.

    The deadline is a reading of `working_time`.
    """
    poller = select.poll()
    for source in sources:
        poller.register(source, select.POLLIN | select.POLLHUP)
    remaining = deadline - working_time.now()
    if remaining <= 0:
        raise ChannelTimeout
    began, most = time.monotonic(), min(remaining, _LONGEST_WAIT_SECONDS)
    ready = [source for source, _ in poller.poll(most * 1000)]
    working_time.woke(began, most)
    return ready
