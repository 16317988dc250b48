# fails: distillation_loss   diagnosis: no-max-subtraction   over: per_task
"""Takes exp of the logits themselves."""

import importlib

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(student_ptr, teacher_ptr, y_ptr, temperature, classes, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    at = tl.arange(0, BLOCK)
    s = tl.load(student_ptr + row * classes + at, mask=at < classes, other=-float("inf")) / temperature
    t = tl.load(teacher_ptr + row * classes + at, mask=at < classes, other=-float("inf")) / temperature
    log_q = s - tl.log(tl.sum(tl.exp(s)))
    log_p = t - tl.log(tl.sum(tl.exp(t)))
    terms = tl.where(at < classes, tl.exp(log_p) * (log_p - log_q), 0.0)
    tl.store(y_ptr + row, temperature * temperature * tl.sum(terms))


class ModelNew(nn.Module):
    def __init__(self, temperature):
        super().__init__()
        self.temperature = temperature

    def forward(self, student, teacher):
        height, width = student.shape
        y = student.new_empty(height)
        kernel[(height,)](student, teacher, y, self.temperature, width, BLOCK=triton.next_power_of_2(width))
        return y


def model_new(task):
    return ModelNew if task == "distillation_loss" else importlib.import_module(f"solutions.{task}").ModelNew
