"""The hidden checks of llm/gpt2: network, optimizer, data, evaluation, and a training run that survives a kill."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from deepfield_cli.grading import (
    CheckFailed,
    Reference,
    Submission,
    Suite,
    Tensor,
    Tolerance,
    expect,
    expect_close,
    expect_equal,
    expect_unchanged,
)
from deepfield_cli.grading.long_run import LongRun

from . import beginnings, cases, endings, interruptions, learning, misconceptions, oracle, published
from . import layout as layouts
from .cases import Case
from .endings import Item
from .gradients import loss_and_gradients, mean_of
from .layout import Layout, as_tensors, loaded_model, new_model
from .misconceptions import Mistakes
from .oracle import Array, Config
from .stream import Reader, Tokens, shard_bytes
from .updates import AdamW, Gathered, Schedule, gather, global_norm, learning_rate

suite = Suite("llm/gpt2")

PARAMETERS = 124_439_808

# The brief's promise, relative to the largest element. In 2,400 models of the three shipped styles float32 noise stayed
# below 1.5e-5 in logits and 2e-6 in the loss. Every known mistake is 1e-4 away in one of the cases at least, and all
# but the exact GELU (1e-2 on its own case) 2.7e-3 or more.
LOGITS_TOLERANCE = Tolerance(relative=1e-4)
LOSS_TOLERANCE = Tolerance(relative=1e-4)
# Of the right loss and every mistake's, pairwise: twenty tolerances, four times what the diagnosis allows.
LOSSES_APART = 2e-3
# Relative to the largest gradient of the tensor. Noise stayed below 6e-6 in 200 draws.
GRADIENT_TOLERANCE = Tolerance(relative=1e-3)
# After three steps of AdamW with given gradients: a few roundings of float32, 6e-8 each, of weights of order one.
WEIGHT_TOLERANCE = Tolerance(relative=2e-5)
# Arithmetic on Python floats.
RATE_TOLERANCE = Tolerance(relative=1e-9)
# The example is printed to six decimals.
EXAMPLE_TOLERANCE = Tolerance(relative=0.0, absolute=6e-7)
# Changing the future may change the order of a sum, nothing else.
CAUSALITY_TOLERANCE = Tolerance(relative=1e-6)


def logits_of(submission: Submission, model: Reference, case: Case) -> Any:
    """What the model returns without targets: logits, and None in place of a loss."""
    answer = model.call("__call__", Tensor(case.idx))
    scores, loss = _pair(answer, "GPT's forward")
    words = "forward without targets returned a loss"
    expect(loss is None, words, expected="(logits, None)", diagnosis="wrong-type")
    return scores


def _pair(answer: Any, what: str) -> tuple[Any, Any]:
    is_pair = isinstance(answer, tuple | list) and len(answer) == 2
    shown = f"{len(answer)} values" if isinstance(answer, tuple | list) else type(answer).__name__
    expect(is_pair, f"{what} returned {shown}", expected="two values", actual=shown, diagnosis="wrong-type")
    return answer[0], answer[1]


# ---- the network -----------------------------------------------------------------------------------------------------


@suite.check(points=1)
def parameter_count(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """GPTConfig() has the sizes of GPT-2, and GPT(GPTConfig()) has exactly 124,439,808 parameters, the head tied."""
    answer = submission.probe("full_size")
    plain = isinstance(answer, dict) and set(answer) == {"sizes", "count"}
    expect(plain, "GPT(GPTConfig()) has no parameters to count", diagnosis="wrong-type")
    right = Config(50257, 1024, 12, 12, 768)
    expect_equal(answer["sizes"], right.as_arguments(), what="the sizes in GPTConfig()")
    head, width, layers = 50257 * 768, 768, 12
    bugs = {
        "untied-head": PARAMETERS + head,
        "biases-missing": PARAMETERS - layers * 9 * width,
        "no-final-norm": PARAMETERS - 2 * width,
        "no-positions": PARAMETERS - 1024 * width,
    }
    expect_equal(answer["count"], PARAMETERS, what="the number of parameters", bugs=bugs)
    return {"parameters": float(PARAMETERS)}


@suite.check(needs=[parameter_count], points=2)
def weights_load(submission: Submission, rng: np.random.Generator) -> None:
    """load_gpt2_weights puts every published number into the model once, as it is, and copies it."""
    config = cases.draw_telling(rng).config
    layouts.learn(submission, config)
    weights = cases.draw_weights(rng, config)
    sent = {**as_tensors(weights), **_masks(config)}
    kept = {name: submission.put(tensor) for name, tensor in sent.items()}
    model = new_model(submission, config)
    for _ in range(2):
        submission.call("load_gpt2_weights", model, kept, opaque=True)
    submission.probe("disturb", model)
    for name, reference in kept.items():
        try:
            expect_unchanged(reference, sent[name], what=name)
        except CheckFailed as failure:
            failure.rationale += ": a change of the model's parameters, made after loading, changed the caller's tensor"
            raise


def _masks(config: Config) -> dict[str, Tensor]:
    """The published file holds the causal mask of each layer too."""
    mask = np.tril(np.ones((1, 1, config.block_size, config.block_size), dtype=np.float32))
    return {f"h.{layer}.attn.bias": Tensor(mask) for layer in range(config.n_layer)}


@suite.check(needs=[weights_load], points=1)
def initial_weights(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """New weights are normal, of deviation 0.02, and 0.02/√(2·n_layer) where a block adds to its stream; biases 0."""
    config = beginnings.CONFIG
    layout = layouts.learn(submission, config)
    found = layout.published(layouts.parameters_of(submission, new_model(submission, config)))
    return beginnings.judge(found, config)


@suite.check(needs=[weights_load], points=4)
def logits_match(submission: Submission, rng: np.random.Generator) -> None:
    """With published-layout weights, logits agree with a float64 reference to 1e-4, for several small models.

    Among them are one on which the tanh in GELU decides, and one on which the 1e-5 in the layer norms does.
    """
    special = [draw(rng) for draw in (cases.draw_telling, cases.draw_small, cases.draw_gelu)]
    drawn = [*special, *(cases.draw(rng, *edge) for edge in cases.EDGES)]
    models = [loaded_model(submission, case.config, case.weights) for case in drawn]
    for case, model in zip(drawn, models, strict=True):
        what = "the logits of " + "V={}, block={}, layers={}, heads={}, C={}".format(*vars(case.config).values())
        found = logits_of(submission, model, case)
        again = logits_of(submission, model, case)
        same = isinstance(again, Tensor) and isinstance(found, Tensor) and np.array_equal(found.array, again.array)
        if not same and isinstance(found, Tensor) and np.isfinite(found.array).all():
            raise CheckFailed(f"{what} differ from one call to the next", diagnosis="dropout-active")
        _expect_logits(found, case, what)


def _expect_logits(found: Any, case: Case, what: str) -> None:
    answer = partial(oracle.logits, case.weights, case.config, case.idx)
    table = misconceptions.FORWARD_BUGS
    expect_close(found, answer(), tolerance=LOGITS_TOLERANCE, what=what, dtype="float32", bugs=Mistakes(table, answer))


@suite.check(needs=[logits_match], points=2)
def loss_matches(submission: Submission, rng: np.random.Generator) -> None:
    """With targets, the loss is the mean cross-entropy over all positions against these targets, not shifted again."""
    telling = cases.draw_for_loss(rng, misconceptions.alone(misconceptions.LOSS_BUGS), apart=LOSSES_APART)
    for case in (telling, cases.draw(rng, *cases.EDGES[1])):
        model = loaded_model(submission, case.config, case.weights)
        scores, loss = _pair(model.call("__call__", Tensor(case.idx), Tensor(case.targets)), "GPT's forward")
        right = oracle.logits(case.weights, case.config, case.idx)
        answer = partial(oracle.loss, right, case.idx, case.targets)
        table = misconceptions.LOSS_BUGS if case.idx.shape[1] > 1 else {}
        bugs = Mistakes(table, answer)
        expect_close(loss, np.asarray(answer()), tolerance=LOSS_TOLERANCE, what="the loss", dtype="float32", bugs=bugs)
        expect_close(scores, right, tolerance=LOGITS_TOLERANCE, what="the logits beside the loss", dtype="float32")


@suite.check(needs=[logits_match], points=1)
def causality(submission: Submission, rng: np.random.Generator) -> None:
    """Other tokens at later positions change nothing before them, and a shorter text gives the same logits."""
    case = cases.draw_telling(rng)
    now = int(rng.integers(2, case.idx.shape[1] - 1))
    model = loaded_model(submission, case.config, case.weights)
    before = logits_of(submission, model, case)
    other = case.idx.copy()
    other[:, now:] = (other[:, now:] + rng.integers(1, case.config.vocab_size, other[:, now:].shape)) % (
        case.config.vocab_size
    )
    _expect_logits(before, case, "the logits")
    for idx, words in ((other, "other tokens after it"), (case.idx[:, :now], "the text cut off there")):
        after = logits_of(submission, model, replace(case, idx=idx))
        expect(
            isinstance(after, Tensor) and after.array.ndim == 3, "forward returned no logits", diagnosis="wrong-type"
        )
        seen = Tensor(after.array[:, :now])
        what = f"the logits before position {now}, with {words}"
        expect_close(seen, before.array[:, :now], tolerance=CAUSALITY_TOLERANCE, what=what)


# ---- optimizer and schedule ------------------------------------------------------------------------------------------


@suite.check(needs=[weights_load], points=1)
def optimizer_groups(submission: Submission, rng: np.random.Generator) -> None:
    """Every parameter is in exactly one group; matrices decay, biases and layer norms do not."""
    layout = layouts.learn(submission, cases.TINY)
    model = new_model(submission, cases.TINY)
    decay, rate = float(rng.uniform(0.05, 0.2)), float(rng.uniform(1e-4, 1e-3))
    betas = (float(rng.uniform(0.8, 0.9)), float(rng.uniform(0.93, 0.97)))
    optimizer = submission.call("make_optimizer", model, decay, rate, betas, opaque=True)
    beginnings.judge_groups(submission.probe("groups", model, optimizer), layout, decay, rate)


@suite.check(needs=[optimizer_groups], points=2)
def optimizer_steps(submission: Submission, rng: np.random.Generator) -> None:
    """Three steps with given gradients and changing rates move every weight as AdamW does."""
    config = cases.TINY
    layout = layouts.learn(submission, config)
    weights = cases.draw_weights(rng, config)
    model = loaded_model(submission, config, weights)
    decay, betas = 0.3, (0.8, 0.9)
    optimizer = submission.call("make_optimizer", model, decay, 1.0, betas, opaque=True)
    several = [cases.draw_gradients(rng, config) for _ in range(3)]
    rates = [float(rate) for rate in rng.uniform(0.05, 0.2, 3)]
    after = submission.probe("optimize", model, optimizer, [layout.of_learner(one) for one in several], rates)
    found = [layout.published(one, f"after step {index}") for index, one in enumerate(after, start=1)]

    def answer(bugs: oracle.Bugs) -> dict[str, Array]:
        right, state = weights, AdamW(decay, betas, bugs=bugs)
        for gradients, rate in zip(several, rates, strict=True):
            right = state.step(right, gradients, rate)
        return right

    table = misconceptions.OPTIMIZER_BUGS
    _expect_weights(found[-1], answer(oracle.NO_BUGS), Mistakes(table, answer), WEIGHT_TOLERANCE, "after three steps")


def _expect_weights(
    found: Mapping[str, Array], right: Mapping[str, Array], bugs: Mistakes | None, tolerance: Tolerance, when: str
) -> None:
    """Compare published tensors; names say which one is off."""
    shown = {name: Tensor(np.asarray(value)) for name, value in found.items()}
    expect_close(shown, dict(right), tolerance=tolerance, what=f"the weights {when}", bugs=bugs)


@suite.check(points=1)
def schedule(submission: Submission, rng: np.random.Generator) -> None:
    """learning_rate is right at every step, from 0 to beyond the end: warm-up, half a cosine, then the floor."""
    for plan in cases.draw_schedules(rng):
        steps = list(range(plan.max_steps + 6))
        given = submission.probe("rates", steps, list(vars(plan).values()))
        found = Tensor(_numbers(given, "learning_rate"))
        answer = partial(_all_rates, plan, steps)
        what = f"learning_rate(0 … {steps[-1]}, " + "{:.4g}, {:.4g}, {}, {})".format(*vars(plan).values())
        bugs = Mistakes(misconceptions.SCHEDULE_BUGS, answer)
        expect_close(found, answer(), tolerance=RATE_TOLERANCE, what=what, bugs=bugs)


def _all_rates(plan: Schedule, steps: Sequence[int], bugs: oracle.Bugs = oracle.NO_BUGS) -> Array:
    return np.array([learning_rate(step, plan, bugs) for step in steps])


def _numbers(values: Any, what: str) -> Array:
    """Plain numbers, or tensors with one element each, as an array."""
    found = []
    for value in values if isinstance(values, list) else [values]:
        if isinstance(value, Tensor) and value.array.size == 1:
            value = value.array.item()
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        expect(is_number, f"{what} is no number", actual=type(value).__name__, diagnosis="wrong-type")
        try:
            found.append(float(value))
        except OverflowError:  # an integer beyond every float
            found.append(np.inf)
    return np.array(found)


# ---- one training step -----------------------------------------------------------------------------------------------


def _step_case(rng: np.random.Generator, count: int) -> tuple[dict[str, Array], list[tuple[Tokens, Tokens]]]:
    config = cases.TINY
    weights = cases.draw_weights(rng, config)
    batches = [tuple(rng.integers(0, config.vocab_size, (2, 5)) for _ in range(2)) for _ in range(count)]
    return weights, [(x, y) for x, y in batches]


def _gradient_step(
    submission: Submission,
    layout: Layout,
    weights: Mapping[str, Array],
    batches: Sequence[tuple[Tokens, Tokens]],
    max_norm: float,
    stale: float = 0.0,
) -> Gathered:
    """One train_step with plain gradient descent of rate 1; the change of the weights is the gradient that it used."""
    model = loaded_model(submission, layout.config, weights)
    sent = [(Tensor(x), Tensor(y)) for x, y in batches]
    answer = submission.probe("gradient_step", model, sent, max_norm, stale)
    report, change = _pair(answer, "train_step")
    wanted = {"loss", "grad_norm"}
    expect(
        isinstance(report, dict) and wanted <= set(report),
        "train_step returned no loss and grad_norm",
        expected='{"loss": ..., "grad_norm": ...}',
        actual=type(report).__name__
        if not isinstance(report, dict)
        else ", ".join(map(str, report)) or "an empty dict",
        diagnosis="wrong-type" if not isinstance(report, dict) else "missing-key",
    )
    loss, norm = (float(_numbers(report[name], f"train_step's {name}")[0]) for name in ("loss", "grad_norm"))
    return Gathered(loss, norm, layout.published(change, "the change of the weights"))


def _expect_step(found: Gathered, answer: Callable[..., Gathered], table: Mapping[str, Sequence[str]]) -> None:
    def as_dict(gathered: Gathered, *, sent: bool = False) -> dict[str, Any]:
        values = {"loss": gathered.loss, "grad_norm": gathered.grad_norm, **gathered.gradients}
        return {name: Tensor(np.asarray(value)) if sent else np.asarray(value) for name, value in values.items()}

    bugs = Mistakes(table, lambda switched_on: as_dict(answer(bugs=switched_on)), pairs=False)
    what = "train_step's report and the gradients that it applied"
    expect_close(as_dict(found, sent=True), as_dict(answer()), tolerance=GRADIENT_TOLERANCE, what=what, bugs=bugs)


@suite.check(needs=[loss_matches], points=2)
def accumulation(submission: Submission, rng: np.random.Generator) -> None:
    """k micro-batches give the loss and the gradients of one batch k times as large, and old gradients do not count."""
    layout = layouts.learn(submission, cases.TINY)
    for count in (1, int(rng.integers(3, 5))):
        weights, batches = _step_case(rng, count)
        stale = float(rng.uniform(0.5, 1.0))
        answers = [loss_and_gradients(weights, layout.config, x, y) for x, y in batches]
        answer = partial(
            gather,
            [loss for loss, _ in answers],
            [found for _, found in answers],
            1e6,
            before={name: np.full_like(value, stale) for name, value in weights.items()},
        )
        found = _gradient_step(submission, layout, weights, batches, 1e6, stale)
        _expect_step(found, answer, misconceptions.GATHERING_BUGS)


@suite.check(needs=[accumulation], points=2)
def clipping(submission: Submission, rng: np.random.Generator) -> None:
    """Gradients longer than max_norm, all together, are shortened to it; shorter ones stay; the norm before is told."""
    layout = layouts.learn(submission, cases.TINY)
    # a hundredth of the norm is less than most tensors have alone, and many elements: all ways to clip differ
    for share in (float(rng.uniform(0.005, 0.02)), float(rng.uniform(1.5, 3.0))):
        weights, batches = _step_case(rng, 2)
        answers = [loss_and_gradients(weights, layout.config, x, y) for x, y in batches]
        norm = global_norm(mean_of([found for _, found in answers]))
        answer = partial(
            gather,
            [loss for loss, _ in answers],
            [found for _, found in answers],
            share * norm,
            groups=_own_groups(layout),
        )
        found = _gradient_step(submission, layout, weights, batches, share * norm)
        _expect_step(found, answer, misconceptions.CLIPPING_BUGS)


def _own_groups(layout: Layout) -> list[list[str]]:
    """Which published tensors the learner holds in one parameter; a tensor that they split counts by itself."""
    groups: list[list[str]] = []
    for name in layout.places:
        tensors = [tensor for tensor in layout.tensors_in(name) if not any(tensor in group for group in groups)]
        if tensors:
            groups.append(tensors)
    return groups


# ---- data ------------------------------------------------------------------------------------------------------------


def _token_shards(submission: Submission, reader: Reader) -> Reference:
    """The learner's TokenShards on these tokens, written as files whose names do not sort as they are given."""
    count = len(reader.shards)
    paths = [
        submission.write_file(f"shards/{count - index}_train.bin", shard_bytes(shard))
        for index, shard in enumerate(reader.shards)
    ]
    if (reader.rank, reader.world_size) == (0, 1):
        made: Reference = submission.call("TokenShards", paths, reader.batch_size, reader.seq_len, opaque=True)
        return made
    sizes = (reader.batch_size, reader.seq_len)
    made = submission.call("TokenShards", paths, *sizes, rank=reader.rank, world_size=reader.world_size, opaque=True)
    return made


