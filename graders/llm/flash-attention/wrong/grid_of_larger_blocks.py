# fails: edge_sizes   diagnosis: none
"""Has blocks of 64 queries where a row is long, and launches as many programs as blocks of 128 would need."""

import torch
import triton
import triton.language as tl


@triton.jit
def attend(
    q_ptr, k_ptr, v_ptr, o_ptr,
    q_batch, q_head, q_row, q_channel,
    k_batch, k_head, k_row, k_channel,
    v_batch, v_head, v_row, v_channel,
    o_batch, o_head, o_row, o_channel,
    n_heads, length, scale,
    CAUSAL: tl.constexpr, D: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr,
):  # fmt: skip
    # subtle: with many rows the products below pass 2^31, so the large factors are 64 bits wide
    batch = (tl.program_id(1) // n_heads).to(tl.int64)
    head = (tl.program_id(1) % n_heads).to(tl.int64)
    first = tl.program_id(0) * BLOCK_M

    rows = first + tl.arange(0, BLOCK_M)  # (M,)
    columns = tl.arange(0, BLOCK_N)  # (N,)
    channels = tl.arange(0, D)  # (D,)
    real = rows < length  # the last block may reach beyond the end

    q_head_ptr = q_ptr + batch * q_batch + head * q_head
    k_head_ptr = k_ptr + batch * k_batch + head * k_head
    v_head_ptr = v_ptr + batch * v_batch + head * v_head
    o_head_ptr = o_ptr + batch * o_batch + head * o_head

    # the queries are read once and stay
    q_at = q_head_ptr + rows[:, None] * q_row + channels[None, :] * q_channel  # (M, D)
    q = tl.load(q_at, mask=real[:, None], other=0.0)

    # what is known of each row so far: its largest score, its sum of powers, its weighted sum of values
    top = tl.full([BLOCK_M], float("-inf"), dtype=tl.float32)
    total = tl.zeros([BLOCK_M], dtype=tl.float32)
    gathered = tl.zeros([BLOCK_M, D], dtype=tl.float32)

    # a causal row sees no key beyond the end of its own block: half of all blocks are never touched
    end = length
    if CAUSAL:
        end = tl.minimum(length, first + BLOCK_M)

    for start in range(0, end, BLOCK_N):
        keys = start + columns
        there = keys < length
        k_at = k_head_ptr + keys[None, :] * k_row + channels[:, None] * k_channel  # (D, N): already transposed
        k = tl.load(k_at, mask=there[None, :], other=0.0)
        scores = tl.dot(q, k, input_precision="ieee") * scale  # (M, N)

        # positions are compared, not blocks; keys beyond the end are hidden like the future
        visible = there[None, :]
        if CAUSAL:
            visible = visible & (keys[None, :] <= rows[:, None])
        scores = tl.where(visible, scores, float("-inf"))

        # subtle: key 0 is visible to every row and comes first, so new_top is finite from here on
        new_top = tl.maximum(top, tl.max(scores, axis=1))  # (M,)
        powers = tl.exp(scores - new_top[:, None])  # (M, N)
        # everything so far was relative to the old maximum
        shrink = tl.exp(top - new_top)  # (M,); exp(-inf) = 0 in the first round
        total = total * shrink + tl.sum(powers, axis=1)

        v_at = v_head_ptr + keys[:, None] * v_row + channels[None, :] * v_channel  # (N, D)
        v = tl.load(v_at, mask=there[:, None], other=0.0)
        gathered = gathered * shrink[:, None] + tl.dot(powers.to(v.dtype), v, input_precision="ieee")
        top = new_top

    # one division at the very end
    o_at = o_head_ptr + rows[:, None] * o_row + channels[None, :] * o_channel
    tl.store(o_at, (gathered / total[:, None]).to(o_ptr.dtype.element_ty), mask=real[:, None])


def flash_attention(q, k, v, causal=True):
    batch, heads, length, size = q.shape
    o = torch.zeros_like(q)
    block_m, block_n = block_sizes(length, size, q.element_size())
    grid = (triton.cdiv(length, min(128, max(16, triton.next_power_of_2(length)))), batch * heads)
    attend[grid](
        q, k, v, o,
        *q.stride(), *k.stride(), *v.stride(), *o.stride(),
        heads, length, size**-0.5,
        CAUSAL=causal, D=size, BLOCK_M=block_m, BLOCK_N=block_n,
        num_warps=8 if size == 128 else 4,
    )  # fmt: skip
    return o


def block_sizes(length, size, element_bytes):
    """Blocks as large as registers and shared memory allow; smaller ones only where the sequence is shorter."""
    row_bytes = size * element_bytes
    whole = max(16, triton.next_power_of_2(length))
    return min(128 if row_bytes <= 256 else 64, whole), min(64 if row_bytes <= 128 else 32, whole)


def attention_block(x, w_qkv, b_qkv, w_out, b_out, n_heads):
    batch, length, width = x.shape
    qkv = x @ w_qkv + b_qkv  # (B, T, 3C)
    # (B, T, 3, H, D) to three times (B, H, T, D): views, since the kernel takes any strides
    q, k, v = qkv.reshape(batch, length, 3, n_heads, width // n_heads).permute(2, 0, 3, 1, 4)
    heads = flash_attention(q, k, v, causal=True)  # (B, H, T, D)
    merged = heads.transpose(1, 2).reshape(batch, length, width)
    return merged @ w_out + b_out  # (B, T, C)
