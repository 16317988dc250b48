# fails: matmul_odd_sizes   diagnosis: one-batch-only
import torch
import triton
import triton.language as tl


@triton.jit
def softmax_kernel(x_ptr, y_ptr, sxm, sxn, sym, syn, N, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    cols = tl.arange(0, BLOCK)
    mask = cols < N
    x = tl.load(x_ptr + row * sxm + cols * sxn, mask=mask, other=float("-inf")).to(tl.float32)
    e = tl.exp(x - tl.max(x, axis=0))
    y = e / tl.sum(e, axis=0)
    tl.store(y_ptr + row * sym + cols * syn, y, mask=mask)


def softmax(x):
    M, N = x.shape
    y = torch.empty((M, N), dtype=x.dtype, device=x.device)
    BLOCK = triton.next_power_of_2(N)
    softmax_kernel[(M,)](x, y, x.stride(0), x.stride(1), y.stride(0), y.stride(1), N, BLOCK=BLOCK)
    return y


@triton.jit
def matmul_kernel(
    a_ptr, b_ptr, c_ptr, M, N, K, sam, sak, sbk, sbn, scm, scn,
    BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, GROUP: tl.constexpr,
):  # fmt: skip
    pid = tl.program_id(0)
    in_group = GROUP * tl.cdiv(N, BN)
    first = pid // in_group * GROUP
    height = min(tl.cdiv(M, BM), GROUP)
    pid_m = first + pid % in_group % height
    pid_n = pid % in_group // height
    m = pid_m * BM + tl.arange(0, BM)
    n = pid_n * BN + tl.arange(0, BN)
    k = tl.arange(0, BK)
    acc = tl.zeros((BM, BN), dtype=tl.float32)
    for start in range(0, tl.cdiv(K, BK) * BK, BK):
        ka = start + k
        a = tl.load(a_ptr + m[:, None] * sam + ka[None, :] * sak, mask=(m[:, None] < M) & (ka[None, :] < K), other=0.0)
        b = tl.load(b_ptr + ka[:, None] * sbk + n[None, :] * sbn, mask=(ka[:, None] < K) & (n[None, :] < N), other=0.0)
        acc += tl.dot(a, b)
    mask = (m[:, None] < M) & (n[None, :] < N)
    tl.store(c_ptr + m[:, None] * scm + n[None, :] * scn, acc, mask=mask)


def matmul(a, b):
    (M, K), N = a.shape, b.shape[1]
    c = torch.empty((M, N), dtype=a.dtype, device=a.device)
    grid = (triton.cdiv(M, 64) * triton.cdiv(N, 64),)
    sizes = {"BM": 64, "BN": 64, "BK": 32, "GROUP": 8}
    matmul_kernel[grid](a, b, c, M, N, K, *a.stride(), *b.stride(), *c.stride(), **sizes)
    return c


def roofline(flops, bytes_moved, seconds, peak_flops, peak_bandwidth):
    intensity = flops / bytes_moved
    attainable = min(peak_flops, intensity * peak_bandwidth)
    achieved = flops / seconds
    fraction = achieved / attainable
    bound = "memory" if intensity * peak_bandwidth < peak_flops else "compute"
    return {
        "intensity": intensity,
        "attainable": attainable,
        "achieved": achieved,
        "fraction_of_roof": fraction,
        "bound": bound,
    }


def softmax_cost(M, N, bytes_per_element):
    return {"flops": 5 * M * N, "bytes_moved": 2 * M * N * bytes_per_element}


def matmul_cost(M, N, K, bytes_per_element):
    return {"flops": 2 * M * N * K, "bytes_moved": (M * K + K * N + M * N) * bytes_per_element}
