"""The same tokenizer in the manner of 2019: every byte a printable character, every token a str, "Ġthe" for " the"."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, pairwise
from typing import ClassVar

import regex as re


def _printable():
    table, spare = {}, 256
    for byte in range(256):
        if chr(byte).isprintable() and not chr(byte).isspace():
            table[byte] = chr(byte)
        else:
            table[byte], spare = chr(spare), spare + 1
    return table


TABLE = _printable()
BACK = {ord(character): byte for byte, character in TABLE.items()}


def show(token: bytes) -> str:
    return token.decode("latin-1").translate(TABLE)


def unshow(token: str) -> bytes:
    return token.translate(BACK).encode("latin-1")


@dataclass(frozen=True, eq=False)
class Tokenizer:
    ranks: dict[tuple[str, str], int]
    special_tokens: tuple[str, ...] = ()
    _seen: dict[str, tuple[int, ...]] = field(default_factory=dict, repr=False)

    WORD: ClassVar = re.compile(r"""'(?:[stmd]|re|ve|ll)|[ ]?(?:\p{L}+|\p{N}+|[^\s\p{L}\p{N}]+)|\s+(?!\S)|\s+""")

    @classmethod
    def from_merges(cls, merges, special_tokens=()):
        return cls({(show(a), show(b)): rank for rank, (a, b) in enumerate(merges)}, tuple(special_tokens))

    @classmethod
    def train(cls, text, vocab_size, special_tokens=()):
        self = cls({}, tuple(special_tokens))
        words = Counter(chain.from_iterable(map(self.WORD.findall, self._split(text)[::2])))
        splits = {word: list(show(word.encode())) for word in words}
        number = {token: index for index, token in enumerate(self._tokens)}
        counts: Counter[tuple[str, str]] = Counter()
        inside: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        levels: defaultdict[int, set[tuple[str, str]]] = defaultdict(set)  # count -> the pairs with that count

        def move(changes):
            for pair, change in changes.items():
                if change:
                    levels[counts[pair]].discard(pair)
                    counts[pair] += change
                    levels[counts[pair]].add(pair)

        for word, times in words.items():
            for pair in pairwise(splits[word]):
                counts[pair] += times
                inside[pair].add(word)
        for pair, times in counts.items():
            levels[times].add(pair)
        ranks: dict[tuple[str, str], int] = {}
        level = max(levels, default=0)
        while level and len(number) + len(special_tokens) < vocab_size:
            if not levels[level]:
                level -= 1  # no merge makes a pair more frequent than the one that was merged
                continue
            best = min(levels[level], key=lambda pair: (number[pair[0]], number[pair[1]]))
            ranks[best] = len(ranks)
            number["".join(best)] = len(number)
            changes: Counter[tuple[str, str]] = Counter()
            for word in inside.pop(best):
                before, splits[word] = splits[word], join(splits[word], best)
                for pair in pairwise(before):
                    changes[pair] -= words[word]
                for pair in pairwise(splits[word]):
                    changes[pair] += words[word]
                    inside[pair].add(word)
            move(changes)
        return cls(ranks, tuple(special_tokens))

    @cached_property
    def _tokens(self):
        return [*sorted(TABLE.values()), *("".join(pair) for pair in self.ranks)]

    @cached_property
    def _number(self):
        return {token: index for index, token in enumerate(self._tokens)}

    @cached_property
    def vocab(self):
        return dict(enumerate([*map(unshow, self._tokens), *(special.encode() for special in self.special_tokens)]))

    @property
    def merges(self):
        return [(unshow(a), unshow(b)) for a, b in self.ranks]

    def _split(self, text):
        """Ordinary text at the even places, special tokens at the odd ones."""
        if not self.special_tokens:
            return [text]
        return re.split("(" + "|".join(sorted(map(re.escape, self.special_tokens), key=len, reverse=True)) + ")", text)

    def _ids(self, word):
        if word not in self._seen:
            if len(self._seen) > 50_000:
                self._seen.clear()
            parts = list(show(word.encode()))
            while len(parts) > 1:
                best = min(pairwise(parts), key=lambda pair: self.ranks.get(pair, float("inf")))
                if best not in self.ranks:
                    break
                parts = join(parts, best)
            self._seen[word] = tuple(self._number[part] for part in parts)
        return self._seen[word]

    def encode(self, text):
        return list(self.encode_stream([text]))

    def encode_stream(self, chunks):
        """Whole lines are not enough to cut at: so keep a margin, and give out what lies before it."""
        first_special = 256 + len(self.ranks)
        longest = max(map(len, self.special_tokens), default=0)
        rest = ""
        chunks = iter(chunks)
        while True:
            chunk = next(chunks, None)
            rest += chunk or ""
            place, sure = 0, len(rest) if chunk is None else len(rest) - longest - 3
            *texts_and_specials, last = self._split(rest)
            for index, piece in enumerate(texts_and_specials):
                if place > sure:
                    break
                if index % 2:
                    yield first_special + self.special_tokens.index(piece)
                    place += len(piece)
                elif place + len(piece) <= sure:
                    for word in self.WORD.findall(piece):
                        yield from self._ids(word)
                    place += len(piece)
                else:
                    last = piece
                    break
            else:
                index = len(texts_and_specials)
            if index % 2 == 0:
                for found in self.WORD.finditer(last):
                    # a blank run that ends at the margin could be cut elsewhere, hence the sign after it must be known
                    if chunk is not None and place + found.end() >= sure:
                        place += found.start()
                        break
                    yield from self._ids(found[0])
                else:
                    place += len(last)
            rest = rest[place:]
            if chunk is None:
                return

    def decode(self, ids):
        return b"".join(map(self.vocab.__getitem__, ids)).decode(errors="replace")


def join(parts, pair):
    """subtle: the right half of a merged pair must not be merged again."""
    left, right = pair
    joined, previous = [], None
    for part in parts:
        if previous == left and part == right:
            joined[-1] = previous = left + right
        else:
            joined.append(part)
            previous = part
    return joined
