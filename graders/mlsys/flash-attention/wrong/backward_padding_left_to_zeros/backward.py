# fails: large_scores   diagnosis: not-finite   over: addresses
"""dq trusts that keys of zeros add zeros: where all scores are far below 0, the weight of such a key is infinite."""

import triton
import triton.language as tl


@triton.jit
def deltas(o_ptr, do_ptr, delta_ptr, T, D: tl.constexpr, M: tl.constexpr):
    head = tl.program_id(1).to(tl.int64) * T
    rows = tl.program_id(0) * M + tl.arange(0, M)
    at = (head + rows[:, None]) * D + tl.arange(0, D)[None, :]  # (M, D)
    o = tl.load(o_ptr + at, mask=rows[:, None] < T, other=0.0).to(tl.float32)
    do = tl.load(do_ptr + at, mask=rows[:, None] < T, other=0.0).to(tl.float32)
    tl.store(delta_ptr + head + rows, tl.sum(o * do, axis=1), mask=rows < T)


@triton.jit
def gradients_of_keys(
    q_ptr, k_ptr, v_ptr, do_ptr, lse_ptr, delta_ptr, dk_ptr, dv_ptr, T, scale,
    CAUSAL: tl.constexpr, D: tl.constexpr, M: tl.constexpr, N: tl.constexpr,
):  # fmt: skip
    head = tl.program_id(1).to(tl.int64) * T
    keys = tl.program_id(0) * N + tl.arange(0, N)  # (N,)
    channels = tl.arange(0, D)
    there = keys < T
    own = (head + keys[:, None]) * D + channels[None, :]  # (N, D)
    k = tl.load(k_ptr + own, mask=there[:, None], other=0.0)
    v = tl.load(v_ptr + own, mask=there[:, None], other=0.0)
    dk = tl.zeros([N, D], dtype=tl.float32)
    dv = tl.zeros([N, D], dtype=tl.float32)

    # causal: the queries before the first key of this block see none of it
    begin = 0
    if CAUSAL:
        begin = tl.program_id(0) * N // M * M
    for start in range(begin, T, M):
        rows = start + tl.arange(0, M)  # (M,)
        real = rows < T
        at = (head + rows[:, None]) * D + channels[None, :]  # (M, D)
        q = tl.load(q_ptr + at, mask=real[:, None], other=0.0)
        do = tl.load(do_ptr + at, mask=real[:, None], other=0.0)
        lse = tl.load(lse_ptr + head + rows, mask=real, other=0.0)
        delta = tl.load(delta_ptr + head + rows, mask=real, other=0.0)

        scores = tl.dot(q, tl.trans(k), input_precision="ieee") * scale  # (M, N)
        visible = real[:, None] & there[None, :]
        if CAUSAL:
            visible = visible & (keys[None, :] <= rows[:, None])
        p = tl.exp(tl.where(visible, scores - lse[:, None], float("-inf")))  # (M, N)
        dv += tl.dot(tl.trans(p).to(do.dtype), do, input_precision="ieee")
        dp = tl.dot(do, tl.trans(v), input_precision="ieee")
        ds = p * (dp - delta[:, None])
        dk += tl.dot(tl.trans(ds).to(q.dtype), q, input_precision="ieee")

    tl.store(dk_ptr + own, (dk * scale).to(dk_ptr.dtype.element_ty), mask=there[:, None])
    tl.store(dv_ptr + own, dv.to(dv_ptr.dtype.element_ty), mask=there[:, None])


@triton.jit
def gradients_of_queries(
    q_ptr, k_ptr, v_ptr, do_ptr, lse_ptr, delta_ptr, dq_ptr, T, scale,
    CAUSAL: tl.constexpr, D: tl.constexpr, M: tl.constexpr, N: tl.constexpr,
):  # fmt: skip
    head = tl.program_id(1).to(tl.int64) * T
    first = tl.program_id(0) * M
    rows = first + tl.arange(0, M)  # (M,)
    channels = tl.arange(0, D)
    real = rows < T
    own = (head + rows[:, None]) * D + channels[None, :]  # (M, D)
    q = tl.load(q_ptr + own, mask=real[:, None], other=0.0)
    do = tl.load(do_ptr + own, mask=real[:, None], other=0.0)
    lse = tl.load(lse_ptr + head + rows, mask=real, other=0.0)
    delta = tl.load(delta_ptr + head + rows, mask=real, other=0.0)
    dq = tl.zeros([M, D], dtype=tl.float32)

    end = T
    if CAUSAL:
        end = tl.minimum(T, first + M)
    for start in range(0, end, N):
        keys = start + tl.arange(0, N)  # (N,)
        there = keys < T
        at = (head + keys[:, None]) * D + channels[None, :]  # (N, D)
        k = tl.load(k_ptr + at, mask=there[:, None], other=0.0)
        v = tl.load(v_ptr + at, mask=there[:, None], other=0.0)

        scores = tl.dot(q, tl.trans(k), input_precision="ieee") * scale  # (M, N)
        visible = real[:, None] & (keys >= 0)[None, :]
        if CAUSAL:
            visible = visible & (keys[None, :] <= rows[:, None])
        p = tl.exp(tl.where(visible, scores - lse[:, None], float("-inf")))
        dp = tl.dot(do, tl.trans(v), input_precision="ieee")
        ds = p * (dp - delta[:, None])
        dq += tl.dot(ds.to(k.dtype), k, input_precision="ieee")

    tl.store(dq_ptr + own, (dq * scale).to(dq_ptr.dtype.element_ty), mask=real[:, None])