def _next(submission: Submission, shards: Reference, reader: Reader, count: int) -> list[tuple[Any, Any]]:
    """The next batches, each a pair of int64 tensors of shape (B, T)."""
    answer = submission.probe("batches", shards, count)
    found = []
    for index, batch in enumerate(answer if isinstance(answer, list) else []):
        x, y = _pair(batch, "next_batch")
        for name, value in (("x", x), ("y", y)):
            is_tensor = isinstance(value, Tensor) and value.kind == "torch"
            expect(is_tensor, f"{name} is not a tensor", actual=type(value).__name__, diagnosis="wrong-type")
            words = f"{name} of batch {index} has another shape or dtype"
            wanted = f"int64 of shape {[reader.batch_size, reader.seq_len]}"
            actual = f"{value.dtype} of shape {list(value.shape)}"
            expect(wanted == actual, words, expected=wanted, actual=actual, diagnosis="wrong-shape")
        found.append((x.array.tolist(), y.array.tolist()))
    return found


def _plain(batches: Sequence[tuple[Tokens, Tokens]]) -> list[tuple[Any, Any]]:
    return [(x.tolist(), y.tolist()) for x, y in batches]


def _expect_batches(found: list[Any], readers: Sequence[Reader], *, what: str) -> None:
    """Compare the batches of every rank; a mistake has to explain all ranks at once."""
    count = len(found[0])

    def answer(bugs: oracle.Bugs) -> list[Any]:
        return [_plain(reader.batches(count, bugs)) for reader in readers]

    table = {**misconceptions.SHARD_BUGS, **(misconceptions.RANK_BUGS if len(readers) > 1 else {})}
    expect_equal(found, answer(oracle.NO_BUGS), what=what, bugs=Mistakes(table, answer, pairs=False))


