"""Whole training runs: against a float64 reference, and killed at chosen moments, in the middle of a checkpoint too."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from deepfield_cli.grading import CheckFailed, Submission, Tensor, Tolerance, expect, expect_close

from . import layout as layouts
from . import misconceptions, oracle, reference_run
from .layout import Layout
from .misconceptions import Mistakes
from .oracle import Array, Config
from .reference_run import Run
from .stream import Tokens, shard_bytes

CONFIG = Config(vocab_size=23, block_size=8, n_layer=2, n_head=2, n_embd=8)
# Large rates, a norm that clips and a few epochs of little data: so each part leaves its mark within a few steps.
RUN = Run(
    max_steps=8,
    batch_size=2,
    seq_len=7,
    accumulation=2,
    max_lr=0.03,
    min_lr=0.01,
    warmup_steps=3,
    weight_decay=0.5,
    betas=(0.8, 0.9),
    max_norm=0.5,
)
# Tokens of each file, and of one that is not for training. Six files are listed in the right order by chance once in
# 720 times; one of them is shorter than a window.
LENGTHS = (31, 12, 25, 17, 22, 16, 90)
# Of the logits after RUN, relative to the largest. Adam divides by the size of a gradient, and so makes rounding
# errors of small ones visible: 1.5e-4 at worst in 111 runs of the three shipped styles. The nearest known mistake is
# 0.03 away (8 draws).
RUN_TOLERANCE = Tolerance(relative=5e-3)
# A run in pieces does the same arithmetic as a run in one.
SAME_WEIGHTS = Tolerance(relative=1e-6)

# How much nearer than the right run a mistaken one must be to name what was lost. An optimizer that starts anew divides
# small gradients by their own size, rounding errors among them: a fixed tolerance missed one run in about a hundred.
_NEAR = 0.08

# How many steps each attempt makes; it is killed in the last of them. And what is then on the disk: nothing, step 4,
# step 8. An attempt that is killed in step 5 has just saved step 4 and can have saved nothing newer: who leaves out
# step 4 or 8 goes on from an earlier one, and has too much left to do at the end. Steps 9 and 10 are made twice.
RESUMED = Run(**{**vars(RUN), "max_steps": 12, "checkpoint_every": 4})
KILLED_AFTER, SAVED = (1, 5, 6), (0, 4, 8)
# A checkpoint may be written beside the training: time for it to arrive, when the training stands still.
_ARRIVAL_SECONDS = 0.1

# A checkpoint of 10 MB with AdamW's two moments takes long enough to write that it is seen while it grows.
HEAVY = Config(vocab_size=12_000, block_size=8, n_layer=1, n_head=2, n_embd=64)
HEAVY_RUN = Run(**{**vars(RUN), "max_steps": 6, "checkpoint_every": 2, "accumulation": 1})
# Seconds after the first bytes of a checkpoint: at once, in its middle, at its end, when files may be exchanged.
KILL_DELAYS = (0.0, 0.004, 0.012, 0.001)
_SMALL_FILE_BYTES = 100_000

_PATIENCE_SECONDS = 15.0


class Folder:
    """The tokens and the outcome of one or more runs, in the worker's scratch folder."""

    def __init__(self, submission: Submission, config: Config, shards: Sequence[Tokens], decoy: Tokens) -> None:
        self.submission = submission
        self.config = config
        # the first of them last: file systems list by age in either order, or in none
        for index in [*range(1, len(shards)), 0]:
            path = submission.write_file(f"tokens/text_train_{index:06d}.bin", shard_bytes(shards[index]))
        submission.write_file("tokens/text_val_000000.bin", shard_bytes(decoy))
        self.tokens = str(Path(path).parent)

    def out(self, name: str) -> str:
        """A folder that train may make."""
        return f"{self.submission.scratch}/out/{name}"

    def arguments(self, name: str, seed: int, run: Run) -> tuple[list[Any], dict[str, Any]]:
        """What train is called with."""
        config = self.submission.call("GPTConfig", **self.config.as_arguments(), opaque=True)
        return [self.tokens, self.out(name), config, seed, run.max_steps], run.settings()

    def train(self, name: str, seed: int, run: Run) -> None:
        """Train to the end."""
        positional, named = self.arguments(name, seed, run)
        self.submission.call("train", *positional, opaque=True, **named)

    def weights(self, name: str, layout: Layout) -> dict[str, Array]:
        """The published weights of the model in an out_dir, restored by a fresh process."""
        self.submission.restart()
        model = self.submission.call("load_model", self.out(name), opaque=True)
        return layout.published(layouts.parameters_of(self.submission, model), "the restored model")


