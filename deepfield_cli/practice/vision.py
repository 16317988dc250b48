"""Vision on the back of an envelope: convolutions, patches, pictures in memory, and the price of sampling."""

from __future__ import annotations

from deepfield_cli.practice.question import Question, Sheet, drill


@drill("vision/convolution-flops", "convolutions", "cs231n-notes")
def convolution_flops(sheet: Sheet) -> Question:
    """2·k²·C_in·C_out·H·W."""
    inputs = sheet.draw("inputs", 64, 128, 256)
    outputs = sheet.draw("outputs", 64, 128, 256, 512)
    kernel = sheet.draw("kernel", 1, 3, 5, 7)
    side = sheet.draw("side", 14, 28, 56, 112)
    per_pixel = sheet.step("per pixel", 2 * kernel**2 * inputs * outputs, "FLOP", "2 per weight")
    sheet.step("layer", per_pixel * side**2, "FLOP", "once per pixel of the output")
    return sheet.ask(
        f"A convolution takes {inputs} channels to {outputs} with a square kernel of side {kernel}; its output is "
        f"{side} × "
        f"{side}. How many FLOP is that for one picture?"
    )


@drill("vision/convolution-parameters", "residual-networks", "resnet-paper")
def convolution_parameters(sheet: Sheet) -> Question:
    """A stage of basic blocks."""
    channels = sheet.draw("channels", 16, 32, 64, 128, 256, 512)
    blocks = sheet.draw("blocks", 2, 3, 6, 9, 18)
    block = sheet.step("block", 2 * 3**2 * channels**2, "parameters", "two 3 × 3 convolutions, C to C")
    sheet.step("stage", blocks * block, "parameters", "all blocks alike")
    return sheet.ask(
        f"A ResNet stage has {blocks} basic blocks of two 3 × 3 convolutions each, {channels} channels throughout. How "
        "many "
        "weights does it have?"
    )


@drill("vision/receptive-field", "convolutions", "cs231n-notes")
def receptive_field(sheet: Sheet) -> Question:
    """1 + 2n(2^s − 1): each stage's kernels reach twice as far."""
    per_stage = sheet.draw("per_stage", 1, 2, 3, 4)
    stages = sheet.draw("stages", 2, 3, 4, 5)
    reach = sheet.step(
        "reach", 2 * per_stage * (2**stages - 1), "pixels", "2·n·(1 + 2 + 4 + …): strides double the reach"
    )
    sheet.step("field", 1 + reach, "pixels", "and the pixel itself")
    return sheet.ask(
        f"A network has {stages} stages of {per_stage} convolutions 3 × 3 (stride 1) each; between stages every second "
        "pixel "
        "is taken. How wide is the receptive field of a unit of the last stage, in input pixels?"
    )


@drill("vision/patches", "vision-transformers", "vit-paper")
def patches(sheet: Sheet) -> Question:
    """(H/p)²."""
    side = sheet.draw("side", 224, 336, 448, 1024)
    patch = sheet.draw("patch", 8, 14, 16, 32)
    sheet.step("patches", (side / patch) ** 2, "tokens", "a grid of side/patch by side/patch")
    return sheet.ask(
        f"How many tokens does a vision transformer make of a picture of side {side}, with patches of side {patch}?"
    )


@drill("vision/vit-flops", "vision-transformers", "vit-paper", "better-plain-vit")
def vit_flops(sheet: Sheet) -> Question:
    """L·(24·T·d² + 4·T²·d)."""
    side = sheet.draw("side", 224, 256, 384)
    patch = sheet.draw("patch", 8, 16, 32)
    layers = sheet.draw("layers", 12, 24)
    width = sheet.draw("width", 192, 384, 768, 1024)
    tokens = sheet.step("tokens", (side / patch) ** 2, "tokens", "the grid of patches")
    matrices = sheet.step("matrices", 24 * tokens * width**2, "FLOP", "12·d² weights, 2 FLOP each, per token")
    scores = sheet.step("scores", 4 * tokens**2 * width, "FLOP", "QKᵀ and the sum over values")
    sheet.step("network", layers * (matrices + scores), "FLOP", "every layer")
    return sheet.ask(
        f"A vision transformer: pictures of side {side}, patches of side {patch}, {layers} layers of width {width}, "
        "MLP four "
        "times as wide. How many FLOP is the forward pass of one picture?"
    )


@drill("vision/activation-memory", "residual-networks", "resnet-paper")
def activation_memory(sheet: Sheet) -> Question:
    """B·C·H·W·bytes per feature map."""
    batch = sheet.draw("batch", 32, 64, 128, 256)
    channels = sheet.draw("channels", 64, 128, 256)
    side = sheet.draw("side", 28, 56, 112)
    maps = sheet.draw("maps", 4, 8, 12)
    one = sheet.step("one map", batch * channels * side**2 * 4, "B", "4 bytes, in float32")
    sheet.step("kept", maps * one, "B", "all are kept for the backward pass")
    return sheet.ask(
        f"The backward pass needs {maps} feature maps of {channels} channels and {side} × {side} pixels, in float32, "
        "for a "
        f"batch of {batch}. How much memory do they take?"
    )


