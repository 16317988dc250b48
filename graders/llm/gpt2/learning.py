"""The laptop rung: a small GPT learns a source of known entropy, and the grader measures how near it came.

Measured through this check, sources drawn afresh, one run each, on two cores beside other work (nats per token above
the floor on held-out text; below 0.04 passes; the floor was 1.22 to 1.24 and the best n-gram 0.43 above it):

    two layers: the shipped solutions                  0.0025  0.0031  0.0051  0.0153   in 95 to 264 s
    one layer                                          0.0543
    two layers without positions                       0.413
    two layers with a window of 8                      0.425, no better than an n-gram

While the settings were chosen, with lower rates and fewer steps, two layers reached 0.004 to 0.034, and one layer with
four heads 0.009: four heads can read the flag and all three places at once, and then one layer is enough. With one
head, two layers reached 0.005 and 0.016, and one layer 0.056. With a window of 8 tokens two layers reach back 14, and
the letter is 16 away: such a model is an n-gram of order 15, and cannot fall below EchoSource.ngram_bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from deepfield_cli.grading import CheckFailed, Reference, Submission, Tensor, expect
from deepfield_cli.grading.long_run import LongRun
from graders.kit.sources import Array, EchoSource, Tokens, draw_echo

from .oracle import losses
from .reference_run import Run
from .stream import shard_bytes

# The brief's promise.
ALLOWED_NATS = 0.04
# The order of the n-grams that are quoted; up to 17 none sees what comes back, and no longer one has text enough.
NGRAM_ORDER = 17
# 400 documents of 126 tokens. Their own surprise is subtracted, so that the error of the difference is below 0.001.
HELD_OUT_DOCUMENTS, DOCUMENTS_AT_A_TIME = 400, 100
# Float noise of a prefix against the whole.
_CAUSAL_NOISE = 1e-3


@dataclass(frozen=True)
class Lesson:
    """What a model is trained on, how large it is, and for how long.

    Attributes:
        layers, heads, width: of the model.
        run: the settings of train.
        documents: in the training text; none is read twice.

    """

    layers: int
    heads: int
    width: int
    run: Run
    documents: int


def lesson(source: EchoSource, *, steps: int = 2_000, batch_size: int = 16) -> Lesson:
    """Two layers, and text for so many steps."""
    run = Run(
        max_steps=steps,
        batch_size=batch_size,
        seq_len=source.document_length,
        accumulation=1,
        max_lr=8e-3,
        min_lr=8e-4,
        warmup_steps=min(100, steps // 10),
        weight_decay=0.1,
        betas=(0.9, 0.95),
        max_norm=1.0,
        checkpoint_every=200,
    )
    return Lesson(layers=2, heads=2, width=64, run=run, documents=steps * batch_size + 1)


def train_and_measure(submission: Submission, rng: np.random.Generator, run: LongRun) -> dict[str, float]:
    """Draw a source, train on its text, restore the model in a fresh process and measure it on other text."""
    source = draw_echo(rng)
    plan = lesson(source)
    folder = f"{run.folder}/model"
    train(submission, source, plan, rng, folder, run)
    submission.restart()
    model = submission.call("load_model", folder, opaque=True)
    held_out = source.sample(rng, HELD_OUT_DOCUMENTS + 1)
    found = measure(model, source, held_out)
    _expect_causal(model, held_out[:1])
    return _judged(found, source)


def train(
    submission: Submission, source: EchoSource, plan: Lesson, rng: np.random.Generator, folder: str, run: LongRun
) -> None:
    """Write the text as two shards and call train on it."""
    text = source.sample(rng, plan.documents).ravel()
    half = len(text) // 2
    path = submission.write_file("tokens/text_train_000001.bin", shard_bytes(text[half:]))
    submission.write_file("tokens/text_train_000000.bin", shard_bytes(text[:half]))
    sizes = {
        "vocab_size": source.vocab_size,
        "block_size": source.document_length,
        "n_layer": plan.layers,
        "n_head": plan.heads,
        "n_embd": plan.width,
    }
    config = submission.call("GPTConfig", **sizes, opaque=True)
    seed, steps = int(rng.integers(1 << 30)), plan.run.max_steps
    with run.following("model/progress.jsonl", total=steps):
        where = (path.rpartition("/")[0], folder)
        submission.call("train", *where, config, seed, steps, opaque=True, **plan.run.settings())


@dataclass(frozen=True)
class Measured:
    """Nats per token on held-out text.

    Attributes:
        loss: what the model paid, less what this very text costs above or below the source's entropy rate.
        excess: what it paid more than the source's own probabilities.
        standard_error: of the excess.

    """

    loss: float
    excess: float
    standard_error: float


def measure(model: Reference, source: EchoSource, documents: Tokens) -> Measured:
    """The loss of each token but the very first, computed from the logits that the model returns.

    The last prediction of a document is the flag of the next, which costs what every flag costs.
    """
    own = -source.log_probabilities(documents)
    text, cost = documents.ravel(), own.ravel()
    rows, length = len(documents) - 1, source.document_length
    idx = text[: rows * length].reshape(rows, length)
    targets = text[1 : rows * length + 1].reshape(rows, length)
    paid = np.concatenate([losses(_logits(model, idx[at], source), targets[at]) for at in _parts(rows)])
    excess = (paid - cost[1 : rows * length + 1].reshape(rows, length)).mean(1)
    error = float(excess.std(ddof=1) / np.sqrt(rows))
    return Measured(source.entropy_rate() + float(excess.mean()), float(excess.mean()), error)


def _parts(rows: int) -> list[slice]:
    return [slice(start, start + DOCUMENTS_AT_A_TIME) for start in range(0, rows, DOCUMENTS_AT_A_TIME)]


def _logits(model: Reference, idx: Tokens, source: EchoSource) -> Array:
    return logits_of(model, idx, source.vocab_size)


def logits_of(model: Reference, idx: Tokens, vocab_size: int) -> Array:
    """(B, T, V) float64; CheckFailed for anything that is not that."""
    answer: Any = model.call("__call__", Tensor(idx))
    scores = answer[0] if isinstance(answer, tuple | list) and answer else answer
    shape = (*idx.shape, vocab_size)
    is_right = isinstance(scores, Tensor) and scores.array.dtype.kind == "f" and scores.shape == shape
    shown = f"{scores.dtype} of shape {list(scores.shape)}" if isinstance(scores, Tensor) else type(scores).__name__
    words = "the restored model returns no logits"
    expect(is_right, words, expected=f"floats of shape {list(shape)}", actual=shown, diagnosis="wrong-shape")
    found: Array = np.asarray(scores.array, dtype=np.float64)
    expect(bool(np.isfinite(found).all()), "the restored model's logits are not finite", diagnosis="not-finite")
    return found


def _expect_causal(model: Reference, row: Tokens) -> None:
    """The loss means nothing if the logits of a text know how it goes on."""
    half = row.shape[1] // 2
    vocab_size = int(model.call("__call__", Tensor(row))[0].shape[-1])
    whole, part = logits_of(model, row, vocab_size), logits_of(model, row[:, :half], vocab_size)
    distance = float(np.abs(whole[:, :half] - part).max())
    expect(
        distance <= _CAUSAL_NOISE * float(np.abs(whole).max()),
        "the restored model's logits change with what comes later",
        expected="the same logits for a text and for its first half",
        actual=f"they differ by {distance:.3g}",
        diagnosis="sees-the-future",
    )


def _judged(found: Measured, source: EchoSource) -> dict[str, float]:
    floor, bound = source.entropy_rate(), source.ngram_bound(NGRAM_ORDER)
    expected = f"at most {floor + ALLOWED_NATS:.4f}: the floor is {floor:.4f}, the best n-gram has {bound:.4f}"
    actual = f"{found.loss:.4f} nats per token"
    if found.loss >= bound:
        raise CheckFailed("held-out text is predicted no better than an n-gram could", expected=expected, actual=actual)
    if found.excess > ALLOWED_NATS:
        help_text = "Is the restored model the one that was trained, with all its layers and all its positions?"
        words = f"held-out loss is {found.excess:.4f} nats per token above the floor"
        raise CheckFailed(words, help=help_text, expected=expected, actual=actual)
    return {
        "held_out_loss": found.loss,
        "entropy_floor": floor,
        "best_ngram": bound,
        "above_the_floor": found.excess,
        "standard_error": found.standard_error,
    }
