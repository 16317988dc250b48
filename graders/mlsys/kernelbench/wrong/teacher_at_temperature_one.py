# fails: distillation_loss   diagnosis: none   over: per_task
"""Only the student's logits are divided by the temperature."""

import importlib

import triton
import triton.language as tl
from torch import nn


@triton.jit
def kernel(student_ptr, teacher_ptr, y_ptr, temperature, classes, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    s_max, s_sum = -float("inf"), 0.0
    t_max, t_sum, apart = -float("inf"), 0.0, 0.0
    for start in range(0, classes, BLOCK):
        at = start + tl.arange(0, BLOCK)
        seen = at < classes
        s = tl.load(student_ptr + row * classes + at, mask=seen, other=-float("inf")) / temperature
        t = tl.load(teacher_ptr + row * classes + at, mask=seen, other=-float("inf"))
        s_higher = tl.maximum(s_max, tl.max(s, axis=0))
        t_higher = tl.maximum(t_max, tl.max(t, axis=0))
        s_sum = s_sum * tl.exp(s_max - s_higher) + tl.sum(tl.exp(s - s_higher), axis=0)
        weights = tl.exp(t - t_higher)
        keep = tl.exp(t_max - t_higher)
        t_sum = t_sum * keep + tl.sum(weights, axis=0)
        apart = apart * keep + tl.sum(tl.where(seen, weights * (t - s), 0.0), axis=0)
        s_max, t_max = s_higher, t_higher
    # sum of p (log p - log q) = mean of (t - s) under p, plus the difference of the two logsumexps
    divergence = apart / t_sum + (s_max + tl.log(s_sum)) - (t_max + tl.log(t_sum))
    tl.store(y_ptr + row, temperature * temperature * divergence)


class ModelNew(nn.Module):
    def __init__(self, temperature: float):
        super().__init__()
        self.temperature = temperature

    def forward(self, student, teacher):
        y = student.new_empty(student.shape[0])
        kernel[(y.numel(),)](student, teacher, y, self.temperature, student.shape[1], BLOCK=1024)
        return y


def model_new(task):
    return ModelNew if task == "distillation_loss" else importlib.import_module(f"solutions.{task}").ModelNew
