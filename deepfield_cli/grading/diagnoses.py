"""The diagnoses that every problem shares; a problem's own stand in its problem.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deepfield_cli.content.problem import Problem


@dataclass(frozen=True)
class Diagnosis:
    """A mistake with a name: what the code does, and what to look at."""

    explanation: str
    help: str


# Raised by the sandbox and the comparisons: their rationale says what happened, so only the help is of use here.
GENERAL: Mapping[str, Diagnosis] = {
    "not-implemented": Diagnosis("The function is still the stub.", "Fill it in; deepfield hint gives a first push."),
    "missing-name": Diagnosis("A name that the suite calls does not exist.", "Compare with the starter."),
    "wrong-signature": Diagnosis("The parameters are not those of the starter.", "Names and order are fixed."),
    "raised": Diagnosis("The submission raised an exception.", "deepfield repro writes the exact input."),
    "forbidden-call": Diagnosis("A call that the rules exclude.", "Write this part yourself."),
    "timeout": Diagnosis("There was no answer in time.", "Look for a loop that does not end."),
    "out-of-memory": Diagnosis("The worker's memory was used up.", "Look for what grows with the square of the input."),
    "crashed": Diagnosis("The interpreter itself died.", "Look at native code and unbounded recursion."),
    "exited": Diagnosis("The submission ended the process.", "Return an answer instead."),
    "not-loadable": Diagnosis("The file could not be run as Python.", "Run it yourself: python FILE."),
    "bad-answer": Diagnosis("The answer cannot be sent back.", "Return plain values, tensors or arrays."),
    "wrong-type": Diagnosis("The answer is of another type than promised.", "Compare with the signature in the brief."),
    "missing-key": Diagnosis("The returned dict lacks a key.", "The brief lists the keys."),
    "wrong-shape": Diagnosis("The answer has another shape than promised.", "Print the shape after every step."),
    "wrong-dtype": Diagnosis("The answer has another dtype than promised.", "Results keep the dtype of the input."),
    "not-finite": Diagnosis(
        "NaN or infinity where a number is due.", "Look for exp of something large, 0/0 and inf − inf."
    ),
    "mutates-input": Diagnosis(
        "An argument was changed in place.", "The caller still needs it: work on a copy, and beware of += and out=."
    ),
    "all-zeros": Diagnosis("Every value is zero.", "Is the result written to the array that is returned?"),
    "constant-output": Diagnosis("Every value is the same.", "Does the answer depend on the input at all?"),
    "sign-flipped": Diagnosis("The right answer with the opposite sign.", "Follow the sign through the last steps."),
    "scaled-by-constant": Diagnosis(
        "The right answer times a constant.", "Look for a mean that should be a sum, or a scale."
    ),
    "off-by-a-constant": Diagnosis(
        "The right answer plus a constant.", "Look for a bias added once too often, or never."
    ),
    "transposed": Diagnosis("The right answer with two axes exchanged.", "Name the axes in comments, then check each."),
    "shifted-by-one": Diagnosis("The right answer, one position off.", "Look at the bounds of the slice or the mask."),
    "one-batch-only": Diagnosis(
        "Only part of the batch is right.", "Look for an index fixed at 0, or a sum over the batch."
    ),
    "reduced-precision": Diagnosis("Right, in too low a precision.", "Look for a cast to a smaller type."),
}


def look_up(name: str, problem: Problem) -> Diagnosis | None:
    """The diagnosis of this name: the problem's own first. ``first+second`` gives both at once."""
    if name in problem.misconceptions:
        own = problem.misconceptions[name]
        return Diagnosis(own.explanation, own.help)
    if name in GENERAL:
        return GENERAL[name]
    parts = [look_up(part, problem) for part in name.split("+")] if "+" in name else []
    if len(parts) < 2 or any(part is None for part in parts):
        return None
    found = [part for part in parts if part is not None]
    return Diagnosis(
        "Two mistakes at once: " + " And: ".join(part.explanation for part in found),
        " ".join(part.help for part in found),
    )
