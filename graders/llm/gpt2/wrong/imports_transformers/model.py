# fails: parameter_count   diagnosis: not-loadable   over: classic
"""The finished network of another package."""

from transformers import GPT2Config as GPTConfig
from transformers import GPT2LMHeadModel as GPT


def load_gpt2_weights(model, tensors):
    model.transformer.load_state_dict(tensors)
