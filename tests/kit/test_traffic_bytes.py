"""To the byte: kernels whose traffic is known by hand, through every way that Triton has of touching memory."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from graders.kit import traffic


def tensor(*shape: int, dtype: str = "float32") -> Any:
    import torch

    return torch.arange(1, 1 + shape[0] * (shape[1] if len(shape) > 1 else 1)).reshape(shape).to(getattr(torch, dtype))


def same(first: Any, second: Any) -> bool:
    import torch

    return bool(torch.equal(first, second))


@pytest.mark.parametrize(
    ("dtype", "itemsize"),
    [("float32", 4), ("float16", 2), ("bfloat16", 2), ("float64", 8), ("int64", 8), ("int32", 4), ("int8", 1)],
)
def test_a_masked_tail_moves_nothing(kernels: ModuleType, dtype: str, itemsize: int) -> None:
    x = tensor(100, dtype=dtype)
    y = x.new_zeros(100)
    with traffic.counting() as record:
        traffic.watch(x=x, y=y)
        kernels.copy_1d[(4,)](x, y, 100, BLOCK=32)
    assert same(x, y)
    assert (record.bytes_loaded, record.bytes_stored) == (100 * itemsize, 100 * itemsize)
    assert record.by_tensor["x"] == traffic.Touched(
        size=100 * itemsize, loaded=100 * itemsize, distinct_loaded=100 * itemsize
    )
    assert record.by_tensor["y"] == traffic.Touched(
        size=100 * itemsize, stored=100 * itemsize, distinct_stored=100 * itemsize, kept=100 * itemsize
    )
    assert record.launches == [traffic.Launch("copy_1d", (4, 1, 1))]


def test_tiles_in_two_dimensions(kernels: ModuleType) -> None:
    x = tensor(33, 20)
    y = x.new_zeros(33, 20)
    with traffic.counting() as record:
        kernels.copy_2d[(5, 3)](x, y, 33, 20, 20, 1, 20, 1, BM=8, BN=8)
    assert same(x, y)
    assert record.by_kernel == {"copy_2d": traffic.Moved(loaded=33 * 20 * 4, stored=33 * 20 * 4)}
    assert record.launches == [traffic.Launch("copy_2d", (5, 3, 1))]
    assert record.largest_block == 64


def test_a_view_is_counted_by_its_elements(kernels: ModuleType) -> None:
    base = tensor(40, 30)
    x = base[3:36:2, 4:29:3]
    y = base.new_zeros(*x.shape)
    with traffic.counting() as record:
        traffic.watch(x=x, y=y)
        kernels.copy_2d[(3, 2)](x, y, *x.shape, *x.stride(), *y.stride(), BM=8, BN=8)
    assert same(x, y)
    assert record.by_tensor["x"].loaded == record.by_tensor["x"].size == x.numel() * 4
    assert record.by_tensor["x"].beyond == 0


def test_reading_the_gaps_of_a_view_is_told(kernels: ModuleType) -> None:
    base = tensor(10, 8)
    x = base[:, :5]
    y = base.new_zeros(10, 5)
    with traffic.counting() as record:
        traffic.watch(x=x)
        kernels.copy_2d[(2, 1)](x, y, 10, 5, 5, 1, 5, 1, BM=8, BN=8)  # as if its rows lay 5 apart
    assert record.by_tensor["x"].loaded == 50 * 4
    # elements 0 to 49 of the storage were read; in rows 0 to 5 (row 6 has elements 48 and 49) three of eight are gaps
    assert record.by_tensor["x"].beyond == 6 * 3 * 4


def test_block_pointers_with_a_boundary_check(kernels: ModuleType) -> None:
    x = tensor(21, 13)
    y = x.new_zeros(21, 13)
    with traffic.counting() as record, pytest.warns(UserWarning, match="make_block_ptr is deprecated"):
        kernels.copy_block_pointer[(3,)](x, y, 21, 13, 13, 1, BM=8, BN=8)
    assert same(x, y)
    assert (record.bytes_loaded, record.bytes_stored) == (21 * 13 * 4, 21 * 13 * 4)


def test_a_transposed_view_through_block_pointers(kernels: ModuleType) -> None:
    x = tensor(13, 21).T
    y = x.new_zeros(21, 13)
    with traffic.counting() as record, pytest.warns(UserWarning, match="make_block_ptr is deprecated"):
        kernels.copy_block_pointer[(3,)](x, y, 21, 13, *x.stride(), BM=8, BN=8)
    assert same(x, y)
    assert (record.bytes_loaded, record.bytes_stored) == (21 * 13 * 4, 21 * 13 * 4)


def test_an_unchecked_boundary_reads_what_lies_behind(kernels: ModuleType) -> None:
    x = tensor(4, 5)
    y = x.new_zeros(4, 5)
    with traffic.counting() as record, pytest.warns(UserWarning, match="make_block_ptr is deprecated"):
        traffic.watch(x=x)
        kernels.copy_block_pointer_rows_checked[(1,)](x, y, 4, 5, BM=8, BN=8)
    assert record.bytes_loaded == 4 * 8 * 4  # columns 5 to 7 of four rows, too
    assert record.by_tensor["x"].loaded == (4 * 8 - 3) * 4  # those of the last row lie behind the tensor
    assert record.by_tensor["outside"].loaded == 3 * 4
    assert record.bytes_stored == 4 * 5 * 4


def test_descriptors_at_the_edge(kernels: ModuleType) -> None:
    x = tensor(13, 20)
    y = x.new_zeros(13, 20)
    with traffic.counting() as record:
        kernels.copy_descriptor[(2,)](x, y, 13, 20, BM=8, BN=8)
    assert same(x, y)
    assert (record.bytes_loaded, record.bytes_stored) == (13 * 20 * 4, 13 * 20 * 4)


@pytest.mark.parametrize(("dtype", "itemsize"), [("float32", 4), ("float16", 2)])
def test_descriptors_made_on_the_host(kernels: ModuleType, dtype: str, itemsize: int) -> None:
    from triton.tools.tensor_descriptor import TensorDescriptor

    x = tensor(13, 24, dtype=dtype)
    y = x.new_zeros(13, 24)
    with traffic.counting() as record:
        traffic.watch(x=x, y=y)
        source, target = (TensorDescriptor.from_tensor(item, [8, 16]) for item in (x, y))
        kernels.copy_host_descriptor[(2,)](source, target, 24, BM=8, BN=16)
    assert same(x, y)
    assert (record.by_tensor["x"].loaded, record.by_tensor["y"].stored) == (13 * 24 * itemsize, 13 * 24 * itemsize)


def test_rows_gathered_through_a_descriptor(kernels: ModuleType) -> None:
    import torch
    from triton.tools.tensor_descriptor import TensorDescriptor

    x, rows = tensor(20, 16), torch.tensor([3, 1, 19, 3, 0, 7, 8, 2], dtype=torch.int32)
    y = x.new_zeros(8, 16)
    with traffic.counting() as record:
        traffic.watch(x=x, rows=rows)
        kernels.gather_rows[(1,)](TensorDescriptor.from_tensor(x, [1, 16]), rows, y, 16, ROWS=8, BN=16)
    assert same(x[rows.long()], y)
    assert record.by_tensor["x"].loaded == 8 * 16 * 4
    assert record.by_tensor["x"].distinct_loaded == 7 * 16 * 4  # row 3 was wanted twice
    assert record.by_tensor["rows"].loaded == 8 * 4


def test_an_atomic_loads_and_stores(kernels: ModuleType) -> None:
    x = tensor(100)
    total = x.new_zeros(1)
    with traffic.counting() as record:
        traffic.watch(x=x, total=total)
        kernels.sum_atomic[(4,)](x, total, 100, BLOCK=32)
    assert float(total) == 5050.0
    assert record.by_kernel["sum_atomic"] == traffic.Moved(loaded=100 * 4 + 4 * 4, stored=4 * 4, atomics=4)
    found = record.by_tensor["total"]
    assert (found.loaded, found.stored, found.atomics, found.kept, found.contested) == (16, 16, 4, 4, 0)


def test_masked_lanes_of_an_atomic_move_nothing(kernels: ModuleType) -> None:
    x = tensor(20)
    y = x.clone()
    with traffic.counting() as record:
        kernels.add_atomic_masked[(2,)](x, y, 20, BLOCK=16)
    assert same(y, 2 * x)
    assert record.by_kernel["add_atomic_masked"] == traffic.Moved(loaded=2 * 20 * 4, stored=20 * 4, atomics=20)


def test_compare_and_swap(kernels: ModuleType) -> None:
    import torch

    lock = torch.zeros(1, dtype=torch.int32)
    with traffic.counting() as record:
        kernels.exchange_if_equal[(3,)](lock)
    assert int(lock) == 1
    assert record.by_kernel["exchange_if_equal"] == traffic.Moved(loaded=12, stored=12, atomics=3)


def test_scalars_loaded_from_memory_count(kernels: ModuleType) -> None:
    import torch

    x, factor = tensor(40), torch.tensor([3.0])
    y = x.new_zeros(40)
    with traffic.counting() as record:
        traffic.watch(factor=factor)
        kernels.scale_by_scalar[(3,)](x, factor, y, 40, BLOCK=16)
    assert same(y, 3 * x)
    assert record.by_tensor["factor"].loaded == 3 * 4  # once per program
    assert record.bytes_loaded == 40 * 4 + 3 * 4


def test_functions_called_by_kernels_count_as_theirs(kernels: ModuleType) -> None:
    x, y = tensor(50), tensor(50)
    z = x.new_zeros(50)
    with traffic.counting() as record:
        kernels.add_nested[(4,)](x, y, z, 50, BLOCK=16)
    assert same(z, x + y)
    assert record.by_kernel == {"add_nested": traffic.Moved(loaded=2 * 50 * 4, stored=50 * 4)}


def test_several_launches_of_two_kernels(kernels: ModuleType) -> None:
    x = tensor(30)
    y, z = x.new_zeros(30), x.new_zeros(30)
    with traffic.counting() as record:
        traffic.watch(x=x, y=y, z=z)
        kernels.copy_1d[(2,)](x, y, 30, BLOCK=16)
        kernels.copy_1d[(1,)](x, y, 30, BLOCK=32)
        kernels.add_nested[(2,)](x, y, z, 30, BLOCK=16)
    assert [launch.kernel for launch in record.launches] == ["copy_1d", "copy_1d", "add_nested"]
    assert record.by_kernel["copy_1d"] == traffic.Moved(loaded=2 * 120, stored=2 * 120)
    assert record.by_kernel["add_nested"] == traffic.Moved(loaded=2 * 120, stored=120)
    assert record.by_tensor["x"].loaded == 3 * 120
    assert record.by_tensor["x"].distinct_loaded == 120
    found = record.by_tensor["y"]
    assert (found.loaded, found.stored, found.kept, found.contested) == (120, 240, 120, 0)


def test_autotuned_and_heuristic_kernels(kernels: ModuleType) -> None:
    from graders.kit import autotuning

    autotuning.repair()
    x = tensor(50)
    y, z = x.new_zeros(50), x.new_zeros(50)
    with traffic.counting() as record:
        kernels.copy_tuned[lambda chosen: (-(-50 // chosen["BLOCK"]),)](x, y, 50)
        kernels.copy_heuristic[(1,)](x, z, 50)
    assert same(x, y)
    assert same(x, z)
    assert record.by_kernel["copy_tuned"] == record.by_kernel["copy_heuristic"] == traffic.Moved(200, 200)
    assert record.launches[0] == traffic.Launch("copy_tuned", (4, 1, 1))  # the first configuration, and only that


def test_a_pointer_out_of_memory_finds_its_tensor(kernels: ModuleType) -> None:
    import torch

    x = tensor(10)
    address, y = torch.tensor([x.data_ptr()]), x.new_zeros(10)
    with traffic.counting() as record:
        traffic.watch(x=x, address=address)
        kernels.copy_from_address[(1,)](address, y, 10, BLOCK=16)
    assert same(x, y)
    assert record.by_tensor["x"].loaded == 40
    assert record.by_tensor["address"].loaded == 8


def test_the_wire_holds_plain_values(kernels: ModuleType) -> None:
    import json

    x = tensor(10)
    with traffic.counting() as record:
        y = x.new_empty(10)
        kernels.copy_1d[(1,)](x, y, 10, BLOCK=16)
        traffic.watch(y=y)
    wire = record.as_wire()
    assert json.loads(json.dumps(wire)) == wire
    assert wire["launches"] == [["copy_1d", [1, 1, 1]]]
    assert wire["by_kernel"] == {"copy_1d": {"loaded": 40, "stored": 40, "atomics": 0}}
    assert wire["by_tensor"]["y"]["kept"] == 40
    assert wire["by_tensor"]["other:0"]["loaded"] == 40
    assert (wire["loaded"], wire["stored"], wire["unsupported"]) == (40, 40, [])
    assert (wire["largest_allocation_bytes"], wire["largest_allocation_elements"]) == (40, 10)
    assert wire["operators"] == {"aten::new_empty": 1}