def _draw_tokens(rng: np.random.Generator, config: Config, lengths: Sequence[int]) -> list[Tokens]:
    """Tokens of which the first are more frequent, so that there is something to learn."""
    shares = 1.0 / np.arange(1, config.vocab_size + 1)
    return [rng.choice(config.vocab_size, length, p=shares / shares.sum()) for length in lengths]


# ---- against the reference -------------------------------------------------------------------------------------------


def compare_with_reference(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """Train from the seed's own weights, as a run of no steps saves them, and compare the logits at the end."""
    layout = layouts.learn(submission, CONFIG)
    *texts, decoy = _draw_tokens(rng, CONFIG, LENGTHS)
    folder = Folder(submission, CONFIG, texts, decoy)
    seed = int(rng.integers(1 << 30))
    empty = Run(**{**vars(RUN), "max_steps": 0})
    folder.train("start", seed, empty)
    folder.train("other", seed + 1, empty)
    folder.train("end", seed, RUN)
    start, other, end = (folder.weights(name, layout) for name in ("start", "other", "end"))
    seeds_agree, nothing_learned = (
        all(np.array_equal(start[name], one[name]) for name in start) for one in (other, end)
    )
    words = "load_model gives the same weights, whatever folder it is asked to restore"
    expect(not (seeds_agree and nothing_learned), words, diagnosis="model-not-restored")
    expect(not seeds_agree, "train begins with the same weights for two different seeds", diagnosis="seed-ignored")
    idx = rng.integers(0, CONFIG.vocab_size, (6, CONFIG.block_size))

    def answer(bugs: oracle.Bugs) -> Array:
        shards = [*texts, decoy] if "validation-read" in bugs else texts
        return oracle.logits(reference_run.train(start, CONFIG, shards, RUN, bugs), CONFIG, idx)

    right = answer(oracle.NO_BUGS)
    found = oracle.logits(end, CONFIG, idx)
    bugs = Mistakes(misconceptions.RUN_BUGS, answer, pairs=False)
    what = f"the logits of the model after {RUN.max_steps} steps of training"
    expect_close(Tensor(found), right, tolerance=RUN_TOLERANCE, what=what, bugs=bugs)
    return {"distance": float(np.abs(found - right).max() / np.abs(right).max())}


# ---- killed and resumed ----------------------------------------------------------------------------------------------


def kill_and_resume(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """Kill after chosen steps, go on each time, and end with the weights of a run left in peace."""
    layout = layouts.learn(submission, CONFIG)
    shards = _draw_tokens(rng, CONFIG, (71, 52))
    folder = Folder(submission, CONFIG, shards, shards[0])
    seed = int(rng.integers(1 << 30))
    folder.train("peace", seed, RESUMED)
    for index, after in enumerate(KILLED_AFTER):
        _kill_after(folder, seed, after, f"steps.{index}")
    _go_on(folder, seed, RESUMED, at_most=RESUMED.max_steps - SAVED[-1], count_in="steps.last")
    _go_on(folder, seed, RESUMED, at_most=0, count_in="steps.after")
    right, found = folder.weights("peace", layout), folder.weights("war", layout)
    _expect_same(found, right, partial(_name_the_loss, folder, layout, seed, shards, found, right))
    return {"kills": float(len(KILLED_AFTER))}


def _kill_after(folder: Folder, seed: int, steps: int, count_in: str) -> None:
    submission = folder.submission
    submission.restart()
    submission.probe("count_steps", f"{submission.scratch}/{count_in}", steps)
    positional, named = folder.arguments("war", seed, RESUMED)
    killed = submission.kill_during(
        "train",
        *positional,
        until=partial(_stands_still, submission, count_in, steps),
        timeout_seconds=_PATIENCE_SECONDS,
        **named,
    )
    expect(
        killed,
        f"train ended before its optimizer had made {steps} steps",
        expected=f"one step of the optimizer that make_optimizer returns for each of the {RESUMED.max_steps} steps",
    )


def _stands_still(submission: Submission, count_in: str, steps: int) -> bool:
    """Whether so many steps were made, after which the worker's optimizer waits to be killed."""
    if len(submission.read_file(count_in) or b"") < steps:
        return False
    time.sleep(_ARRIVAL_SECONDS)
    return True


def _go_on(folder: Folder, seed: int, run: Run, *, at_most: int, count_in: str) -> None:
    """Call train once more, to the end; it may make so many steps."""
    submission = folder.submission
    submission.restart()
    submission.probe("count_steps", f"{submission.scratch}/{count_in}")
    try:
        folder.train("war", seed, run)
    except CheckFailed as failure:
        raise _torn(failure) from failure
    made = len(submission.read_file(count_in) or b"")
    if made <= at_most:
        return
    wanted = f"at most {at_most} more steps" if at_most else "nothing left to do: the run was complete"
    raise CheckFailed(
        f"called again, train made {made} steps",
        expected=wanted,
        actual=f"{made} of {run.max_steps}",
        diagnosis="starts-over" if at_most else "finished-run-trained-again",
    )


def _torn(failure: CheckFailed) -> CheckFailed:
    """What the learner's code raised when it read what a killed run left behind."""
    if failure.diagnosis != "raised":
        return failure
    return CheckFailed(
        "train was killed, and cannot go on from what it left on the disk",
        expected="the last whole checkpoint, whatever moment the kill came at",
        actual=failure.actual or failure.rationale,
        diagnosis="checkpoint-torn",
    )


def _expect_same(
    found: Mapping[str, Array], right: Mapping[str, Array], name_the_loss: Callable[[], str | None]
) -> None:
    sent = {name: Tensor(value) for name, value in found.items()}
    try:
        expect_close(sent, dict(right), tolerance=SAME_WEIGHTS, what="the weights of the run that was killed")
    except CheckFailed as failure:
        raise CheckFailed(
            "the run that was killed ends with other weights than the run that was left in peace",
            expected=failure.expected,
            actual=failure.actual,
            diagnosis=name_the_loss(),
        ) from failure


def _name_the_loss(
    folder: Folder,
    layout: Layout,
    seed: int,
    shards: Sequence[Tokens],
    found: Mapping[str, Array],
    right: Mapping[str, Array],
) -> str | None:
    """What was not restored: that which a reference must forget to end nearest to these weights, if that is near."""
    folder.submission.restart()
    folder.train("start", seed, Run(**{**vars(RESUMED), "max_steps": 0}))
    start = folder.weights("start", layout)
    idx = np.arange(CONFIG.vocab_size)[:, None] * np.ones(CONFIG.block_size, dtype=np.int64) % CONFIG.vocab_size
    actual = oracle.logits(found, CONFIG, idx)

    def distance(weights: Mapping[str, Array]) -> float:
        return float(np.abs(actual - oracle.logits(weights, CONFIG, idx)).max())

    def forgetful(bugs: oracle.Bugs) -> dict[str, Array]:
        resumed = [step for step in SAVED if step]
        return reference_run.train(start, CONFIG, shards, RESUMED, bugs, resumed_at=resumed)

    nearest, name = _NEAR * distance(right), None
    for candidate, answer in Mistakes(misconceptions.RESUME_BUGS, forgetful).candidates():
        if (away := distance(answer())) < nearest:
            nearest, name = away, candidate
    return name


# ---- killed while writing --------------------------------------------------------------------------------------------


def kill_while_writing(submission: Submission, rng: np.random.Generator) -> dict[str, float]:
    """Kill as a checkpoint grows on the disk, again and again; the run still ends as one that was left in peace."""
    layout = layouts.learn(submission, HEAVY)
    shards = _draw_tokens(rng, HEAVY, (300,))
    folder = Folder(submission, HEAVY, shards, shards[0])
    seed = int(rng.integers(1 << 30))
    folder.train("peace", seed, HEAVY_RUN)
    kills = 0
    for delay in KILL_DELAYS:
        submission.restart()
        positional, named = folder.arguments("war", seed, HEAVY_RUN)
        watch = _Watch(folder.out("war"), delay)
        try:
            kills += submission.kill_during("train", *positional, until=watch.writing, **named)
        except CheckFailed as failure:
            raise _torn(failure) from failure
    submission.restart()
    try:
        folder.train("war", seed, HEAVY_RUN)
        found = folder.weights("war", layout)
    except CheckFailed as failure:
        raise _torn(failure) from failure
    _expect_same(found, folder.weights("peace", layout), lambda: "checkpoint-torn")
    return {"kills": float(kills)}


class _Watch:
    """Sees when a large file in a folder begins to change."""

    def __init__(self, folder: str, delay: float) -> None:
        self._folder = folder
        self._delay = delay
        self._before = self._sizes()

    def writing(self) -> bool:
        """Whether a large file was made or changed since the last look; true only after the delay."""
        now = self._sizes()
        changed = any(abs(size - self._before.get(name, 0)) > _SMALL_FILE_BYTES for name, size in now.items())
        shrunk = any(now.get(name, 0) < size - _SMALL_FILE_BYTES for name, size in self._before.items())
        if not (changed or shrunk):
            return False
        time.sleep(self._delay)
        return True

    def _sizes(self) -> dict[str, int]:
        """Sizes of all files below the folder, links not followed."""
        found: dict[str, int] = {}
        for place, _, names in os.walk(self._folder):
            for name in names:
                path = os.path.join(place, name)
                try:
                    found[path] = os.lstat(path).st_size
                except OSError:  # gone between the list and the look
                    continue
        return found
