"""Task files in KernelBench's format, read as they are: ``Model``, ``get_inputs`` and ``get_init_inputs``.

A task file is code, so it runs in a worker and never in the grader. The reference's worker loads it whole. In the
learner's worker it only makes inputs, and is loaded without its ``Model``.
"""

from __future__ import annotations

import ast
import itertools
import linecache
import random
import sys
import types
from collections.abc import Sequence
from typing import Any

_NUMBERS = itertools.count(1)


class TaskFileError(Exception):
    """A task file that is none, with the reason."""


def load(source: str, name: str, *, with_model: bool) -> types.ModuleType:
    """Run a task file as a module of its own.

    The module is registered before it runs, and its text is where ``inspect`` looks for it: dataclasses, scripted
    functions and kernels in a task file need that.

    Args:
        source: its text.
        name: for messages.
        with_model: False takes the class ``Model`` out, and leaves everything that makes inputs.

    Raises:
        TaskFileError: it is no Python, raises, or lacks one of the three names.

    """
    module = types.ModuleType(f"task_file_{next(_NUMBERS)}")
    module.__file__ = f"<{name}>"
    linecache.cache[module.__file__] = (len(source), None, source.splitlines(keepends=True), module.__file__)
    sys.modules[module.__name__] = module
    try:
        tree = ast.parse(source, module.__file__)
        if not with_model:
            tree.body = [node for node in tree.body if not (isinstance(node, ast.ClassDef) and node.name == "Model")]
        exec(compile(tree, module.__file__, "exec", dont_inherit=True), module.__dict__)
    except Exception as error:
        raise TaskFileError(f"{name} cannot be run: {type(error).__name__}: {error}") from error
    wanted = [*(["Model"] if with_model else []), "get_inputs", "get_init_inputs"]
    missing = [one for one in wanted if not callable(getattr(module, one, None))]
    if missing:
        raise TaskFileError(f"{name} has no {missing[0]}")
    return module


def seed_everything(seed: int) -> None:
    """Set every generator that a task file may draw from."""
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def inputs(module: types.ModuleType, seed: int, device: str) -> list[Any]:
    """Fresh inputs on a device: the same for the same seed in every process, other ones for another seed."""
    import torch

    seed_everything(seed)
    with torch.device(device):
        return [_moved(item, device) for item in module.get_inputs()]


def init_inputs(module: types.ModuleType, device: str) -> list[Any]:
    """What the model is made with."""
    import torch

    seed_everything(0)
    with torch.device(device):
        return [_moved(item, device) for item in module.get_init_inputs()]


def model(kind: Any, init: Sequence[Any], seed: int, device: str) -> Any:
    """A model made under a seed, on a device; ``kind`` is its class."""
    import torch

    seed_everything(seed)
    with torch.device(device):
        return kind(*init).to(device)


def _moved(item: Any, device: str) -> Any:
    """Tensors on the device, wherever they stand; everything else as it is."""
    if hasattr(item, "to") and hasattr(item, "element_size"):
        return item.to(device)
    if type(item) in (list, tuple):
        return type(item)(_moved(one, device) for one in item)
    if type(item) is dict:
        return {key: _moved(one, device) for key, one in item.items()}
    return item
