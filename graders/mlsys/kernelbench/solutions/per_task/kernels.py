"""Where the grader finds your ModelNew of every task. It works as it is; the kernels go into solutions/.

The brief is in README.md, the tasks are in tasks/. `deepfield grade` tells you how far you are.
"""

import importlib

import torch


def model_new(task: str) -> type[torch.nn.Module]:
    """Return the class ModelNew of a task.

    Args:
        task: the name of a file in tasks/, such as "layer_norm"; or of a task of the public benchmark, such as
            "level1/19_ReLU".

    Returns:
        What solutions/<task>.py calls ModelNew. If you would rather keep all kernels in one file, look the class up in
        a dictionary here.
    """
    return importlib.import_module("solutions." + task.replace("/", ".")).ModelNew
