"""Speculative decoding as a tree of chances: the exact distribution of what it returns, right or with a mistake in it.

Every branch is followed: each token that the draft may propose, each place where a proposal may be rejected, each token
that may follow. What comes out is the probability of every (tokens, proposed, accepted, target_calls). At temperature 0
all chances are 0 or 1, and one outcome is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from . import oracle
from .oracle import NO_BUGS, Bugs, Model

Tokens = tuple[int, ...]
Counts = tuple[int, int, int]
# Branches that are less likely than this are not followed.
_NEGLIGIBLE = 1e-14


class Outcome(NamedTuple):
    """What one call of speculative_generate returns."""

    tokens: Tokens
    proposed: int = 0
    accepted: int = 0
    target_calls: int = 0

    @property
    def counts(self) -> Counts:
        """The counts alone."""
        return self.proposed, self.accepted, self.target_calls

    def stats(self) -> dict[str, int]:
        """The counts by name, as the brief asks for them."""
        return {"proposed": self.proposed, "accepted": self.accepted, "target_calls": self.target_calls}


@dataclass(frozen=True)
class Task:
    """One question: the arguments of speculative_generate but the generator."""

    target: Model
    draft: Model
    prompt: Tokens
    count: int
    gamma: int
    temperature: float
    # logits of contexts that were looked at, by model and context, for all algorithms on this task
    _scores: dict[tuple[str, Tokens], np.ndarray] = field(default_factory=dict, compare=False, repr=False)

    def scores(self, which: str, context: Tokens) -> np.ndarray:
        """The logits after a context, which may be longer than the model can read."""
        key = which, context
        if key not in self._scores:
            model: Model = getattr(self, which)
            rows = oracle.logits(model, context[: model.config.context])[0]
            for end, row in enumerate(rows, start=1):
                self._scores[which, context[:end]] = row
            self._scores[key] = rows[-1]
        return self._scores[key]


class _State(NamedTuple):
    """Where a run stands between two blocks.

    Attributes:
        made: the tokens so far.
        in_target: what the target's cache holds.
        in_draft: what the draft's cache holds.
        behind: how many of the last tokens the draft is fed next.

    """

    made: Tokens
    in_target: Tokens
    in_draft: Tokens
    behind: int


class _Block(NamedTuple):
    """What one block gives: its proposals, how many of them are accepted, and the tokens that it adds."""

    proposals: Tokens
    accepted: int
    added: Tokens


class Algorithm:
    """Speculative decoding on one task, with the mistakes in `bugs`; without any it is right."""

    def __init__(self, task: Task, bugs: Bugs = NO_BUGS) -> None:
        self.task = task
        self.bugs = bugs | {bug.partition("/")[0] for bug in bugs}
        # the smallest lead of a likeliest token over the next, in all contexts that were looked at
        self.smallest_margin = np.inf
        self._known: dict[tuple[str, Tokens], np.ndarray] = {}
        self._outcomes: dict[Outcome, float] | None = None

    def outcomes(self) -> dict[Outcome, float]:
        """Every outcome with its probability."""
        if self._outcomes is None:
            self._outcomes = self._followed()
        return self._outcomes

    def tokens(self) -> dict[Tokens, float]:
        """The distribution of the tokens alone."""
        found: dict[Tokens, float] = {}
        for outcome, chance in self.outcomes().items():
            found[outcome.tokens] = found.get(outcome.tokens, 0.0) + chance
        return found

    def _followed(self) -> dict[Outcome, float]:
        """Go from block to block, all states with equally many tokens at a time."""
        calls = 1 if "stats-count-otherwise/prefill" in self.bugs else 0
        reached: list[dict[_State, dict[Counts, float]]] = [{} for _ in range(self.task.count + self.task.gamma + 1)]
        reached[0][_State((), (), (), len(self.task.prompt))] = {(0, 0, calls): 1.0}
        for made in range(self.task.count):
            for state, counted in reached[made].items():
                for (after, added), chance in self._steps(state).items():
                    there = reached[len(after.made)].setdefault(after, {})
                    for counts, share in counted.items():
                        total = (counts[0] + added[0], counts[1] + added[1], counts[2] + added[2])
                        there[total] = there.get(total, 0.0) + share * chance
        found: dict[Outcome, float] = {}
        for states in reached[self.task.count :]:
            for state, counted in states.items():
                tokens = state.made if "overshoots" in self.bugs else state.made[: self.task.count]
                for counts, chance in counted.items():
                    outcome = Outcome(tokens, *counts)
                    found[outcome] = found.get(outcome, 0.0) + chance
        return found

    def _steps(self, state: _State) -> dict[tuple[_State, Counts], float]:
        """Where one block may lead from here, with what it adds to the counts."""
        found: dict[tuple[_State, Counts], float] = {}
        left = self.task.count - len(state.made)
        for block, chance in self._blocks(state, self._proposals_due(left)):
            key = self._after(state, block), self._counted(block)
            found[key] = found.get(key, 0.0) + chance
        return found

    def _proposals_due(self, left: int) -> int:
        if "no-bonus-token" in self.bugs or "proposes-more-than-left/by-one" in self.bugs:
            return min(self.task.gamma, left)
        if "proposes-more-than-left/gamma" in self.bugs or "overshoots" in self.bugs:
            return self.task.gamma
        return min(self.task.gamma, left - 1)

    def _counted(self, block: _Block) -> Counts:
        proposed, accepted, calls = len(block.proposals), block.accepted, 1
        if "stats-count-otherwise/bonus" in self.bugs:
            accepted += 1
        elif "stats-count-otherwise/looked-at" in self.bugs:
            proposed = min(proposed, accepted + 1)
        elif "stats-count-otherwise/positions" in self.bugs:
            calls = proposed + 1
        return proposed, accepted, calls

    # the models

    def _target_context(self, state: _State) -> Tokens:
        """What the target has read when it judges the first proposal."""
        text = self.task.prompt + state.made
        held = state.in_target
        return held + (text[len(held) :] if text[: len(held)] == held else text[-1:])

    def _draft_context(self, state: _State) -> Tokens:
        """What the draft has read when it makes the first proposal."""
        text = self.task.prompt + state.made
        return state.in_draft + text[len(text) - state.behind :]

    def _after(self, state: _State, block: _Block) -> _State:
        """What the caches hold after a block: both are rolled back to all tokens but the last."""
        made = state.made + block.added
        in_target = in_draft = (self.task.prompt + made)[:-1]
        behind = 1
        if "cache-not-rolled-back" in self.bugs:
            in_target = self._target_context(state) + block.proposals
        fed = self._draft_context(state) + block.proposals[:-1]  # the last proposal was drawn, and is not fed any more
        rejected = len(block.proposals) - block.accepted
        if "draft-cache-not-rolled-back" in self.bugs:
            in_draft, behind = fed, 1 if rejected else 2
        elif "draft-cache-out-of-step" in self.bugs:  # in step after a rejection, else a token short for ever
            in_draft = fed[: len(fed) - max(rejected - 1, 0)]
        return _State(made, in_target, in_draft, behind)

    def _chances(self, which: str, context: Tokens) -> np.ndarray:
        """The distribution of the token after a context, at the temperature that counts for this model."""
        key = which, context
        if key not in self._known:
            scores = self.task.scores(which, context)
            second, first = np.partition(scores, -2)[-2:]
            self.smallest_margin = min(self.smallest_margin, float(first - second))
            self._known[key] = oracle.tempered(scores, self._temperature(which))
        return self._known[key]

    def _temperature(self, which: str) -> float:
        if "temperature-ignored" in self.bugs or f"temperature-on-one-model/not-{which}" in self.bugs:
            return 1.0
        if "temperature-inverted" in self.bugs and self.task.temperature:
            return 1 / self.task.temperature
        return self.task.temperature

    # one block

    def _blocks(self, state: _State, count: int) -> Iterator[tuple[_Block, float]]:
        context = self._draft_context(state)
        for proposals, q, chance in self._proposals(context, count):
            start = self._target_context(state)
            self.task.scores("target", start + proposals)  # one pass for all the rows
            p = [self._chances("target", start + proposals[:index]) for index in range(count + 1)]
            for block, share in self._verified(proposals, p, q, context):
                if chance * share > _NEGLIGIBLE:
                    yield block, chance * share

    def _proposals(self, context: Tokens, count: int) -> Iterator[tuple[Tokens, list[np.ndarray], float]]:
        """Each sequence that the draft may propose, with its distributions and its probability."""
        if count == 0:
            yield (), [], 1.0
            return
        q = self._chances("draft", context)
        drawn = np.eye(len(q))[q.argmax()] if "draft-is-greedy" in self.bugs else q
        for token in np.flatnonzero(drawn):
            for rest, more, chance in self._proposals((*context, int(token)), count - 1):
                yield (int(token), *rest), [q, *more], float(drawn[token]) * chance

    def _verified(
        self, proposals: Tokens, p: list[np.ndarray], q: list[np.ndarray], context: Tokens
    ) -> Iterator[tuple[_Block, float]]:
        """How many proposals are accepted, and what follows them."""
        count = len(proposals)
        rows = [p[min(index + 1, count)] if "verifies-wrong-row" in self.bugs else p[index] for index in range(count)]
        accepts = [self._acceptance(token, *pq) for token, *pq in zip(proposals, rows, q, strict=True)]
        for accepted, chance in self._accepted(accepts):
            if accepted == count and "no-bonus-token" in self.bugs:
                yield _Block(proposals, accepted, proposals), chance
                continue
            last = self._last(accepted, proposals, p, q, accepts, context)
            for token in np.flatnonzero(last):
                block = _Block(proposals, accepted, (*proposals[:accepted], int(token)))
                yield block, chance * float(last[token])

    def _acceptance(self, token: int, p: np.ndarray, q: np.ndarray) -> float:
        """The probability with which one proposal is accepted."""
        ratio = _ratio(p[token], q[token])
        if "ratio-inverted" in self.bugs:
            ratio = _ratio(q[token], p[token])
        elif "argmax-acceptance" in self.bugs:
            ratio = float(token == p.argmax())
        elif "accepts-if-likelier" in self.bugs:
            ratio = float(p[token] >= q[token])
        elif "accepts-with-target-probability" in self.bugs:
            ratio = float(p[token])
        elif "always-accepts" in self.bugs:
            ratio = 1.0
        elif "never-accepts" in self.bugs:
            ratio = 0.0
        elif "same-random-number/draft" in self.bugs:
            # the number that chose the token, uniform between its ends in the draft's sums, is compared once more
            low = float(q[:token].sum())
            return float(np.clip((ratio - low) / q[token], 0.0, 1.0))
        return min(1.0, ratio)

    def _accepted(self, accepts: list[float]) -> Iterator[tuple[int, float]]:
        """How many proposals are accepted, with its probability."""
        if "accepts-after-rejection" in self.bugs:
            chances = np.ones(1)
            for one in accepts:
                chances = np.convolve(chances, (1 - one, one))
            yield from ((number, float(chance)) for number, chance in enumerate(chances) if chance)
            return
        if "same-random-number/block" in self.bugs:  # one number for all: what it accepts, every larger ratio accepts
            bounds = [1.0, *np.minimum.accumulate(accepts)] if accepts else [1.0]
            for number, high in enumerate(bounds):
                chance = high - (bounds[number + 1] if number < len(accepts) else 0.0)
                if chance > 0:
                    yield number, float(chance)
            return
        so_far = 1.0
        for number, one in enumerate(accepts):
            if one < 1.0:
                yield number, so_far * (1 - one)
            so_far *= one
            if so_far == 0.0:
                return
        yield len(accepts), so_far

    def _last(
        self,
        accepted: int,
        proposals: Tokens,
        p: list[np.ndarray],
        q: list[np.ndarray],
        accepts: list[float],
        context: Tokens,
    ) -> np.ndarray:
        """The distribution of the token that the target adds behind the accepted ones."""
        if accepted == len(proposals):
            if "bonus-from-draft" in self.bugs and proposals:
                return self._chances("draft", context + proposals)
            return p[accepted - 1] if "last-token-from-wrong-row" in self.bugs and accepted else p[accepted]
        row = p[min(accepted + 1, len(proposals))] if "last-token-from-wrong-row" in self.bugs else p[accepted]
        if not self.bugs.isdisjoint(("residual-from-target", "never-accepts", "argmax-acceptance/target")):
            return row
        if not self.bugs.isdisjoint(("residual-is-argmax", "argmax-acceptance/argmax")):
            return np.eye(len(row))[row.argmax()]
        difference = row - q[accepted]
        if "residual-from-draft" in self.bugs:
            difference = -difference
        rest = np.abs(difference) if "residual-not-clipped" in self.bugs else np.maximum(difference, 0.0)
        if not rest.any():
            rest = row
        rest = rest / rest.sum()
        if "same-random-number/residual" in self.bugs:
            return _drawn_between(rest, accepts[accepted])
        return rest


def _ratio(above: float, below: float) -> float:
    """A ratio of two chances, at most 1."""
    return 1.0 if above >= below else float(above / below)


def _drawn_between(chances: np.ndarray, low: float) -> np.ndarray:
    """What inverting the cumulative sums gives for a number that is uniform between `low` and 1, not 0 and 1."""
    ends = np.cumsum(chances)
    ends[-1] = 1.0
    starts = np.concatenate(([0.0], ends[:-1]))
    overlap = np.maximum(ends - np.maximum(starts, low), 0.0)
    answer: np.ndarray = overlap / overlap.sum()
    return answer


def only_outcome(task: Task, bugs: Bugs = NO_BUGS) -> Outcome:
    """What comes out at temperature 0."""
    outcomes: Sequence[Outcome] = list(Algorithm(task, bugs).outcomes())
    return outcomes[0]
