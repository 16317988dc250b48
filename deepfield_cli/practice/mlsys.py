"""Systems on the back of an envelope: rooflines, traffic, memory of training, and the time between failures."""

from __future__ import annotations

from deepfield_cli.practice.number import number, square_root
from deepfield_cli.practice.question import Question, Sheet, drill


@drill("mlsys/training-state", "sharded-training", "zero-paper")
def training_state(sheet: Sheet) -> Question:
    """16 bytes per parameter."""
    parameters = sheet.draw("parameters", 350e6, 1.3e9, 7e9, 13e9, 70e9)
    each = sheet.step(
        "per parameter", number(2) + 2 + 4 + 4 + 4, "B", "weight and gradient in bf16; copy and two moments in float32"
    )
    sheet.step("state", parameters * each, "B", "activations come on top")
    return sheet.ask(
        "Mixed-precision training with AdamW: how much memory do weights, gradients and optimiser states of "
        f"{parameters} "
        "parameters take?"
    )


@drill("mlsys/sharded-state", "sharded-training", "zero-paper", "pytorch-fsdp-paper")
def sharded_state(sheet: Sheet) -> Question:
    """16 bytes per parameter over all devices."""
    parameters = sheet.draw("parameters", 7e9, 13e9, 70e9, 405e9)
    devices = sheet.draw("devices", 8, 16, 64, 512)
    state = sheet.step("state", 16 * parameters, "B", "AdamW in mixed precision: 16 bytes per parameter")
    sheet.step("per device", state / devices, "B", "ZeRO stage 3 shares out all of it")
    return sheet.ask(
        f"{parameters} parameters are trained with AdamW in mixed precision, fully sharded over {devices} GPUs. How "
        "much state "
        "does each hold?"
    )


@drill("mlsys/ring-all-reduce", "parallelism", "megatron-lm-paper")
def ring_all_reduce(sheet: Sheet) -> Question:
    """2(p − 1)/p of the data over the link."""
    parameters = sheet.draw("parameters", 124e6, 1.3e9, 7e9)
    devices = sheet.draw("devices", 4, 8, 16, 64)
    bandwidth = sheet.draw("bandwidth", 12.5e9, 25e9, 50e9, 450e9, unit="B/s")
    amount = sheet.step("gradients", 2 * parameters, "B", "2 bytes each, in bf16")
    sent = sheet.step(
        "sent", 2 * (devices - 1) / devices * amount, "B", "reduce-scatter, then all-gather, around the ring"
    )
    sheet.step("time", sent / bandwidth, "s", "each link is busy all the time")
    return sheet.ask(
        f"The bf16 gradients of {parameters} parameters are all-reduced in a ring of {devices} GPUs whose links carry "
        f"{bandwidth} each way. How long does that take?"
    )


@drill("mlsys/pipeline-bubble", "parallelism", "gpipe-paper")
def pipeline_bubble(sheet: Sheet) -> Question:
    """(p − 1)/(m + p − 1)."""
    stages = sheet.draw("stages", 2, 4, 8, 16)
    parts = sheet.draw("parts", 8, 16, 32, 64, 128)
    sheet.step("bubble", (stages - 1) / (parts + stages - 1), "%", "filling and draining take p − 1 of m + p − 1 slots")
    return sheet.ask(
        f"A pipeline of {stages} stages runs {parts} microbatches per step, GPipe's way. What share of the time is a "
        "device "
        "idle?"
    )


@drill("mlsys/ridge-point", "roofline", "roofline-paper")
def ridge_point(sheet: Sheet) -> Question:
    """Peak over bandwidth."""
    peak = sheet.draw("peak", 19.5e12, 125e12, 312e12, 989e12, unit="FLOP/s")
    bandwidth = sheet.draw("bandwidth", 900e9, 1.555e12, 2.039e12, 3.35e12, unit="B/s")
    sheet.step("ridge", peak / bandwidth, "FLOP/B", "from here on arithmetic, not memory, is the limit")
    return sheet.ask(
        f"A device has a peak of {peak} and a memory bandwidth of {bandwidth}. At which arithmetic intensity does a "
        "kernel "
        "stop being bound by memory?"
    )


