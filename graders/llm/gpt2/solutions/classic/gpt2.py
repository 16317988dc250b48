"""GPT-2 as torch modules; what is asked for comes from the files beside this one."""

from evaluation import choose_ending
from model import GPT, GPTConfig, load_gpt2_weights
from optimization import learning_rate, make_optimizer, train_step
from shards import TokenShards
from training import load_model, train

__all__ = [
    "GPT",
    "GPTConfig",
    "TokenShards",
    "choose_ending",
    "learning_rate",
    "load_gpt2_weights",
    "load_model",
    "make_optimizer",
    "train",
    "train_step",
]
