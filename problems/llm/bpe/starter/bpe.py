"""llm/bpe: a byte-level BPE tokenizer that agrees with GPT-2's. The brief is in README.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence


class Tokenizer:
    """A trained tokenizer.

    merges: list[tuple[bytes, bytes]], the merges by rank
    vocab:  dict[int, bytes], what every id stands for: 256 bytes, then the merges, then the special tokens
    """

    merges: list[tuple[bytes, bytes]]
    vocab: dict[int, bytes]

    @classmethod
    def train(cls, text: str, vocab_size: int, special_tokens: Sequence[str] = ()) -> Tokenizer:
        """Learn merges from the text until the vocabulary (bytes, merges and special tokens) has vocab_size entries."""
        raise NotImplementedError

    @classmethod
    def from_merges(cls, merges: list[tuple[bytes, bytes]], special_tokens: Sequence[str] = ()) -> Tokenizer:
        """Build the tokenizer whose merges are given, in the order of their ranks."""
        raise NotImplementedError

    def encode(self, text: str) -> list[int]:
        """Return the ids of the text; special tokens in it become their own ids."""
        raise NotImplementedError

    def encode_stream(self, chunks: Iterable[str]) -> Iterator[int]:
        """Yield the ids of the joined chunks, without ever holding all of them."""
        raise NotImplementedError

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of the ids; bytes that are not UTF-8 become U+FFFD, an unknown id raises."""
        raise NotImplementedError