@drill("mlsys/matmul-intensity", "memory-or-compute-bound", "roofline-paper", "horace-brrr")
def matmul_intensity(sheet: Sheet) -> Question:
    """2mnk over the bytes of three matrices."""
    rows = sheet.draw("rows", 1, 16, 128, 1024, 4096)
    inner = sheet.draw("inner", 1024, 4096, 8192)
    columns = sheet.draw("columns", 1024, 4096, 16384)
    work = sheet.step("work", 2 * rows * inner * columns, "FLOP", "a multiplication and an addition per triple")
    traffic = sheet.step(
        "traffic", 2 * (rows * inner + inner * columns + rows * columns), "B", "each matrix once, 2 bytes per number"
    )
    sheet.step("intensity", work / traffic, "FLOP/B", "work over traffic")
    return sheet.ask(
        f"A bf16 product of a {rows} × {inner} by a {inner} × {columns} matrix moves each matrix once. What is its "
        "arithmetic "
        "intensity?"
    )


@drill("mlsys/host-transfer", "gpu-memory-hierarchy", "horace-brrr")
def host_transfer(sheet: Sheet) -> Question:
    """Bytes over the bus."""
    parameters = sheet.draw("parameters", 1.3e9, 7e9, 13e9, 70e9)
    bandwidth = sheet.draw("bandwidth", 12e9, 25e9, 50e9, unit="B/s")
    amount = sheet.step("weights", 2 * parameters, "B", "2 bytes each, in bf16")
    sheet.step("time", amount / bandwidth, "s", "amount over bandwidth")
    return sheet.ask(
        f"How long does it take to copy {parameters} bf16 weights from the host to a GPU over a bus that sustains "
        f"{bandwidth}?"
    )


@drill("mlsys/quantised-size", "weight-quantization", "gptq-paper", "awq-paper")
def quantised_size(sheet: Sheet) -> Question:
    """bits/8 and a scale per group."""
    parameters = sheet.draw("parameters", 1.5e9, 7e9, 13e9, 70e9)
    bits = sheet.draw("bits", 3, 4, 8)
    group = sheet.draw("group", 32, 64, 128)
    each = sheet.step("per weight", bits / 8 + 2 / group, "B", "its bits, and its share of a 2-byte scale")
    sheet.step("model", parameters * each, "B", "all weights")
    return sheet.ask(
        f"How large are {parameters} weights at {bits} bits each, with one 16-bit scale per group of {group}?"
    )


@drill("mlsys/elementwise-time", "memory-or-compute-bound", "horace-brrr", "triton-fused-softmax")
def elementwise_time(sheet: Sheet) -> Question:
    """One read and one write per element."""
    rows = sheet.draw("rows", 4096, 8192, 16384, 65536)
    columns = sheet.draw("columns", 1024, 4096, 8192)
    bandwidth = sheet.draw("bandwidth", 900e9, 2e12, 3.35e12, unit="B/s")
    traffic = sheet.step("traffic", 2 * rows * columns * 2, "B", "read once, written once, 2 bytes per number")
    sheet.step("time", traffic / bandwidth, "s", "the arithmetic is free beside it")
    return sheet.ask(
        f"A fused softmax reads and writes a bf16 matrix of {rows} × {columns} once each, at {bandwidth}. What is the "
        "least "
        "time that it takes?"
    )


