"""Language models on the back of an envelope: what training costs, what serving holds in memory, what a token takes."""

from __future__ import annotations

from deepfield_cli.practice.number import square_root
from deepfield_cli.practice.question import Question, Sheet, drill


@drill("llm/training-flops", "scaling-laws", "chinchilla-paper")
def training_flops(sheet: Sheet) -> Question:
    """6ND."""
    parameters = sheet.draw("parameters", 124e6, 350e6, 1.3e9, 7e9, 13e9, 70e9)
    tokens = sheet.draw("tokens", 2e9, 10e9, 100e9, 300e9, 1e12, 2e12)
    sheet.step(
        "training", 6 * parameters * tokens, "FLOP", "2 per parameter and token going forward, 4 coming back: 6ND"
    )
    return sheet.ask(
        f"A dense transformer with {parameters} parameters is trained on {tokens} tokens. How many FLOP does that take?"
    )


@drill("llm/chinchilla-tokens", "scaling-laws", "chinchilla-paper")
def chinchilla_tokens(sheet: Sheet) -> Question:
    """About twenty tokens per parameter."""
    parameters = sheet.draw("parameters", 124e6, 400e6, 1.5e9, 3e9, 8e9, 30e9, 70e9)
    sheet.step("tokens", 20 * parameters, "tokens", "compute-optimal training wants about 20 tokens per parameter")
    return sheet.ask(
        f"Roughly how many training tokens are compute-optimal, by the Chinchilla rule, for a model of {parameters} "
        "parameters?"
    )


@drill("llm/compute-optimal-size", "scaling-laws", "chinchilla-paper")
def compute_optimal_size(sheet: Sheet) -> Question:
    """C = 6N·20N, so N = √(C/120)."""
    budget = sheet.draw("budget", 1e19, 1e20, 3e20, 1e21, 6e21, 1e23, 5.8e23, unit="FLOP")
    sheet.step("parameters", square_root(budget / 120), "parameters", "6·N·D with D = 20·N is 120·N²; solve for N")
    return sheet.ask(
        f"You may spend {budget}. About how many parameters does the compute-optimal model have, at 20 tokens per "
        "parameter?"
    )


@drill("llm/training-time", "scaling-laws", "chinchilla-paper", "nanogpt")
def training_time(sheet: Sheet) -> Question:
    """6ND over what the cluster sustains."""
    parameters = sheet.draw("parameters", 124e6, 1.3e9, 7e9, 13e9)
    tokens = sheet.draw("tokens", 10e9, 100e9, 300e9, 1e12)
    devices = sheet.draw("devices", 8, 32, 64, 256)
    peak = sheet.draw("peak", 312e12, 989e12, unit="FLOP/s")
    utilisation = sheet.draw("utilisation", 0.3, 0.4, 0.5, unit="%")
    work = sheet.step("work", 6 * parameters * tokens, "FLOP", "6ND")
    rate = sheet.step("sustained", devices * peak * utilisation, "FLOP/s", "all devices, at the share that is used")
    sheet.step("time", work / rate, "s", "work over rate")
    return sheet.ask(
        f"{parameters} parameters, {tokens} tokens, {devices} GPUs with a peak of {peak} each, used to {utilisation}. "
        "How long does training take?"
    )


@drill("llm/kv-cache", "kv-cache", "gqa-paper", "gpt-fast")
def kv_cache(sheet: Sheet) -> Question:
    """Two tensors per layer, per key-value head, per token."""
    layers = sheet.draw("layers", 12, 24, 32, 48, 80)
    heads = sheet.draw("heads", 4, 8, 32)
    size = sheet.draw("size", 64, 128)
    tokens = sheet.draw("tokens", 2048, 4096, 8192, 32768)
    batch = sheet.draw("batch", 1, 8, 16, 64)
    per_token = sheet.step("per token", 2 * layers * heads * size * 2, "B", "keys and values, 2 bytes each in bf16")
    sheet.step("cache", per_token * tokens * batch, "B", "every token of every sequence")
    return sheet.ask(
        f"How large is the KV cache, in bf16, of a model with {layers} layers and {heads} key-value heads of size "
        f"{size}, "
        f"for a batch of {batch} sequences of {tokens} tokens each?"
    )


