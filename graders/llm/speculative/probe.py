"""Runs inside the worker, beside the submission: makes the models, loops over seeds, and counts the products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch  # noqa: TID253 - the worker holds torch before it reads this
from torch.nn import functional  # noqa: TID253
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: TID253

MULTIPLY = {"mul", "multiply"}
# For each kind of product, which argument has the axis that is summed over as its last.
SUMMED_OVER = {
    "mm": 0, "bmm": 0, "mv": 0, "dot": 0, "vdot": 0, "linear": 0, "matmul": 0,
    "addmm": 1, "baddbmm": 1, "addbmm": 1, "addmv": 1, "_addmm_activation": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Config:
    """Sizes of a model, as the brief names them."""

    vocab_size: int
    context: int
    n_layers: int
    n_heads: int
    width: int


class Model:
    """The grader's own plain GPT: what the starter's tinygpt.py computes, out of the learner's reach."""

    def __init__(self, config: Config, weights: dict[str, Any]) -> None:
        self.config = config
        self.weights = weights

    def forward(self, tokens: Sequence[int]) -> Any:
        """The logits after every position, (T, V)."""
        w = self.weights
        length = len(tokens)
        if length > self.config.context:
            raise ValueError(f"{length} tokens, but this model reads {self.config.context} at most")
        x = w["token_embedding"][torch.as_tensor(tokens)] + w["position_embedding"][:length]
        for index in range(self.config.n_layers):
            layer = f"layer.{index}."
            x = x + self._attention(layer, self._normalized(x, layer + "norm_1"))
            hidden = self._normalized(x, layer + "norm_2") @ w[layer + "w_up"] + w[layer + "b_up"]
            x = x + functional.gelu(hidden, approximate="tanh") @ w[layer + "w_down"] + w[layer + "b_down"]
        return self._normalized(x, "norm") @ w["head"]

    def _attention(self, layer: str, x: Any) -> Any:
        w = self.weights
        length, width = x.shape
        heads = self.config.n_heads
        qkv = x @ w[layer + "w_qkv"] + w[layer + "b_qkv"]
        q, k, v = qkv.view(length, 3, heads, width // heads).permute(1, 2, 0, 3)
        scores = q @ k.transpose(1, 2) / (width // heads) ** 0.5
        future = torch.ones(length, length, dtype=torch.bool).triu(1)
        z = scores.masked_fill(future, float("-inf")).softmax(dim=-1) @ v
        return z.transpose(0, 1).reshape(length, width) @ w[layer + "w_out"] + w[layer + "b_out"]

    def _normalized(self, x: Any, name: str) -> Any:
        w = self.weights
        return functional.layer_norm(x, x.shape[-1:], w[name + ".gain"], w[name + ".bias"], eps=1e-5)


class Products(TorchDispatchMode):
    """Counts the multiplications of every product of matrices that torch makes, whoever asks for it."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """A yes imports the compiler first, which takes seconds, and nothing is compiled here."""
        return False

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        answer = function(*args, **(kwargs or {}))
        self.total += multiplications(function.overloadpacket.__name__, args, answer)
        return answer


def multiplications(name: str, args: Sequence[Any], answer: Any) -> int:
    """How many numbers one operator multiplies, if it is a product of matrices or can stand for one."""
    if name in SUMMED_OVER:
        return int(answer.numel() * args[SUMMED_OVER[name]].shape[-1])
    if "scaled_dot_product" in name or "flash_attention" in name:
        return int(2 * args[0].numel() * args[1].shape[-2])
    if name in MULTIPLY and isinstance(answer, torch.Tensor):
        # an outer product, to be summed afterwards: larger than what it is made of
        largest = max((item.numel() for item in args if isinstance(item, torch.Tensor)), default=0)
        return answer.numel() if answer.numel() > largest else 0
    return 0


def make_model(module: Any, config: dict[str, int], weights: dict[str, Any]) -> Model:
    """A model with these weights."""
    return Model(Config(**config), weights)


def weights_of(module: Any, model: Model) -> dict[str, Any]:
    """The weights as they are now."""
    return model.weights


def seeded(seed: int) -> Any:
    """A generator that begins here."""
    return torch.Generator().manual_seed(seed)


def generate_many(
    module: Any, model: Model, prompt: list[int], count: int, settings: dict[str, Any], seeds: list[int]
) -> list[Any]:
    """What generate returns for each seed."""
    return [module.generate(model, list(prompt), count, **settings, generator=seeded(seed)) for seed in seeds]


def speculate_many(module: Any, target: Model, draft: Model, task: dict[str, Any], seeds: list[int]) -> list[Any]:
    """What speculative_generate returns for each seed."""
    return [speculate(module, target, draft, task, seeded(seed)) for seed in seeds]


def speculate(module: Any, target: Model, draft: Model, task: dict[str, Any], generator: Any = None) -> Any:
    """One call of speculative_generate."""
    prompt, count, gamma = list(task["prompt"]), task["max_new_tokens"], task["gamma"]
    named = told(task)
    if generator is not None:
        named["generator"] = generator
    return module.speculative_generate(target, draft, prompt, count, gamma, **named)


def told(task: dict[str, Any]) -> dict[str, Any]:
    """The temperature, unless it is left to the default."""
    return {name: task[name] for name in ("temperature",) if name in task}


def from_one_generator(
    module: Any, target: Model, draft: Model, task: dict[str, Any], seed: int, times: int
) -> list[Any]:
    """Several calls that share a generator: each goes on where the one before stopped."""
    generator = seeded(seed)
    prompt, count = task["prompt"], task["max_new_tokens"]
    plain = [module.generate(target, list(prompt), count, **told(task), generator=generator) for _ in range(times)]
    return [plain, [speculate(module, target, draft, task, generator) for _ in range(times)]]


def feed(module: Any, model: Model, chunks: list[list[int]]) -> list[Any]:
    """Feed one sequence chunk by chunk: the logits of each, and the multiplications that each took."""
    cache, answers = None, []
    for chunk in chunks:
        with Products() as products:
            logits, cache = module.cached_forward(model, chunk, cache)
        answers.append([logits, products.total])
    return answers


def generate_counted(module: Any, model: Model, prompt: list[int], count: int) -> list[Any]:
    """What generate returns at temperature 0, and the multiplications that it took."""
    with Products() as products:
        tokens = module.generate(model, list(prompt), count, temperature=0)
    return [tokens, products.total]


def speculate_counted(module: Any, target: Model, draft: Model, task: dict[str, Any]) -> list[Any]:
    """What speculative_generate returns, and the multiplications that it took."""
    with Products() as products:
        answer = speculate(module, target, draft, task)
    return [answer, products.total]


def plain_loop(module: Any, model: Model, prompt: list[int], count: int) -> list[int]:
    """Greedy generation without a cache, to be compared with."""
    tokens = list(prompt)
    for _ in range(count):
        tokens.append(int(model.forward(tokens)[-1].argmax()))
    return tokens[len(prompt) :]
