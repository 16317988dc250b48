# fails: prediction_holds   diagnosis: prediction-off   over: addresses
"""One row of keys and values too many, which shows where there are few."""


def held_bytes(block_m, block_n, head_dim, bytes_per_element):
    """Queries, keys and values as they come; the accumulator and the scores in float32."""
    rows = (block_m + 2 * block_n) * head_dim * bytes_per_element
    return rows + 4 * block_m * head_dim + 4 * block_m * block_n


def block_sizes(head_dim, sram_bytes, bytes_per_element):
    # Keys and values are read once for each block of queries: those come first. More than 128 gain little.
    def fits(block_m, block_n):
        return held_bytes(block_m, block_n, head_dim, bytes_per_element) <= sram_bytes

    block_m = next(size for size in (128, 64, 32, 16) if fits(size, 16) or size == 16)
    block_n = next(size for size in (64, 32, 16) if fits(block_m, size) or size == 16)
    return block_m, block_n


def io_bytes(T, head_dim, block_m, block_n, bytes_per_element, causal):
    row = head_dim * bytes_per_element
    keys = 1  # how many keys all programs load together
    for first in range(0, T, block_m):
        end = min(T, first + block_m) if causal else T
        whole_blocks = -(-end // block_n) * block_n
        keys += min(T, whole_blocks)  # lanes beyond the end are masked and move nothing
    return 2 * T * row + 4 * T + 2 * keys * row
