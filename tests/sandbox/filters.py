"""A reader of seccomp programs: a test can ask what a filter decides, for any machine and without installing it."""

from __future__ import annotations

import struct
from dataclasses import dataclass

ALLOWED, REFUSED, PRETENDED, UNKNOWN = "allowed", "refused", "pretended", "unknown"
_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_DECISIONS = {0x7FFF0000: ALLOWED, 0x00050001: REFUSED, 0x00050000: PRETENDED, 0x00050026: UNKNOWN}


@dataclass(frozen=True)
class Call:
    """A system call as the kernel shows it to a filter."""

    number: int
    arguments: tuple[int, ...] = ()
    machine: str = "x86_64"

    def words(self) -> bytes:
        """struct seccomp_data, little-endian."""
        padded = [argument & 0xFFFFFFFFFFFFFFFF for argument in (*self.arguments, *(0,) * 6)][:6]
        return struct.pack("<IIQ6Q", self.number, _ARCHITECTURE[self.machine], 0, *padded)


def decide(program: bytes, call: Call) -> str:
    """Run a classic BPF program on a call: the loads, jumps and returns that seccomp programs use."""
    data = call.words()
    register, position = 0, 0
    while True:
        code, true, false, value = struct.unpack_from("<HBBI", program, position * 8)
        position += 1
        if code == 0x20:  # load a word
            register = struct.unpack_from("<I", data, value)[0]
        elif code == 0x06:  # return
            return _DECISIONS[value]
        else:
            holds = {0x15: register == value, 0x45: bool(register & value), 0x35: register >= value}[code]
            position += true if holds else false
