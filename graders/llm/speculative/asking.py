"""How the suite talks to the submission: sends models, feeds tokens, runs speculation, and looks at what comes back."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from deepfield_cli.grading import Reference, Submission, Tensor, Tolerance, expect, expect_close
from graders.kit import draft_pairs
from graders.kit.exactness import Exactness

from . import oracle, verdicts
from .algorithm import Outcome, Task, Tokens
from .misconceptions import Variants
from .oracle import Bugs, Config, Model

# Relative to the largest logit. In 1,200 float32 draws the plain model stayed below 8e-7 (99.9 % of them: 7e-7). The
# nearest known mistake, the exact GELU, was never nearer than 9e-5, and every other one is beyond 1e-1.
LOGITS_TOLERANCE = Tolerance(relative=1e-5)

# Work is counted in multiplications of matrix products. A step may take this many times what the layers take for its
# new tokens, with attention to the whole context: room for padded caches and for a product that is split.
WORK_BAR = 1.25
# Below this share of the layers' own products, the work was not done by torch operators, or not at all.
WORK_FLOOR = 0.9


def send(submission: Submission, model: Model) -> Reference:
    """The model as an object in the worker, made by the grader's probe."""
    weights = {name: Tensor(array) for name, array in model.weights.items()}
    made: Reference = submission.probe("make_model", model.config.as_dict(), weights, opaque=True)
    return made


def draw_seeds(rng: np.random.Generator, count: int) -> list[int]:
    """Seeds for torch generators."""
    return [int(seed) for seed in rng.integers(2**32, size=count)]


def feed(submission: Submission, model: Reference, chunks: Sequence[Sequence[int]]) -> list[Any]:
    """The logits that cached_forward gives for each chunk of one sequence."""
    cache, answers = None, []
    for chunk in chunks:
        logits, cache = fed(submission, model, chunk, cache)
        answers.append(logits)
    return answers


def fed(submission: Submission, model: Reference, chunk: Sequence[int], cache: Any) -> tuple[Any, Reference]:
    """One call of cached_forward: its logits, and its cache, which stays in the worker."""
    answer = submission.call("cached_forward", model, list(chunk), cache, opaque=(1,))
    words = f"cached_forward returned {len(answer)} values"
    expect(len(answer) == 2, words, expected="the logits and a cache", diagnosis="wrong-type")
    return answer[0], answer[1]


def expect_logits(answers: Sequence[Any], model: Model, chunks: Sequence[Sequence[int]], names: Sequence[str]) -> None:
    """Compare the logits of all chunks with those of the plain model; a known mistake is called by its name."""
    size, dtype = model.config.vocab_size, model.weights["head"].dtype.name
    for logits, chunk in zip(answers, chunks, strict=True):
        what = f"the logits of a call with {len(chunk)} new tokens"
        _expect_form(logits, (len(chunk), size), dtype, what)
    together = np.concatenate([logits.array for logits in answers])
    tokens = list(itertools.chain(*chunks))

    def mistaken(bugs: Bugs) -> np.ndarray:
        return np.concatenate(oracle.chunked(model, chunks, bugs))

    sizes = ", ".join(str(len(chunk)) for chunk in chunks)
    expect_close(
        Tensor(together),
        oracle.logits(model, tokens)[0],
        tolerance=LOGITS_TOLERANCE,
        what=f"the logits of {len(tokens)} tokens, fed in chunks of {sizes}",
        dtype=dtype,
        bugs=Variants(names, mistaken, pairs=True),
    )


def _expect_form(logits: Any, shape: tuple[int, ...], dtype: str, what: str) -> None:
    is_tensor = isinstance(logits, Tensor) and logits.kind == "torch"
    words = f"{what}: no tensor"
    expect(is_tensor, words, expected="a torch tensor", actual=type(logits).__name__, diagnosis="wrong-type")
    words = f"{what} have another shape"
    expect(logits.shape == shape, words, expected=str(shape), actual=str(logits.shape), diagnosis="wrong-shape")
    words = f"{what} have another dtype than the weights"
    expect(logits.dtype == dtype, words, expected=dtype, actual=logits.dtype, diagnosis="wrong-dtype")


