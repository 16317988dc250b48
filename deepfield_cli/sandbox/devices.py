"""Whether there is a CUDA device, asked of the driver itself: importing torch for that would take seconds."""

from __future__ import annotations

import ctypes
import functools
import sys


@functools.cache
def cuda_devices() -> int:
    """How many CUDA devices the driver offers; 0 where there is no driver, or none is visible."""
    if sys.platform != "linux":
        return 0
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value
