# fails: worked_example   diagnosis: not-loadable
import tokenizers
from tokenizers import models, pre_tokenizers, trainers


class Tokenizer:
    @classmethod
    def train(cls, text, vocab_size, special_tokens=()):
        self = cls()
        self.inner = tokenizers.Tokenizer(models.BPE())
        self.inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        self.inner.train_from_iterator([text], trainers.BpeTrainer(vocab_size=vocab_size, initial_alphabet=alphabet))
        return self
