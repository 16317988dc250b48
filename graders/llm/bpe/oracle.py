"""The trusted answers: the `tokenizers` package, live, trained on the same text or given the same merges."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

# At the top although it is heavy: where the package is missing, loading the suite says so, with the extra to install.
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: TID253

Merge = tuple[bytes, bytes]


def _byte_to_character() -> dict[int, str]:
    """GPT-2's printable stand-in for each byte: itself if Latin-1 prints it, else the next from U+0100 on."""
    printable = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) if byte in printable else chr(256 + others.index(byte)) for byte in range(256)}


BYTE_TO_CHARACTER = _byte_to_character()
CHARACTER_TO_BYTE = {character: byte for byte, character in BYTE_TO_CHARACTER.items()}

# Id i is the byte BYTE_ORDER[i]: the trainer sorts its alphabet by the stand-in's code point.
BYTE_ORDER = sorted(range(256), key=BYTE_TO_CHARACTER.__getitem__)


def to_characters(token: bytes) -> str:
    """The token as the package writes it, one printable character for each byte."""
    return "".join(BYTE_TO_CHARACTER[byte] for byte in token)


def to_bytes(characters: str) -> bytes:
    """The inverse of `to_characters`."""
    return bytes(CHARACTER_TO_BYTE[character] for character in characters)


def vocabulary(merges: Sequence[Merge], specials: Sequence[str] = ()) -> dict[int, bytes]:
    """Id to bytes: the 256 bytes in GPT-2's order, the merges by rank, the special tokens in the order given."""
    tokens = [bytes([byte]) for byte in BYTE_ORDER]
    tokens += [left + right for left, right in merges]
    tokens += [special.encode() for special in specials]
    return dict(enumerate(tokens))


def cut_specials(text: str, specials: Sequence[str]) -> list[str]:
    """The stretches of text between the special tokens, which the trainer must be fed one by one to leave them out."""
    if not specials:
        return [text]
    longest_first = sorted(specials, key=len, reverse=True)
    return re.split("|".join(map(re.escape, longest_first)), text)


def train(text: str, vocab_size: int, specials: Sequence[str] = ()) -> list[Merge]:
    """The merges that the package's trainer makes of the text, in order; vocab_size counts the specials too."""
    return _train(cut_specials(text, specials), vocab_size - len(specials), use_regex=True)


def train_on_words(words: Sequence[str]) -> list[Merge]:
    """The merges over whole words, each taken as one pre-token, to the end: every word becomes one token."""
    return _train(words, 256 + sum(len(word.encode()) for word in words), use_regex=False)


def _train(pieces: Sequence[str], vocab_size: int, *, use_regex: bool) -> list[Merge]:
    # No text has more merges than bytes; the trainer reserves memory for as many as it is asked for.
    vocab_size = min(vocab_size, 256 + sum(len(piece.encode()) for piece in pieces))
    # The specials stay out of the trainer: it would put their ids first. That moves all other ids by the same amount,
    # so no tie falls another way (tests/problems/test_bpe_oracle.py holds it to that).
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, show_progress=False, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(pieces, trainer)
    pairs = json.loads(tokenizer.to_str())["model"]["merges"]
    return [(to_bytes(left), to_bytes(right)) for left, right in pairs]


class Oracle:
    """The package's byte-level BPE built from given merges, with the ids that the brief asks for."""

    def __init__(self, merges: Sequence[Merge], specials: Sequence[str] = ()) -> None:
        self.vocab = vocabulary(merges, specials)
        ids = {to_characters(self.vocab[token]): token for token in range(256 + len(merges))}
        if len(ids) != 256 + len(merges) or not ids.keys().isdisjoint(specials):
            # The package would give one id to both, and the brief promises that this never happens.
            raise ValueError("two tokens share one spelling; draw other merges or special tokens")
        pairs = [(to_characters(left), to_characters(right)) for left, right in merges]
        self._tokenizer = Tokenizer(models.BPE(vocab=ids, merges=pairs))
        self._tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
        self._tokenizer.decoder = decoders.ByteLevel()
        self._tokenizer.add_special_tokens([AddedToken(special, normalized=False) for special in specials])

    def encode(self, text: str) -> list[int]:
        """The ids of one text."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def encode_many(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of many texts."""
        return [list(encoding.ids) for encoding in self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of the joined bytes, with U+FFFD where they are not UTF-8 (the package's decoder does the same)."""
        # Not the package's own decode: it takes an "é" in a special token for the byte E9.
        return b"".join(self.vocab[token] for token in ids).decode("utf-8", errors="replace")
