# fails: prediction_holds   diagnosis: causal-loop-not-bounded   over: addresses
"""Reads all keys and hides half of them."""


import triton
import triton.language as tl


@triton.jit
def attend(
    q_ptr, k_ptr, v_ptr, o_ptr, lse_ptr,
    q_batch, q_head, q_row, q_channel,
    k_batch, k_head, k_row, k_channel,
    v_batch, v_head, v_row, v_channel,
    o_batch, o_head, o_row, o_channel,
    H, T, scale,
    CAUSAL: tl.constexpr, D: tl.constexpr, M: tl.constexpr, N: tl.constexpr,
):  # fmt: skip
    # subtle: with many rows the products below pass 2^31, so the large factors are 64 bits wide
    batch = (tl.program_id(1) // H).to(tl.int64)
    head = (tl.program_id(1) % H).to(tl.int64)
    first = tl.program_id(0) * M

    rows = first + tl.arange(0, M)  # (M,)
    channels = tl.arange(0, D)  # (D,)
    real = rows < T  # the last block may reach beyond the end

    q_at = q_ptr + batch * q_batch + head * q_head + rows[:, None] * q_row + channels[None, :] * q_channel
    k_head_ptr = k_ptr + batch * k_batch + head * k_head
    v_head_ptr = v_ptr + batch * v_batch + head * v_head
    o_at = o_ptr + batch * o_batch + head * o_head + rows[:, None] * o_row + channels[None, :] * o_channel
    q = tl.load(q_at, mask=real[:, None], other=0.0)  # (M, D), read once

    # what is known of each row so far: its largest score, its sum of powers, its weighted sum of values
    top = tl.full([M], float("-inf"), dtype=tl.float32)
    total = tl.zeros([M], dtype=tl.float32)
    gathered = tl.zeros([M, D], dtype=tl.float32)

    # a causal row sees no key beyond the end of its own block: half of all blocks are never touched
    end = T

    for start in range(0, end, N):
        keys = start + tl.arange(0, N)  # (N,)
        there = keys < T
        k_at = k_head_ptr + keys[None, :] * k_row + channels[:, None] * k_channel  # (D, N): already transposed
        k = tl.load(k_at, mask=there[None, :], other=0.0)
        scores = tl.dot(q, k, input_precision="ieee") * scale  # (M, N)
        visible = there[None, :]
        if CAUSAL:
            visible = visible & (keys[None, :] <= rows[:, None])
        scores = tl.where(visible, scores, float("-inf"))

        # subtle: key 0 is visible to every row and comes first, so new_top is finite from here on
        new_top = tl.maximum(top, tl.max(scores, axis=1))  # (M,)
        powers = tl.exp(scores - new_top[:, None])  # (M, N)
        shrink = tl.exp(top - new_top)  # (M,); exp(-inf) = 0 in the first round
        total = total * shrink + tl.sum(powers, axis=1)

        v_at = v_head_ptr + keys[:, None] * v_row + channels[None, :] * v_channel  # (N, D)
        v = tl.load(v_at, mask=there[:, None], other=0.0)
        gathered = gathered * shrink[:, None] + tl.dot(powers.to(v.dtype), v, input_precision="ieee")
        top = new_top

    tl.store(o_at, (gathered / total[:, None]).to(o_ptr.dtype.element_ty), mask=real[:, None])
    # the one number per row that the backward pass needs in order to make every weight again
    lse_at = lse_ptr + tl.program_id(1).to(tl.int64) * T + rows
    tl.store(lse_at, top + tl.log(total), mask=real)