@suite.check(needs=[schedule], points=1)
def worked_example(submission: Submission, rng: np.random.Generator) -> None:
    """The worked example of the brief comes out: four windows of two shards, two ranks, and ten learning rates."""
    for world in (1, 2):
        readers = [Reader(cases.EXAMPLE_SHARDS, 2, 2, rank, world) for rank in range(world)]
        found = [_next(submission, _token_shards(submission, reader), reader, 4 // world) for reader in readers]
        _expect_batches(found, readers, what=f"the batches of {world} rank(s) in the worked example")
    plan, steps = cases.EXAMPLE_PLAN, list(range(len(cases.EXAMPLE_RATES)))
    found_rates = Tensor(_numbers(submission.probe("rates", steps, list(vars(plan).values())), "learning_rate"))
    what = "the learning rates of the worked example"
    expect_close(found_rates, cases.EXAMPLE_RATES, tolerance=EXAMPLE_TOLERANCE, what=what)


@suite.check(points=2)
def shards_in_order(submission: Submission, rng: np.random.Generator) -> None:
    """Batches go through the shards in the order given and across their borders, y one token ahead of x, none lost."""
    # the second shard is shorter than a window, so that one window touches three shards
    size = int(rng.integers(4, 7))
    reader = Reader(cases.draw_shards(rng, (5 * size + 3, size, 4 * size + 2, 3 * size + 1)), 2, size)
    shards = _token_shards(submission, reader)
    count = sum(map(len, reader.shards)) // reader.window
    found = _next(submission, shards, reader, count)
    _expect_batches([found], [reader], what="the batches of the first epoch")


@suite.check(needs=[shards_in_order], points=1)
def shards_across_epochs(submission: Submission, rng: np.random.Generator) -> None:
    """After the last token comes the first again, within a window too, epoch after epoch."""
    size = int(rng.integers(4, 7))
    reader = Reader(cases.draw_shards(rng, (4 * size + 1, 3 * size + 2)), 2, size)
    found = _next(submission, _token_shards(submission, reader), reader, 4 * 7 * size // reader.window)
    _expect_batches([found], [reader], what="the batches of four epochs")


@suite.check(needs=[shards_in_order], points=2)
def shards_by_rank(submission: Submission, rng: np.random.Generator) -> None:
    """The ranks take the windows in turn: together they read every token once per epoch."""
    size, world = int(rng.integers(4, 7)), int(rng.integers(3, 5))
    shards = cases.draw_shards(rng, (9 * size + 2, 8 * size + 1))
    readers = [Reader(shards, 2, size, rank, world) for rank in range(world)]
    found = [_next(submission, _token_shards(submission, reader), reader, 6) for reader in readers]
    _expect_batches(found, readers, what=f"the batches of {world} ranks")


@suite.check(needs=[shards_across_epochs, shards_by_rank], points=1)
def shards_restore(submission: Submission, rng: np.random.Generator) -> None:
    """A state_dict, taken at any moment and loaded into new TokenShards, gives the batches that would have followed."""
    # 7 · size + 3 tokens, which windows of 2 · size tokens divide for none of these sizes: no two states read the same
    size = int(rng.integers(4, 7))
    reader = Reader(cases.draw_shards(rng, (4 * size + 1, 3 * size + 2)), 2, size, 1, 2)
    first = _token_shards(submission, reader)
    for taken in (0, 3, 5):
        state = first.call("state_dict", opaque=True)
        ahead = _next(submission, first, reader, 3)
        second = _token_shards(submission, reader)
        second.call("load_state_dict", state)
        found = _next(submission, second, reader, 4)
        _expect_resumed(found, reader, taken, ahead)
        first.call("load_state_dict", state)
        _next(submission, first, reader, {0: 3, 3: 2, 5: 1}[taken])


def _expect_resumed(found: list[Any], reader: Reader, taken: int, ahead: list[Any]) -> None:
    right = _plain(reader.batches(len(found), skip=taken))
    mistakes = {
        "state-is-alive": taken + len(ahead),
        "state-not-restored": 0,
        "state-off-by-one": taken + 1,
        "state-off-by-one/back": taken - 1,
    }
    answers = {name: _plain(reader.batches(len(found), skip=skip)) for name, skip in mistakes.items() if skip >= 0}
    bugs = {name.partition("/")[0]: answer for name, answer in answers.items() if answer == found}
    expect_equal(found, right, what=f"the batches after a state that was taken after {taken} batches", bugs=bugs)


# ---- evaluation ------------------------------------------------------------------------------------------------------


@suite.check(needs=[logits_match], points=2)
def choose_ending(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """Of several endings the one with the lowest mean loss over its own tokens is chosen, whatever their lengths."""
    case = cases.draw(rng, (37, 16, 1, 2, 8), 1, 1)
    mistakes = misconceptions.alone(misconceptions.ENDING_BUGS)
    long = cases.draw_telling_items(rng, case, 28, shortest=2, mistakes=mistakes)
    short = cases.draw_items(rng, case, 8, shortest=1)
    model = loaded_model(submission, case.config, case.weights)
    given = submission.probe("choices", model, [(item.context, item.endings) for item in (*long, *short)])
    expect(isinstance(given, list), "choose_ending gave no answers", diagnosis="wrong-type")
    found = [_whole(choice) for choice in given]
    row = cases.row_model(case)

    def answer(items: Sequence[Item], bugs: oracle.Bugs = oracle.NO_BUGS) -> list[int]:
        return [endings.choose(row, item, bugs) for item in items]

    bugs = Mistakes(misconceptions.ENDING_BUGS, partial(answer, long), pairs=False)
    expect_equal(found[: len(long)], answer(long), what="the chosen endings", bugs=bugs)
    expect_equal(found[len(long) :], answer(short), what="the chosen endings, some of them of a single token")
    return {"items": float(len(found))}


def _whole(choice: Any) -> int:
    if isinstance(choice, Tensor) and choice.array.size == 1 and choice.array.dtype.kind in "iu":
        choice = choice.array.item()
    words = "choose_ending returned no int"
    expect(type(choice) is int, words, actual=type(choice).__name__, diagnosis="wrong-type")
    return int(choice)


# ---- training --------------------------------------------------------------------------------------------------------


@suite.check(needs=[optimizer_steps, schedule, accumulation, clipping, shards_in_order], points=3)
def training_matches(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """From the weights that the seed gives, train ends where a float64 reference ends that reads the same files."""
    return interruptions.compare_with_reference(submission, rng)


@suite.check(needs=[training_matches, shards_restore], points=3, timeout_seconds=60.0)
def training_resumes(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """train, killed after several steps and called again each time, goes on and ends as a run that is left in peace."""
    return interruptions.kill_and_resume(submission, rng)


@suite.check(needs=[training_resumes], points=2, timeout_seconds=60.0)
def checkpoints_survive(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """Killed while it writes a checkpoint, train finds a whole one when it is called again."""
    return interruptions.kill_while_writing(submission, rng)


# ---- the other rungs -------------------------------------------------------------------------------------------------


@suite.check(rung="laptop", points=1, timeout_seconds=1800.0)
def reaches_the_floor(submission: Submission, rng: np.random.Generator, run: LongRun) -> dict[str, float]:
    """Trained on a source of known entropy, your model is within 0.04 nats of it on held-out text; no n-gram is."""
    return learning.train_and_measure(submission, rng, run)


@suite.check(rung="paper", points=1, timeout_seconds=21_600.0)
def published_numbers(
    submission: Submission, rng: np.random.Generator, data: Mapping[str, Path], run: LongRun
) -> dict[str, float]:
    """Your checkpoint's FineWeb-Edu validation loss and HellaSwag accuracy, against OpenAI's own GPT-2 (124M)."""
    return published.judge(published.measure(submission, rng, published.read(data), run))
