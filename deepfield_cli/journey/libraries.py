"""Libraries and the device: which versions are installed, and whether they load."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import subprocess
import sys
from typing import Any

from deepfield_cli import __version__
from deepfield_cli.journey.finding import Finding

AREA = "libraries"
_REQUIRED = ("numpy", "msgpack", "pydantic", "typer", "rich", "PyYAML", "sqlite-utils", "watchfiles", "tokenizers")
_OPTIONAL = ("tiktoken",)
# A cold disk takes most of a minute over torch; a hanging driver takes for ever.
_IMPORT_SECONDS = 120

# Run in a process of its own: an import that crashes must not take the doctor with it.
_LOOK_AT_TORCH = """
import json
found = {}
try:
    import torch
    found["torch"] = torch.__version__
    found["built_for"] = torch.version.cuda
    if torch.cuda.is_available():
        found["device"] = torch.cuda.get_device_name(0)
        found["memory"] = torch.cuda.get_device_properties(0).total_memory
except Exception as error:
    found["torch_error"] = f"{type(error).__name__}: {error}"
try:
    import triton
    found["triton"] = triton.__version__
except Exception as error:
    found["triton_error"] = f"{type(error).__name__}: {error}"
print(json.dumps(found))
"""


def examine_libraries() -> list[Finding]:
    """Versions of Python, of deepfield and of everything that it stands on, torch and the device last."""
    return [
        _python(),
        Finding(AREA, "deepfield", "ok", __version__),
        *(_installed(name, required=True) for name in _REQUIRED),
        *(_installed(name, required=False) for name in _OPTIONAL),
        *_torch_findings(_look_at_torch()),
    ]


def _python() -> Finding:
    return Finding(AREA, "python", "ok", f"{platform.python_version()} on {platform.system()} {platform.release()}")


def _installed(name: str, *, required: bool) -> Finding:
    try:
        return Finding(AREA, name, "ok", importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        if required:
            return Finding(AREA, name, "bad", "not installed", f"pip install {name}")
        return Finding(AREA, name, "absent", "not installed", f"pip install {name}, for some paper rungs")


def _look_at_torch() -> dict[str, Any]:
    try:
        ran = subprocess.run(
            [sys.executable, "-I", "-c", _LOOK_AT_TORCH], capture_output=True, timeout=_IMPORT_SECONDS, check=False
        )
        found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        return {"torch_error": f"its import does not end within {_IMPORT_SECONDS} s"}
    except (ValueError, IndexError):
        return {"torch_error": f"its import ends the process with status {ran.returncode}"}
    return found


def _torch_findings(found: dict[str, Any]) -> list[Finding]:
    if "torch" not in found:
        broken = Finding(AREA, "torch", "bad", str(found.get("torch_error")), "pip install --force-reinstall torch")
        return [broken]
    return [Finding(AREA, "torch", "ok", found["torch"]), _device(found), _triton(found)]


def _device(found: dict[str, Any]) -> Finding:
    if "device" in found:
        return Finding("device", "CUDA", "ok", f"{found['device']}, {found['memory'] / 2**30:.0f} GiB")
    if found.get("built_for"):
        return Finding("device", "CUDA", "warn", "torch finds no device", "nvidia-smi shows whether the driver does")
    advice = "every core rung runs without one; rungs that need it say so"
    return Finding("device", "CUDA", "absent", "this torch is built for the CPU", advice)


def _triton(found: dict[str, Any]) -> Finding:
    if "triton" in found:
        return Finding("device", "triton", "ok", found["triton"])
    return Finding("device", "triton", "absent", "not installed", "comes with torch for CUDA on Linux")
