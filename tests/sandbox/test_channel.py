"""Frames on a socket: whole or not at all, within a deadline, and never more than is allowed."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from deepfield_cli.sandbox.channel import (
    LENGTH_BYTES,
    ChannelClosed,
    ChannelTimeout,
    FrameReader,
    FrameTooLarge,
    receive_frame,
    send_frame,
    wait_readable,
)
from deepfield_cli.sandbox.working_time import working_time

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


def head(length: int) -> bytes:
    return length.to_bytes(LENGTH_BYTES, "little")


def test_frames_arrive_one_by_one(pair: Pair) -> None:
    ours, theirs = pair
    for body in (b"", b"x", b"y" * 3000):
        send_frame(theirs, body)
    assert [receive_frame(ours) for _ in range(3)] == [b"", b"x", b"y" * 3000]


def test_a_frame_in_pieces_is_put_together(pair: Pair) -> None:
    ours, theirs = pair
    ours.setblocking(False)
    reader = FrameReader()
    for byte in head(3) + b"ab":
        theirs.sendall(bytes([byte]))
        assert reader.read_some(ours) is None
    theirs.sendall(b"c")
    assert bytes(reader.read_some(ours) or b"") == b"abc"


def test_nothing_there_is_not_an_error(pair: Pair) -> None:
    pair[0].setblocking(False)
    assert FrameReader().read_some(pair[0]) is None


@pytest.mark.parametrize("length", [1 << 40, (1 << 64) - 1, 101])
def test_too_large_a_frame_is_refused_before_room_is_made_for_it(pair: Pair, length: int) -> None:
    pair[1].sendall(head(length))
    with pytest.raises(FrameTooLarge, match="at most 100 are read"):
        receive_frame(pair[0], maximum=100)


@pytest.mark.parametrize("sent", [b"", head(5)[:3], head(5), head(5) + b"abc"])
def test_an_end_in_the_middle_is_told(pair: Pair, sent: bytes) -> None:
    pair[1].sendall(sent)
    pair[1].close()
    with pytest.raises(ChannelClosed):
        receive_frame(pair[0])


def test_sending_to_nobody_is_told(pair: Pair) -> None:
    pair[1].close()
    with pytest.raises(ChannelClosed):
        for _ in range(100):
            send_frame(pair[0], b"x" * 100_000)


def test_sending_to_someone_who_does_not_read_ends_at_the_deadline(pair: Pair) -> None:
    pair[0].settimeout(0.05)
    with pytest.raises(ChannelTimeout):
        send_frame(pair[0], b"x" * 50_000_000)


def test_waiting_ends_at_the_deadline(pair: Pair) -> None:
    descriptor = pair[0].fileno()
    # long enough for a machine that takes its time between these two words
    assert wait_readable([descriptor], working_time.now() + 0.4) == []
    with pytest.raises(ChannelTimeout):
        wait_readable([descriptor], working_time.now() - 1)
    pair[1].sendall(b"x")
    assert wait_readable([descriptor], working_time.now() + 60) == [descriptor]