@drill("llm/decode-rate", "kv-cache", "gpt-fast")
def decode_rate(sheet: Sheet) -> Question:
    """At batch one, each token reads every weight once."""
    parameters = sheet.draw("parameters", 1.5e9, 3e9, 7e9, 13e9, 70e9)
    width = sheet.draw("width", 1, 2, unit="B")
    bandwidth = sheet.draw("bandwidth", 100e9, 400e9, 900e9, 2e12, 3.35e12, unit="B/s")
    weights = sheet.step("weights", parameters * width, "B", "all are read for each token")
    sheet.step("rate", bandwidth / weights, "tokens/s", "nothing goes faster than the weights arrive")
    return sheet.ask(
        f"A model of {parameters} parameters, {width} each, generates one sequence on a device whose memory delivers "
        f"{bandwidth}. How many tokens per second at most?"
    )


@drill("llm/prefill-time", "kv-cache", "gpt-fast")
def prefill_time(sheet: Sheet) -> Question:
    """2N per token, bound by arithmetic."""
    parameters = sheet.draw("parameters", 1.5e9, 7e9, 13e9, 70e9)
    tokens = sheet.draw("tokens", 1000, 4000, 8000, 32000)
    peak = sheet.draw("peak", 125e12, 312e12, 989e12, unit="FLOP/s")
    utilisation = sheet.draw("utilisation", 0.4, 0.5, 0.6, unit="%")
    work = sheet.step("work", 2 * parameters * tokens, "FLOP", "a multiplication and an addition per weight and token")
    sheet.step("time", work / (peak * utilisation), "s", "a long prompt is bound by arithmetic")
    return sheet.ask(
        f"A prompt of {tokens} tokens goes through a model of {parameters} parameters on a GPU with a peak of {peak}, "
        f"used to {utilisation}. How long until the first token, attention scores left aside?"
    )


@drill("llm/attention-share", "self-attention", "attention-is-all-you-need", "nanogpt")
def attention_share(sheet: Sheet) -> Question:
    """4Td of 24d² + 4Td."""
    width = sheet.draw("width", 768, 1024, 2048, 4096, 8192)
    tokens = sheet.draw("tokens", 256, 512, 1024, 2048, 4096)
    matrices = sheet.step("matrices", 24 * width**2, "FLOP", "12·d² weights per layer, 2 FLOP each, per token")
    scores = sheet.step("scores", 4 * tokens * width, "FLOP", "QKᵀ and the sum over values, 2·T·d each, per token")
    sheet.step("share", scores / (matrices + scores), "%", "scores over everything")
    return sheet.ask(
        f"A standard transformer layer (MLP four times as wide) has width {width} and sees {tokens} tokens. What share "
        "of "
        "its forward FLOP are the attention scores and the weighted sum, if no masked entry is skipped?"
    )


@drill("llm/vocabulary-projection", "next-token-loss", "build-nanogpt")
def vocabulary_projection(sheet: Sheet) -> Question:
    """2·T·d·V."""
    tokens = sheet.draw("tokens", 8192, 16384, 65536, 524288)
    width = sheet.draw("width", 768, 1600, 2048, 4096)
    words = sheet.draw("words", 32000, 50257, 100000, 128000, 256000)
    sheet.step("projection", 2 * tokens * width * words, "FLOP", "a matrix product: 2 per token, channel and word")
    return sheet.ask(
        f"How many FLOP is the forward pass of the last layer alone, from width {width} to a vocabulary of {words}, "
        "for a "
        f"batch of {tokens} tokens?"
    )


