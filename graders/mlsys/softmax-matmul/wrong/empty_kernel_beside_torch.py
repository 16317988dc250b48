# fails: matmul_matches   diagnosis: torch-computes
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
def touch(c_ptr):
    tl.load(c_ptr)


def matmul(a, b):
    c = torch.matmul(a, b)
    touch[(1,)](c)
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
