"""What happens to gradients on their way into the weights: schedule, accumulation, clipping, AdamW; with mistakes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from .gradients import Gradients, mean_of
from .oracle import NO_BUGS, Array, Bugs, is_matrix

# ---- schedule --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Schedule:
    """The last four arguments of learning_rate."""

    max_lr: float
    min_lr: float
    warmup_steps: int
    max_steps: int


def learning_rate(step: int, plan: Schedule, bugs: Bugs = NO_BUGS) -> float:
    """The rate of this step, from 0; a line up, half a cosine down, then flat."""
    if "schedule-off-by-one/late" in bugs:
        step = max(step - 1, 0)
    if "schedule-off-by-one/early" in bugs:
        step += 1
    floor = 0.0 if "cosine-to-zero" in bugs else plan.min_lr
    if step < plan.warmup_steps:
        return _warm_up(step, plan, bugs)
    if step >= plan.max_steps and "rises-after-the-end" not in bugs:
        return floor
    progress = (step - plan.warmup_steps) / max(plan.max_steps - plan.warmup_steps, 1)
    if "cosine-misplaced/from-step-zero" in bugs:
        progress = step / plan.max_steps
    if "cosine-misplaced/over-max-steps" in bugs:
        progress = (step - plan.warmup_steps) / plan.max_steps
    if "schedule-off-by-one/last" in bugs:
        progress = (step - plan.warmup_steps) / max(plan.max_steps - plan.warmup_steps - 1, 1)
    if "linear-decay" in bugs:
        return floor + (1.0 - progress) * (plan.max_lr - floor)
    share = 0.5 * (1.0 + math.cos(math.pi * progress))
    if "floor-as-maximum" in bugs:
        return max(floor, share * plan.max_lr)
    return floor + share * (plan.max_lr - floor)


def _warm_up(step: int, plan: Schedule, bugs: Bugs) -> float:
    if "warm-up-from-zero" in bugs:
        return plan.max_lr * step / plan.warmup_steps
    if "warm-up-never-arrives" in bugs:
        return plan.max_lr * (step + 1) / (plan.warmup_steps + 1)
    if "warm-up-from-the-floor" in bugs:
        return plan.min_lr + (plan.max_lr - plan.min_lr) * (step + 1) / plan.warmup_steps
    if "no-warm-up" in bugs:
        return plan.max_lr
    return plan.max_lr * (step + 1) / plan.warmup_steps


# ---- gathering -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Gathered:
    """What one training step has before its optimizer steps.

    Attributes:
        loss: what train_step reports.
        grad_norm: what train_step reports.
        gradients: what the optimizer is given.

    """

    loss: float
    grad_norm: float
    gradients: Gradients


def gather(
    losses: Sequence[float],
    several: Sequence[Mapping[str, Array]],
    max_norm: float,
    bugs: Bugs = NO_BUGS,
    *,
    before: Mapping[str, Array] | None = None,
    groups: Sequence[Sequence[str]] | None = None,
) -> Gathered:
    """Average over the micro-batches, then clip the norm of all gradients together.

    Args:
        losses: of the micro-batches.
        several: their gradients.
        max_norm: the norm that is left at most.
        bugs: mistakes to make.
        before: what was left in .grad, which only a mistaken step adds.
        groups: names that are one parameter in the learner's model, for who clips each alone; by default each name.

    """
    count = len(losses)
    several = [_clipped(one, max_norm) if "clip-each-micro-batch" in bugs else dict(one) for one in several]
    found = mean_of([*several])
    if bugs & {"loss-not-divided/gradient", "loss-not-divided/both"}:
        found = {name: gradient * count for name, gradient in found.items()}
    if "divided-twice" in bugs:
        found = {name: gradient / count for name, gradient in found.items()}
    if bugs & {"last-micro-batch-only/gradient", "last-micro-batch-only/both"}:
        found = dict(several[-1])
    if bugs & {"last-micro-batch-only/divided", "last-micro-batch-only/gradient-divided"}:
        found = {name: gradient / count for name, gradient in several[-1].items()}
    if "first-micro-batch-only" in bugs:
        found = dict(several[0])
    if "stale-gradients" in bugs and before is not None:
        found = {name: gradient + before[name] for name, gradient in found.items()}
    norm = global_norm(found)
    clipped = _clip(found, max_norm, bugs, groups or [[name] for name in found])
    return Gathered(_reported_loss(losses, bugs), _reported_norm(clipped, norm, bugs), clipped)


def global_norm(gradients: Mapping[str, Array]) -> float:
    """The length of all gradients together as one vector."""
    return math.sqrt(sum(float((gradient**2).sum()) for gradient in gradients.values()))


def _clipped(gradients: Mapping[str, Array], max_norm: float) -> Gradients:
    share = min(1.0, max_norm / global_norm(gradients))
    return {name: gradient * share for name, gradient in gradients.items()}


def _clip(found: Gradients, max_norm: float, bugs: Bugs, groups: Sequence[Sequence[str]]) -> Gradients:
    if bugs & {"not-clipped", "clip-each-micro-batch"}:
        return found
    if "clip-per-parameter" in bugs:
        parts = [_clipped({name: found[name] for name in group}, max_norm) for group in groups]
        return {name: gradient for part in parts for name, gradient in part.items()}
    if "clip-by-value" in bugs:
        return {name: np.clip(gradient, -max_norm, max_norm) for name, gradient in found.items()}
    if "always-rescaled" in bugs:
        return {name: gradient * (max_norm / global_norm(found)) for name, gradient in found.items()}
    return _clipped(found, max_norm)


def _reported_loss(losses: Sequence[float], bugs: Bugs) -> float:
    if bugs & {"loss-not-divided/report", "loss-not-divided/both"}:
        return float(np.sum(losses))
    if bugs & {"last-micro-batch-only/report", "last-micro-batch-only/both"}:
        return losses[-1]
    if "last-micro-batch-only/divided" in bugs:
        return losses[-1] / len(losses)
    if "first-micro-batch-only" in bugs:
        return losses[0]
    return float(np.mean(losses))


def _reported_norm(clipped: Gradients, norm: float, bugs: Bugs) -> float:
    if "norm-after-clipping" in bugs:
        return global_norm(clipped)
    return norm


# ---- AdamW -----------------------------------------------------------------------------------------------------------


@dataclass
class AdamW:
    """Decoupled weight decay on matrices, Adam on everything, in float64."""

    weight_decay: float
    betas: tuple[float, float]
    epsilon: float = 1e-8
    bugs: Bugs = NO_BUGS
    steps: int = 0
    first: Gradients = field(default_factory=dict)
    second: Gradients = field(default_factory=dict)

    def step(self, weights: Gradients, gradients: Mapping[str, Array], rate: float) -> Gradients:
        """The weights after one step."""
        self.steps += 1
        return {name: self._updated(name, weight, gradients[name], rate) for name, weight in weights.items()}

    def _updated(self, name: str, weight: Array, gradient: Array, rate: float) -> Array:
        low, high = (0.9, 0.999) if "betas-ignored" in self.bugs else self.betas
        decay = self._decay(name)
        if "decay-in-the-gradient" in self.bugs:
            gradient, decay = gradient + decay * weight, 0.0
        self.first[name] = low * self.first.get(name, 0.0) + (1.0 - low) * gradient
        self.second[name] = high * self.second.get(name, 0.0) + (1.0 - high) * gradient**2
        corrected = "no-bias-correction" not in self.bugs
        mean = self.first[name] / (1.0 - low**self.steps if corrected else 1.0)
        square = self.second[name] / (1.0 - high**self.steps if corrected else 1.0)
        answer: Array = weight * (1.0 - rate * decay) - rate * mean / (np.sqrt(square) + self.epsilon)
        return answer

    def _decay(self, name: str) -> float:
        if "decay-on-everything" in self.bugs:
            return self.weight_decay
        if "no-decay" in self.bugs or ("embeddings-not-decayed" in self.bugs and name in ("wte.weight", "wpe.weight")):
            return 0.0
        return self.weight_decay if is_matrix(name) else 0.0