@drill("llm/logits-memory", "next-token-loss", "build-nanogpt")
def logits_memory(sheet: Sheet) -> Question:
    """T·V·4 bytes."""
    sequences = sheet.draw("sequences", 4, 8, 16, 32)
    tokens = sheet.draw("tokens", 1024, 2048, 4096)
    words = sheet.draw("words", 32000, 50257, 128000, 256000)
    sheet.step("logits", sequences * tokens * words * 4, "B", "one float32, 4 bytes, per token and word")
    return sheet.ask(
        f"How much memory do the logits take in float32, for {sequences} sequences of {tokens} tokens and a vocabulary "
        "of "
        f"{words}?"
    )


@drill("llm/parameter-count", "residual-stream", "nanogpt")
def parameter_count(sheet: Sheet) -> Question:
    """12·L·d² + V·d."""
    layers = sheet.draw("layers", 12, 24, 32, 36, 48)
    width = sheet.draw("width", 768, 1024, 1600, 2048, 4096)
    words = sheet.draw("words", 32000, 50257, 128000)
    blocks = sheet.step(
        "blocks", 12 * layers * width**2, "parameters", "4·d² in attention and 8·d² in the MLP, per layer"
    )
    table = sheet.step("embedding", words * width, "parameters", "one row per word; the output layer shares it")
    sheet.step("model", blocks + table, "parameters", "both together; biases and norms are noise")
    return sheet.ask(
        f"A GPT-style model has {layers} layers of width {width}, an MLP four times as wide, and a tied vocabulary of "
        f"{words}. How many parameters is that?"
    )


@drill("llm/batch-steps", "gradient-clipping-accumulation", "nanogpt")
def accumulation_steps(sheet: Sheet) -> Question:
    """Tokens per update over tokens per pass."""
    batch = sheet.draw("batch", 491520, 524288, 1e6, 2e6, 4e6)
    devices = sheet.draw("devices", 1, 2, 4, 8)
    sequences = sheet.draw("sequences", 4, 8, 12, 16)
    tokens = sheet.draw("tokens", 1024, 2048)
    at_once = sheet.step("at once", devices * sequences * tokens, "tokens", "what all devices hold in one pass")
    sheet.step("passes", batch / at_once, "steps", "gradients are added up until the batch is full")
    return sheet.ask(
        f"Each update should see {batch} tokens. {devices} GPUs hold {sequences} sequences of {tokens} tokens each. "
        "How many "
        "accumulation steps make one update?"
    )


@drill("llm/draft-and-verify", "draft-and-verify", "speculative-decoding", "speculative-sampling")
def draft_and_verify(sheet: Sheet) -> Question:
    """(1 − a^(k+1)) / (1 − a)."""
    rate = sheet.draw("rate", 0.6, 0.7, 0.8, 0.9)
    drafted = sheet.draw("drafted", 3, 4, 5, 7)
    sheet.step(
        "expected", (1 - rate ** (drafted + 1)) / (1 - rate), "tokens", "1 + a + a² + … + aᵏ: each needs all before it"
    )
    return sheet.ask(
        f"A small model drafts {drafted} tokens, and each is accepted with probability {rate}, independently. How many "
        "tokens "
        "come out of one pass of the large model on average, its own correction included?"
    )


@drill("llm/lora-size", "instruction-tuning", "lora-paper")
def lora_size(sheet: Sheet) -> Question:
    """2·d·r per adapted matrix."""
    layers = sheet.draw("layers", 24, 32, 48, 80)
    matrices = sheet.draw("matrices", 2, 4)
    width = sheet.draw("width", 2048, 4096, 5120, 8192)
    rank = sheet.draw("rank", 4, 8, 16, 64)
    each = sheet.step("per matrix", 2 * width * rank, "parameters", "one factor d × r, one factor r × d")
    sheet.step("all", layers * matrices * each, "parameters", "every adapted matrix of every layer")
    return sheet.ask(
        f"LoRA of rank {rank} on {matrices} square matrices per layer, in a model with {layers} layers of width "
        f"{width}. How "
        "many parameters are trained?"
    )
