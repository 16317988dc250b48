"""What else the traffic counter tells: races, memory that is nobody's, torch beside the kernels, and cheap lies."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from graders.kit import interpreter_hooks, traffic


def ones(*shape: int) -> Any:
    import torch

    return torch.ones(*shape)


# ---- torch ----


def test_operators_of_torch_are_listed_and_those_of_the_interpreter_are_not(kernels: ModuleType) -> None:
    import torch

    x = ones(8, 8)
    with traffic.counting() as record:
        y = torch.empty_like(x)
        kernels.copy_1d[(1,)](x, y, 64, BLOCK=64)
        z = (x @ y).softmax(-1)
        traffic.watch(z=z)
    assert record.operators == {"aten::empty_like": 1, "aten::mm": 1, "aten::_softmax": 1}
    assert record.by_tensor["z"].kept == 0


def test_torch_inside_of_a_kernel_is_listed(kernels: ModuleType) -> None:
    with traffic.counting() as record:
        kernels.uses_torch_inside[(1,)](ones(4), ones(3, 3), 4, BLOCK=4)
    assert record.operators["aten::mm"] == 1


def test_the_largest_allocation(interpreter: Any) -> None:
    import torch

    x = ones(10)
    with traffic.counting() as record:
        torch.empty(3, 5, dtype=torch.float64)
        y = torch.empty(7, dtype=torch.float16).expand(100, 7)
        assert y.numel() == 700
        x.view(2, 5).transpose(0, 1)
        x.add_(1)
        torch.empty(2).resize_(6)
    assert record.largest_allocation_bytes == 120
    assert record.largest_allocation_elements == 15
    assert record.allocated_bytes == 120 + 14 + 8 + 24


def test_an_output_that_numpy_wrote_was_kept_by_no_kernel(kernels: ModuleType) -> None:
    x, y = ones(16), ones(16)
    with traffic.counting() as record:
        traffic.watch(y=y)
        kernels.copy_1d[(1,)](x, y, 16, BLOCK=16)
        y.numpy()[4:] = 3.1415927  # no byte of it is one of 1.0
    assert record.by_tensor["y"].stored == 64
    assert record.by_tensor["y"].kept == 16


def test_what_was_stored_over_by_a_second_kernel_is_still_kept(kernels: ModuleType) -> None:
    x, y = ones(16), ones(16)
    with traffic.counting() as record:
        traffic.watch(y=y)
        kernels.copy_1d[(1,)](x, y, 16, BLOCK=16)
        kernels.copy_1d[(1,)](2 * x, y, 16, BLOCK=16)
    assert record.by_tensor["y"].kept == 64


# ---- memory ----


def test_the_fence_keeps_kernels_inside_their_tensors(kernels: ModuleType) -> None:
    import torch

    base = torch.zeros(200)
    x, y = ones(100), base[:100]
    with traffic.counting(fence=True) as record:
        kernels.copy_1d_unmasked[(4,)](x, y, 100, BLOCK=32)
    assert record.by_tensor["outside"].loaded == 28 * 4
    assert torch.equal(base[:100], x)
    assert bool(base[100:128].isnan().all())  # the storage goes on behind the view; what was read outside is NaN
    with traffic.counting(fence=True) as record:
        kernels.copy_1d_unmasked[(4,)](base, x, 100, BLOCK=32)
    assert record.by_tensor["outside"].stored == 28 * 4


def test_a_fenced_atomic_stays_inside(kernels: ModuleType) -> None:
    import torch

    x, y = ones(40), torch.zeros(20)
    with traffic.counting(fence=True) as record:
        traffic.watch(y=y)
        kernels.add_atomic_masked[(2,)](x, y, 32, BLOCK=16)
    assert torch.equal(y, ones(20))
    assert record.by_tensor["outside"].atomics == 12
    assert record.by_tensor["y"].atomics == 20


def test_what_torch_allocates_inside_is_known(kernels: ModuleType) -> None:
    import torch

    with traffic.counting(fence=True) as record:
        hidden = torch.full((10,), 3.0)
        y = torch.empty(10)
        kernels.copy_from_address[(1,)](torch.tensor([hidden.data_ptr()]), y, 10, BLOCK=16)
    assert "outside" not in record.by_tensor
    assert torch.equal(y, hidden)


def test_a_race_is_told(kernels: ModuleType) -> None:
    import torch

    total = torch.zeros(1)
    with traffic.counting() as record:
        traffic.watch(total=total)
        kernels.sum_racing[(4,)](ones(100), total, 100, BLOCK=32)
    # programs 1 to 3 load and store what another one of the same launch has stored
    assert record.by_tensor["total"].contested == 3 * 2 * 4


def test_stores_over_the_edge_of_a_row_meet_the_next_program(kernels: ModuleType) -> None:
    import torch

    y = torch.zeros(4, 10)
    with traffic.counting(fence=True) as record:
        traffic.watch(y=y)
        kernels.fill_tiles[(1, 2)](y, 4, 10, BM=4, BN=8)
    found = record.by_tensor
    assert found["y"].stored == (4 * 16 - 6) * 4
    assert found["outside"].stored == 6 * 4
    assert found["y"].contested == 3 * 6 * 4


def test_a_device_tensor_is_told_under_its_own_name(kernels: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """With tensors on a GPU the interpreter works on copies, new ones at each launch. Here the CPU is made to copy."""
    import torch

    def copied(storage: Any) -> Any:
        return torch.UntypedStorage(storage.nbytes()).copy_(storage, False)

    monkeypatch.setattr(torch.UntypedStorage, "cpu", copied)
    x, y = ones(30), torch.zeros(30)
    with traffic.counting(fence=True) as record:
        traffic.watch(x=x)
        for _ in range(3):
            kernels.copy_1d[(2,)](x, y, 30, BLOCK=16)
        traffic.watch(y=y)
    assert torch.equal(x, y)
    assert set(record.by_tensor) == {"x", "y"}
    assert (record.by_tensor["x"].loaded, record.by_tensor["x"].distinct_loaded) == (360, 120)
    assert (record.by_tensor["y"].stored, record.by_tensor["y"].kept) == (360, 120)


# ---- lies ----


def test_what_runs_outside_of_a_launch_is_no_traffic(interpreter: Any) -> None:
    import numpy as np
    from triton.runtime.interpreter import TensorHandle, interpreter_builder

    y = ones(4)
    with traffic.counting() as record:
        traffic.watch(y=y)
        pointers = np.array([y.data_ptr()], dtype=np.uint64)
        kind = interpreter.language.pointer_type(interpreter.language.float32)
        value = TensorHandle(np.array([5.0], dtype=np.float32), interpreter.language.float32)
        interpreter_builder.create_store(TensorHandle(pointers, kind), value, None, None)
    assert float(y[0]) == 5.0
    assert (record.bytes_stored, record.by_tensor["y"].kept, record.launches) == (0, 0, [])


def test_a_hook_replaced_before_or_while_counting_is_noted(interpreter: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from triton.runtime import interpreter as runtime

    original = runtime.InterpreterBuilder.create_store
    with monkeypatch.context() as patch:
        patch.setattr(runtime.InterpreterBuilder, "create_store", lambda *arguments: original(*arguments))
        with pytest.raises(RuntimeError, match="has moved"), traffic.counting():
            pass
    untouched = runtime.GridExecutor.__call__
    with traffic.counting() as record:
        runtime.GridExecutor.__call__ = untouched
    assert record.notes == ["__call__ of Triton's interpreter was replaced while it was counted"]
    assert runtime.GridExecutor.__call__ is untouched

    def stranger(self: Any, *args_dev: Any, **kwargs: Any) -> Any:
        return untouched(self, *args_dev, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(runtime.GridExecutor, "__call__", stranger)
        with traffic.counting() as record:
            pass
    assert record.notes == ["GridExecutor.__call__ of Triton's interpreter was replaced before it was counted"]


# ---- the counter itself ----


def test_an_exception_in_a_kernel_leaves_everything_as_it_was(kernels: ModuleType) -> None:
    from triton.runtime import interpreter as runtime

    before = (runtime._interpreter, runtime.GridExecutor.__call__, runtime.InterpreterBuilder.set_grid_idx)
    y = ones(8)
    with traffic.counting() as record, pytest.raises(runtime.InterpreterError, match="in the middle"):
        kernels.raises[(1,)](y, 8, BLOCK=8)
    assert record.bytes_stored == 32
    assert before == (runtime._interpreter, runtime.GridExecutor.__call__, runtime.InterpreterBuilder.set_grid_idx)
    with traffic.counting() as record:
        kernels.copy_1d[(1,)](y, ones(8), 8, BLOCK=8)
    assert record.bytes_stored == 32


def test_counting_does_not_nest_and_watching_needs_it(interpreter: Any) -> None:
    with traffic.counting(), pytest.raises(RuntimeError, match="does not nest"), traffic.counting():
        pass
    with pytest.raises(RuntimeError, match="belongs inside"):
        traffic.watch(x=ones(1))
    with traffic.counting(), pytest.raises(TypeError, match="y is a list and no tensor"):
        traffic.watch(y=[1.0])


def test_without_the_interpreter_it_says_what_is_missing(interpreter: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRITON_INTERPRET")
    with pytest.raises(RuntimeError, match="needs TRITON_INTERPRET=1"), traffic.counting():
        pass


def _without(name: str) -> Callable[[pytest.MonkeyPatch, Any], None]:
    return lambda patch, runtime: patch.delattr(runtime.InterpreterBuilder, name)


def _other_parameters(patch: pytest.MonkeyPatch, runtime: Any) -> None:
    patch.setattr(runtime.InterpreterBuilder, "set_grid_dim", lambda self, dimensions: None)


def _other_way(patch: pytest.MonkeyPatch, runtime: Any) -> None:
    def create_load(self: Any, ptr: Any, _0: Any, _1: Any, is_volatile: Any) -> Any:
        import numpy as np

        return runtime.TensorHandle(np.array([7]), runtime.tl.int64)

    patch.setattr(runtime.InterpreterBuilder, "create_load", create_load)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_without("set_grid_idx"), "has no InterpreterBuilder.set_grid_idx"),
        (_other_parameters, r"InterpreterBuilder.set_grid_dim takes \(self, dimensions\)"),
        (_other_way, "create_load and create_store no longer use"),
    ],
)
def test_a_newer_triton_is_refused_by_name(
    interpreter: Any, monkeypatch: pytest.MonkeyPatch, change: Callable[..., None], words: str
) -> None:
    from triton.runtime import interpreter as runtime

    with monkeypatch.context() as patch:
        change(patch, runtime)
        with pytest.raises(RuntimeError, match=words) as caught, traffic.counting():
            pass
    assert f"Triton {interpreter.__version__} has moved" in str(caught.value)
    interpreter_hooks.known_interpreter()


def test_autotuning_elsewhere_is_refused_by_name(interpreter: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from triton.runtime.autotuner import Autotuner

    from graders.kit import autotuning

    with monkeypatch.context() as patch:
        patch.delattr(Autotuner, "_bench")
        with pytest.raises(RuntimeError, match=f"Triton {interpreter.__version__} times configurations elsewhere"):
            autotuning.repair()
    monkeypatch.delenv("TRITON_INTERPRET")
    before = Autotuner._bench
    autotuning.repair()
    assert Autotuner._bench is before
