"""One worker as the grader sees it: a socket, an output pipe, a process number, and how it ended."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

from deepfield_cli.sandbox.channel import (
    ChannelClosed,
    ChannelTimeout,
    FrameReader,
    FrameTooLarge,
    send_frame,
    wait_readable,
)
from deepfield_cli.sandbox.working_time import working_time

# What a learner prints is shown to them, but not more than fits a screen or ten.
MAXIMUM_OUTPUT_BYTES = 64 * 1024
# A worker that fills its scratch folder beyond this is ended.
MAXIMUM_SCRATCH_BYTES = 2 << 30
_SCRATCH_INTERVAL_SECONDS = 0.5
_BLOCK_BYTES = 4096
_PIPE_CHUNK = 1 << 16
_PIPE_CHUNKS_AT_ONCE = 32
# Time in which an overloaded machine kept a worker waiting is given back to it, up to this multiple of its limit: at a
# load of 270 on two cores, honest submissions were seen to need ten times their usual seconds.
_PATIENCE = 10.0
_WORTH_WAITING_SECONDS = 0.05


class WorkerTimeout(Exception):
    """No answer in time; the worker has been killed."""


class WorkerDied(Exception):
    """The worker ended without an answer; ``status`` is its wait status, if known."""

    def __init__(self, status: int | None) -> None:
        super().__init__(f"wait status {status}")
        self.status = status


class ScratchFull(Exception):
    """The worker wrote more to its scratch folder than it may; it has been killed."""


class WorkerProcess:
    """A forked worker: request and answer, with a deadline, draining what it prints."""

    def __init__(self, *, pid: int, connection: socket.socket, output: int, reap: Callable[[int], int | None]) -> None:
        self.pid = pid
        self.scratch: Path | None = None
        self.prepared_for: object = None
        self.isolation: str | None = None
        self._connection = connection
        self._connection.setblocking(True)
        self._pipe = output
        os.set_blocking(output, False)
        self._reap = reap
        self._printed = bytearray()
        self._dropped = 0
        self._closed = False
        self._status: int | None = None
        self._pipe_open = True

    def request(self, frame: bytes, timeout_seconds: float) -> bytearray:
        """Send one frame and return the answer.

        Raises WorkerTimeout, WorkerDied, ScratchFull, FrameTooLarge; after each of them the worker is gone.
        """
        if self._closed:  # a suite that goes on after a failure
            raise WorkerDied(self._status)
        deadline = working_time.now() + timeout_seconds
        try:
            self._connection.settimeout(timeout_seconds)
            send_frame(self._connection, frame)
            self._connection.setblocking(False)
            return self._await_frame_patiently(deadline, most_extra_seconds=_PATIENCE * timeout_seconds)
        except ChannelTimeout:
            self.close()
            raise WorkerTimeout from None
        except ChannelClosed:
            raise WorkerDied(self.close()) from None
        except (FrameTooLarge, ScratchFull):
            self.close()
            raise

    def output(self) -> str:
        """What the learner's code printed so far, capped."""
        if not self._closed:
            self._drain()
        text = self._printed.decode("utf-8", "replace")
        return text + (f"\n… and {self._dropped:,} bytes more" if self._dropped else "")

    def starved_seconds(self) -> float:
        """How long the worker was ready to run and the machine did not let it; 0 where the kernel does not say."""
        try:
            return int(Path(f"/proc/{self.pid}/schedstat").read_text().split()[1]) / 1e9
        except (OSError, IndexError, ValueError):
            return 0.0

    def cpu_seconds(self) -> float:
        """User and system time of the worker and of the children it waited for, read from outside."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")

    def peak_memory_bytes(self) -> int:
        """Largest resident set so far, read from outside."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise OSError("no VmHWM")

    def kill(self) -> None:
        """End the process at once; ``close`` is still due."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def stands_by(self) -> bool:
        """Whether a worker that was asked nothing is still there: a socket that can be read has been hung up."""
        watch = select.poll()
        watch.register(self._connection, select.POLLIN)
        return not watch.poll(0)

    def park(self) -> None:
        """Stop it where it is: ending a process costs ten milliseconds, which can wait until after the verdict."""
        if not self._closed:
            self._drain()
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGSTOP)

    def abandon(self) -> None:
        """Let go of a worker whose warm process is about to end, and it with that."""
        if not self._closed:
            self._closed = True
            self._connection.close()
            os.close(self._pipe)

    def close(self) -> int | None:
        """Kill the worker with everything it started; return the wait status with which it had ended."""
        if self._closed:
            return self._status
        self._drain()
        self._closed = True
        self._connection.close()
        self._status = self._reap(self.pid)
        self._drain()
        os.close(self._pipe)
        return self._status

    def _await_frame_patiently(self, deadline: float, *, most_extra_seconds: float) -> bytearray:
        """Wait for the answer; a deadline that passed while the machine starved the worker is moved by as much."""
        starved, extra, reader = self.starved_seconds(), 0.0, FrameReader()
        while True:
            try:
                return self._await_frame(deadline + extra, reader)
            except ChannelTimeout:
                due = min(self.starved_seconds() - starved, most_extra_seconds)
                if due < extra + _WORTH_WAITING_SECONDS:
                    raise
                extra = due

    def _await_frame(self, deadline: float, reader: FrameReader) -> bytearray:
        next_look = time.monotonic() + _SCRATCH_INTERVAL_SECONDS
        while True:
            sources = [self._connection.fileno(), *([self._pipe] if self._pipe_open else [])]
            ready = wait_readable(sources, deadline)
            if self._pipe in ready:
                self._drain(chunks=1)
            if self._connection.fileno() in ready:
                frame = reader.read_some(self._connection)
                if frame is not None:
                    return frame
            if time.monotonic() > next_look:
                self._look_at_scratch()
                next_look = time.monotonic() + _SCRATCH_INTERVAL_SECONDS

    def _drain(self, *, chunks: int = _PIPE_CHUNKS_AT_ONCE) -> None:
        """Take what was printed, never more than a bounded number of chunks: a flood must not hold the grader up."""
        with contextlib.suppress(OSError):
            for _ in range(chunks):
                data = os.read(self._pipe, _PIPE_CHUNK)
                if not data:
                    self._pipe_open = False
                    return
                room = max(MAXIMUM_OUTPUT_BYTES - len(self._printed), 0)
                self._printed += data[:room]
                self._dropped += len(data) - len(data[:room])

    def _look_at_scratch(self) -> None:
        if self.scratch is not None and folder_bytes(self.scratch) > MAXIMUM_SCRATCH_BYTES:
            raise ScratchFull


def folder_bytes(folder: Path) -> int:
    """Bytes that the files below a folder take; an empty one counts as a block, since it takes an inode.

    Walks without recursion: os.walk gives up on a thousand folders within each other. Vanishing files count as nothing,
    a path too long for the kernel, below which anything could lie, as too much.
    """
    total = 0
    waiting = [str(folder)]
    while waiting and total <= MAXIMUM_SCRATCH_BYTES:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    total += max(_blocks_bytes(entry), _BLOCK_BYTES)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except OSError as error:
            total += MAXIMUM_SCRATCH_BYTES + 1 if error.errno == errno.ENAMETOOLONG else 0
    return total


def _blocks_bytes(entry: os.DirEntry[str]) -> int:
    with contextlib.suppress(FileNotFoundError):
        return entry.stat(follow_symlinks=False).st_blocks * 512
    return 0
