"""Which torch operators ran and what they allocated, seen where torch dispatches them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from graders.kit.storages import Storages, storage_of


@dataclass
class OperatorLog:
    """Counts of operators by name ("aten::mm"), and the memory that they asked for."""

    counts: Counter[str] = field(default_factory=Counter)
    largest_bytes: int = 0
    largest_elements: int = 0
    allocated_bytes: int = 0
    # Above 0 while the interpreter itself uses torch.
    _silent: int = 0

    @contextmanager
    def silent(self) -> Iterator[None]:
        """What runs in here is not the learner's."""
        self._silent += 1
        try:
            yield
        finally:
            self._silent -= 1

    @contextmanager
    def listening(self, storages: Storages) -> Iterator[None]:
        from torch.utils._python_dispatch import TorchDispatchMode

        log = self

        class Listener(TorchDispatchMode):  # type: ignore[misc]
            @classmethod
            def _should_skip_dynamo(cls) -> bool:
                """A yes imports the compiler first, which takes seconds, and nothing is compiled here."""
                return False

            def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
                sizes = {} if log._silent else sizes_by_storage((args, kwargs))
                result = func(*args, **(kwargs or {}))
                if not log._silent:
                    log.counts[func._schema.name] += 1
                    log.allocated(sizes, result, storages)
                return result

        with Listener():
            yield

    def allocated(self, before: dict[int, int], result: Any, storages: Storages) -> None:
        """Take note of the memory that a result has and its arguments had not."""
        for tensor in tensors_in(result):
            storage = storage_of(tensor)
            key, size = int(storage._cdata), int(storage.nbytes())
            if size <= before.get(key, 0):
                continue
            before[key] = size
            self.allocated_bytes += size
            self.largest_bytes = max(self.largest_bytes, size)
            self.largest_elements = max(self.largest_elements, size // tensor.element_size())
            storages.know(tensor)


def sizes_by_storage(values: Any) -> dict[int, int]:
    """The size in bytes of every storage among these values, by its identity."""
    found = (storage_of(tensor) for tensor in tensors_in(values))
    return {int(storage._cdata): int(storage.nbytes()) for storage in found}


def tensors_in(value: Any) -> Iterator[Any]:
    """All strided tensors in nested containers."""
    if hasattr(value, "untyped_storage"):
        if str(value.layout) == "torch.strided":
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from tensors_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors_in(item)
