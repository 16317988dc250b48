"""Where each published number lives in the learner's model, whatever they called, fused, split or transposed.

The learner's own load_gpt2_weights is given tensors whose elements are all different whole numbers. Read back, each
element of each parameter says which published element it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepfield_cli.grading import CheckFailed, Reference, Submission, Tensor, expect

from .oracle import Array, Config, shapes

# Labels begin here, so that no gain of one and no bias of zero that was never loaded looks like one.
_FIRST_LABEL = 1000


@dataclass(frozen=True)
class Layout:
    """The way from the learner's parameters to published tensors.

    Attributes:
        config: the model's sizes.
        places: for each parameter the published element of each of its elements, numbered through all tensors.

    """

    config: Config
    places: Mapping[str, NDArray[np.int64]]

    def published(self, parameters: Mapping[str, Any], what: str = "the parameters") -> dict[str, Array]:
        """The learner's parameters under their published names and shapes."""
        sizes = {name: math.prod(shape) for name, shape in shapes(self.config).items()}
        flat = np.empty(sum(sizes.values()))
        for name, places in self.places.items():
            value = parameters.get(name)
            expect(value is not None, f"{what}: {name} has gone", diagnosis="wrong-type")
            flat[places.ravel()] = _values(value, places.shape, f"{what}: {name}").ravel()
        ends = np.cumsum(list(sizes.values()))[:-1]
        parts = np.split(flat, ends)
        return {
            name: part.reshape(shape) for (name, shape), part in zip(shapes(self.config).items(), parts, strict=True)
        }

    def of_learner(self, tensors: Mapping[str, Array]) -> dict[str, Tensor]:
        """Published tensors as the learner's parameters, in float32."""
        flat = np.concatenate([np.asarray(tensors[name]).ravel() for name in shapes(self.config)])
        return {name: Tensor(flat[places].astype(np.float32)) for name, places in self.places.items()}

    def tensors_in(self, parameter: str) -> list[str]:
        """The published tensors that a parameter holds something of."""
        names, ends = list(shapes(self.config)), np.cumsum([math.prod(shape) for shape in shapes(self.config).values()])
        return [names[index] for index in np.unique(np.searchsorted(ends, self.places[parameter], side="right"))]


def labels(config: Config) -> dict[str, Array]:
    """Published tensors in which every element is another whole number."""
    found, start = {}, _FIRST_LABEL
    for name, shape in shapes(config).items():
        size = math.prod(shape)
        found[name] = np.arange(start, start + size, dtype=np.float64).reshape(shape)
        start += size
    return found


def new_model(submission: Submission, config: Config) -> Reference:
    """The learner's GPT of these sizes; it stays in the worker."""
    made = submission.call("GPTConfig", **config.as_arguments(), opaque=True)
    model: Reference = submission.call("GPT", made, opaque=True)
    return model


def loaded_model(submission: Submission, config: Config, weights: Mapping[str, Array]) -> Reference:
    """The learner's GPT with these weights, given to their load_gpt2_weights in float32."""
    model = new_model(submission, config)
    submission.call("load_gpt2_weights", model, as_tensors(weights), opaque=True)
    return model


def as_tensors(weights: Mapping[str, Array]) -> dict[str, Tensor]:
    """Weights on their way to the worker."""
    return {name: Tensor(value.astype(np.float32)) for name, value in weights.items()}


def parameters_of(submission: Submission, model: Reference) -> dict[str, Any]:
    """The learner's parameters by their names in the learner's model, shared ones once."""
    found = submission.probe("parameters", model)
    if not isinstance(found, dict) or not found:
        raise CheckFailed(
            "GPT has no parameters",
            expected="a torch.nn.Module whose parameters() are to be learned",
            diagnosis="wrong-type",
        )
    return found


def learn(submission: Submission, config: Config) -> Layout:
    """Load labels into a model of the learner's and see where they went.

    Raises:
        CheckFailed: a published element is missing, was changed or is there twice; or a parameter was not loaded.

    """
    model = loaded_model(submission, config, labels(config))
    found = parameters_of(submission, model)
    return Layout(config, _places(found, config))


def _places(found: Mapping[str, Any], config: Config) -> dict[str, NDArray[np.int64]]:
    names = list(shapes(config))
    ends = np.cumsum([math.prod(shape) for shape in shapes(config).values()])
    places: dict[str, NDArray[np.int64]] = {}
    for name, value in found.items():
        values = _values(value, None, f"the parameter {name}")
        numbers = values - _FIRST_LABEL
        strange = (numbers != np.rint(numbers)) | (numbers < 0) | (numbers >= ends[-1])
        expect(
            not strange.any(),
            f"after load_gpt2_weights, {int(strange.sum())} of {values.size} elements of your parameter {name} "
            "are none of the numbers that were loaded",
            expected="each element of each parameter is one element of one published tensor, as it is",
            actual=f"{name}: {_some(values[strange])}",
            diagnosis="weights-not-loaded",
        )
        places[name] = numbers.astype(np.int64)
    everywhere = np.concatenate([place.ravel() for place in places.values()])
    seen = np.bincount(everywhere, minlength=int(ends[-1]))
    for number, words, diagnosis in ((0, "is nowhere in", "weights-not-loaded"), (2, "is twice in", "untied-head")):
        wrong = np.flatnonzero(seen == 0) if number == 0 else np.flatnonzero(seen >= 2)
        if wrong.size:
            tensors = [names[index] for index in np.unique(np.searchsorted(ends, wrong, side="right"))]
            raise CheckFailed(
                f"after load_gpt2_weights, some of {_some(tensors)} {words} your parameters",
                expected="every element of every published tensor once",
                actual=f"{wrong.size:,} elements of {len(tensors)} tensors",
                diagnosis=diagnosis,
            )
    return places


def _values(value: Any, shape: tuple[int, ...] | None, what: str) -> Array:
    is_tensor = isinstance(value, Tensor) and value.array.dtype.kind == "f"
    shown = value.dtype if isinstance(value, Tensor) else type(value).__name__
    expect(is_tensor, f"{what} is no tensor of floats", actual=shown, diagnosis="wrong-type")
    if shape is not None:
        actual = str(list(value.shape))
        same = value.shape == shape
        expect(same, f"{what} has changed its shape", expected=str(list(shape)), actual=actual, diagnosis="wrong-shape")
    array: Array = np.asarray(value.array, dtype=np.float64)
    return array


def _some(items: Sequence[Any] | Array) -> str:
    shown = [f"{item:.6g}" if isinstance(item, float) else str(item) for item in list(items)[:3]]
    return ", ".join(shown) + (" …" if len(items) > 3 else "")