def layer_products(config: Config) -> int:
    """Multiplications that the layers' own matrices take for one token."""
    return config.n_layers * 12 * config.width**2


def most_products(config: Config, tokens: int) -> float:
    """Multiplications that so many new tokens may take, wherever they stand."""
    attention = config.n_layers * 2 * config.width * config.context
    return WORK_BAR * tokens * (layer_products(config) + attention + config.width * config.vocab_size)


def expect_work(products: Any, least: float, most: float, what: str, diagnosis: str) -> None:
    """Demand that the products that were counted are those of the new tokens, no more and no fewer."""
    expect(
        isinstance(products, int) and products <= most,
        f"{what} takes too many multiplications",
        expected=f"at most {most:,.0f}",
        actual=f"{products:,}" if isinstance(products, int) else "no number",
        diagnosis=diagnosis,
    )
    expect(
        products >= least,
        f"{what} takes fewer multiplications than the model has work",
        expected=f"at least {least:,.0f}",
        actual=f"{products:,}",
        diagnosis="work-not-counted",
    )


def speculate(submission: Submission, task: Task, there: Sequence[Reference] | None = None) -> Outcome:
    """One call of speculative_generate at temperature 0, with models that were sent before if they are given."""
    pair = there or [send(submission, model) for model in (task.target, task.draft)]
    answer = submission.call("speculative_generate", *pair, list(task.prompt), task.count, task.gamma, temperature=0)
    return verdicts.plain_outcome(answer, task.count, task.prompt, task.target.config.vocab_size)


def settings_of(task: Task) -> dict[str, Any]:
    """The arguments of speculative_generate but the models and the generator, for the probe."""
    return {
        "prompt": list(task.prompt),
        "max_new_tokens": task.count,
        "gamma": task.gamma,
        "temperature": task.temperature,
    }


def in_words(task: Task) -> str:
    """The call as a learner would write it."""
    arguments = f"{list(task.prompt)}, {task.count}, gamma={task.gamma}, temperature={task.temperature:g}"
    return f"speculative_generate(target, draft, {arguments})"


def run(submission: Submission, task: Task, models_there: Sequence[Reference], seeds: Sequence[int]) -> list[Outcome]:
    """What speculative_generate returns for each seed."""
    settings = settings_of(task)
    answers = verdicts.first_answer(submission.probe("speculate_many", *models_there, settings, list(seeds)))
    size = task.target.config.vocab_size
    return [verdicts.plain_outcome(answer, task.count, task.prompt, size) for answer in answers]


def expect_bigrams(tests: Exactness, made: Sequence[Tokens], prompt: Tokens, table: np.ndarray) -> None:
    """Demand that what was generated while the clock ran does come from the target."""
    steps = np.zeros(len(table), dtype=int)
    for tokens in made:
        for last, token in itertools.pairwise((prompt[-1], *tokens)):
            steps[(token - last) % len(table)] += 1
    finding = tests.counts(steps.tolist(), table[0].tolist())
    expect(not finding.rejected, "the tokens that were generated while the clock ran do not come from the target")


def expect_calls(tests: Exactness, calls: int, runs: int, task: Task, acceptance: float) -> float:
    """Demand as many target calls as the acceptance makes needed; return how many that are on average."""
    of_one = draft_pairs.calls_distribution(acceptance, task.gamma, task.count)
    of_all = np.ones(1)
    for _ in range(runs):
        of_all = np.convolve(of_all, of_one)
    due = float((np.arange(len(of_all)) * of_all).sum())
    each = draft_pairs.expected_tokens(acceptance, task.gamma)
    expect(
        not tests.total(calls, of_all).rejected,
        f"with an acceptance of {acceptance} and gamma={task.gamma}, a target call gives {each:.2f} tokens",
        expected=f"{due:.0f} target calls for {runs} times {task.count} tokens",
        actual=f"{calls} target calls, {runs * task.count / max(calls, 1):.2f} tokens per call",
    )
    return due