@drill("vision/sampling-time", "sampling-schedules", "ddim-paper", "classifier-free-guidance")
def sampling_time(sheet: Sheet) -> Question:
    """Calls × FLOP per call over the rate; guidance doubles the calls."""
    steps = sheet.draw("steps", 20, 50, 250, 1000)
    call = sheet.draw("call", 200e9, 800e9, 1.5e12, 6e12, unit="FLOP")
    rate = sheet.draw("rate", 20e12, 80e12, 150e12, unit="FLOP/s")
    calls = sheet.step("calls", 2 * steps, "steps", "guidance needs each step with and without the condition")
    sheet.step("time", calls * call / rate, "s", "work over rate")
    return sheet.ask(
        f"A diffusion model takes {call} per call; the GPU sustains {rate}. How long does one picture take in {steps} "
        "steps "
        "with classifier-free guidance?"
    )


@drill("vision/latent-saving", "latent-diffusion", "latent-diffusion-paper")
def latent_saving(sheet: Sheet) -> Question:
    """3·f²/c."""
    factor = sheet.draw("factor", 4, 8, 16, 32)
    channels = sheet.draw("channels", 4, 8, 16)
    sheet.step("saving", 3 * factor**2 / channels, "", "3 values per pixel; f² pixels become one place of c values")
    return sheet.ask(
        f"An autoencoder shrinks each side of an RGB picture by {factor} and keeps {channels} channels. How many times "
        "fewer "
        "numbers does the diffusion model handle?"
    )


@drill("vision/contrastive-logits", "contrastive-learning", "clip-paper", "siglip")
def contrastive_logits(sheet: Sheet) -> Question:
    """N² similarities, 4 bytes each."""
    batch = sheet.draw("batch", 4096, 8192, 16384, 32768)
    pairs = sheet.step("pairs", batch**2, "pairs", "every picture against every text")
    sheet.step("logits", 4 * pairs, "B", "4 bytes, in float32")
    return sheet.ask(
        f"A contrastive batch of {batch} picture-text pairs: how much memory does the whole matrix of similarities "
        "take in "
        "float32?"
    )


@drill("vision/reading-time", "augmentation", "mlperf-training", "timm")
def reading_time(sheet: Sheet) -> Question:
    """Bytes of an epoch over bandwidth."""
    pictures = sheet.draw("pictures", 1.28e6, 5e6, 14e6, 400e6)
    size = sheet.draw("size", 50e3, 110e3, 200e3, unit="B")
    bandwidth = sheet.draw("bandwidth", 200e6, 500e6, 2e9, 7e9, unit="B/s")
    amount = sheet.step("epoch", pictures * size, "B", "each picture once")
    sheet.step("time", amount / bandwidth, "s", "amount over bandwidth")
    return sheet.ask(
        f"{pictures} pictures of {size} each lie on a disk that delivers {bandwidth}. How long does it take to read "
        "them once?"
    )


@drill("vision/separable-saving", "convolutions", "cs231n-notes")
def separable_saving(sheet: Sheet) -> Question:
    """k²·C / (k² + C)."""
    kernel = sheet.draw("kernel", 3, 5, 7)
    channels = sheet.draw("channels", 64, 128, 256, 512)
    full = sheet.step("full", kernel**2 * channels, "", "multiplications per input channel and pixel")
    split = sheet.step("separable", kernel**2 + channels, "", "first in space, then across channels")
    sheet.step("saving", full / split, "", "the ratio of the two")
    return sheet.ask(
        f"A convolution with kernel side {kernel}, {channels} channels in and out, is replaced by a depthwise one and "
        "a "
        "1 × 1. How many times fewer multiplications is that?"
    )


@drill("vision/masked-encoder", "masked-autoencoders", "mae-paper")
def masked_encoder(sheet: Sheet) -> Question:
    """Only the visible patches are encoded."""
    side = sheet.draw("side", 224, 384, 448)
    patch = sheet.draw("patch", 14, 16)
    hidden = sheet.draw("hidden", 0.5, 0.75, 0.9, unit="%")
    tokens = sheet.step("patches", (side / patch) ** 2, "tokens", "the grid of patches")
    sheet.step("encoded", tokens * (1 - hidden), "tokens", "the encoder never sees the others")
    return sheet.ask(
        f"A masked autoencoder hides {hidden} of the patches of side {patch} of a picture of side {side}. How many "
        "tokens does "
        "its encoder see?"
    )
