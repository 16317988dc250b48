"""Memory of a process that grades: of however many threads, it lies in one arena."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

THREADS_AND_ARENAS = """
import ctypes, sys, threading
from deepfield_cli.sandbox.pool import WarmPool

if sys.argv[1] == "pool":
    WarmPool()

together = threading.Barrier(6)

def work():
    together.wait()
    kept = [bytes(100_000 + number) for number in range(20)]
    together.wait()

threads = [threading.Thread(target=work) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fopen(sys.argv[2].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such arenas")
def test_a_process_with_a_pool_has_one_arena_for_all_its_threads(tmp_path: Path) -> None:
    arenas = {}
    for kind in ("pool", "none"):
        told = tmp_path / kind
        subprocess.run([sys.executable, "-c", THREADS_AND_ARENAS, kind, str(told)], check=True)
        arenas[kind] = told.read_text(encoding="utf-8").count("<heap nr=")
    assert arenas["pool"] == 1
    assert arenas["none"] > 1