@drill("mlsys/layer-activations", "sharded-training", "sequence-parallel-paper")
def layer_activations(sheet: Sheet) -> Question:
    """34·s·b·h per layer."""
    layers = sheet.draw("layers", 24, 32, 48, 80)
    tokens = sheet.draw("tokens", 1024, 2048, 4096)
    batch = sheet.draw("batch", 1, 2, 4, 8)
    width = sheet.draw("width", 2048, 4096, 8192)
    each = sheet.step(
        "per layer", 34 * tokens * batch * width, "B", "34 bytes per token and channel, attention scores not kept"
    )
    sheet.step("all layers", layers * each, "B", "without recomputation")
    return sheet.ask(
        f"A transformer with {layers} layers of width {width} trains in 16 bits on {batch} sequences of {tokens} "
        "tokens. Each "
        "layer keeps 34 bytes per token and channel for the backward pass. How much is that in all?"
    )


@drill("mlsys/score-matrix", "io-aware-attention", "flashattention", "flashattention-2")
def score_matrix(sheet: Sheet) -> Question:
    """b·h·T²·2."""
    batch = sheet.draw("batch", 1, 4, 8, 16)
    heads = sheet.draw("heads", 12, 16, 32, 64)
    tokens = sheet.draw("tokens", 1024, 2048, 4096, 8192, 16384)
    sheet.step("scores", batch * heads * tokens**2 * 2, "B", "2 bytes per pair of tokens, for every head")
    return sheet.ask(
        f"How much memory does attention need for its score matrix if it writes it out in bf16: {batch} sequences, "
        f"{heads} "
        f"heads, {tokens} tokens?"
    )


@drill("mlsys/checkpoint-time", "experiment-reproducibility", "torchtitan")
def checkpoint_time(sheet: Sheet) -> Question:
    """12 bytes per parameter over the disk."""
    parameters = sheet.draw("parameters", 1.3e9, 7e9, 70e9, 405e9)
    bandwidth = sheet.draw("bandwidth", 500e6, 2e9, 10e9, 50e9, unit="B/s")
    amount = sheet.step("checkpoint", 12 * parameters, "B", "float32 weight and two moments: 3 × 4 bytes")
    sheet.step("time", amount / bandwidth, "s", "amount over bandwidth")
    return sheet.ask(
        f"A checkpoint holds float32 weights and both Adam moments of {parameters} parameters. How long does it take "
        "to write "
        f"at {bandwidth}?"
    )


@drill("mlsys/cluster-failures", "parallelism")
def cluster_failures(sheet: Sheet) -> Question:
    """Mean time of one over how many."""
    devices = sheet.draw("devices", 256, 1024, 4096, 16384)
    life = sheet.draw("life", 31557600.0 * 3, 31557600.0 * 5, 31557600.0 * 10, unit="s")
    sheet.step("between failures", life / devices, "s", "so many times as many chances to fail")
    return sheet.ask(f"One GPU fails every {life} on average. How often does one fail in a job with {devices} of them?")


@drill("mlsys/checkpoint-interval", "sharded-training")
def checkpoint_interval(sheet: Sheet) -> Question:
    """√(2·C·M)."""
    cost = sheet.draw("cost", 10, 30, 60, 300, unit="s")
    between = sheet.draw("between", 3 * 3600, 12 * 3600, 3 * 86400, unit="s")
    sheet.step("interval", square_root(2 * cost * between), "s", "Young's rule: lost work and writing balance")
    return sheet.ask(
        f"Writing a checkpoint stops training for {cost}; something fails every {between}. How much time should lie "
        "between "
        "checkpoints, by Young's rule √(2·C·M)?"
    )


@drill("mlsys/utilisation", "roofline", "megatron-lm-paper")
def utilisation(sheet: Sheet) -> Question:
    """6N per token over the peak."""
    parameters = sheet.draw("parameters", 124e6, 350e6, 1.3e9, 7e9)
    peak = sheet.draw("peak", 312e12, 989e12, unit="FLOP/s")
    speed = sheet.draw("speed", 2000, 5000, 6500, unit="tokens/s")
    work = sheet.step("per token", 6 * parameters, "FLOP", "forward and backward")
    sheet.step("utilisation", speed * work / peak, "%", "what is done over what could be done")
    return sheet.ask(
        f"A model of {parameters} parameters trains at {speed} per GPU, whose peak is {peak}. What share of the peak "
        "is used?"
    )
