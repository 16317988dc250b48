"""The same tokenizer without the regex package: a scanner by hand, linked lists, positions instead of words."""

from __future__ import annotations

import heapq
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

LETTER, NUMBER, BLANK, OTHER = "L", "N", "Z", "-"

# Unicode's White_Space. str.isspace() also takes U+001C to U+001F, which GPT-2's \s does not.
WHITE_SPACE = frozenset(
    "\t\n\x0b\x0c\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)


class Kinds(dict):
    """Character -> its kind, filled in as characters are met."""

    def __missing__(self, character: str) -> str:
        category = unicodedata.category(character)[0]
        kind = BLANK if character in WHITE_SPACE else category if category in (LETTER, NUMBER) else OTHER
        self[character] = kind
        return kind


class Vocabulary(dict):
    """Id -> bytes, which also knows the way back."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        super().__init__()
        self.number: dict[bytes, int] = {}
        for byte in sorted(range(256), key=lambda byte: (0x7F <= byte <= 0xA0 or byte <= 0x20 or byte == 0xAD, byte)):
            self.append(bytes((byte,)))

    def append(self, token: bytes) -> int:
        number = len(self)
        self[number] = token
        self.number.setdefault(token, number)
        return number


class Tokenizer:
    __slots__ = ("_kinds", "_longest", "_merges", "_numbers", "_ranks", "_specials", "_vocabulary")

    def __init__(self, merges: Iterable[Sequence[bytes]], special_tokens: Iterable[str]) -> None:
        self._kinds = Kinds()
        self._vocabulary = Vocabulary()
        self._merges = tuple((left, right) for left, right in merges)
        self._ranks: dict[tuple[bytes, bytes], int] = {}
        for rank, pair in enumerate(self._merges):
            self._ranks.setdefault(pair, rank)
            self._vocabulary.append(pair[0] + pair[1])
        self._numbers = dict(self._vocabulary.number)
        self._specials = {special: self._vocabulary.append(special.encode()) for special in special_tokens}
        self._longest = max((len(special) for special in self._specials), default=1)

    @staticmethod
    def from_merges(merges, special_tokens=()):
        return Tokenizer(merges, special_tokens)

    @staticmethod
    def train(text, vocab_size, special_tokens=()):
        special_tokens = tuple(special_tokens)
        blank = Tokenizer((), special_tokens)
        counts: dict[str, int] = {}
        for piece, special in blank._pieces(text, final=True):
            if not special:
                counts[piece] = counts.get(piece, 0) + 1
        trainer = Trainer(counts)
        trainer.run(vocab_size - 256 - len(special_tokens))
        return Tokenizer(trainer.merges, special_tokens)

    @property
    def merges(self):
        return list(self._merges)

    @property
    def vocab(self):
        return self._vocabulary

    def decode(self, ids) -> str:
        joined = bytearray()
        for number in ids:
            joined += self._vocabulary[number]
        return str(joined, "utf-8", "replace")

    def encode(self, text: str) -> list[int]:
        ids: list[int] = []
        known: dict[str, list[int]] = {}
        for piece, special in self._pieces(text, final=True):
            if special:
                ids.append(self._specials[piece])
                continue
            if piece not in known:
                known[piece] = self._merged(piece)
            ids += known[piece]
        return ids

    def encode_stream(self, chunks: Iterable[str]) -> Iterator[int]:
        text = ""
        for chunk in chunks:
            text += chunk
            used = 0
            for piece, special in self._pieces(text, final=False):
                used += len(piece)
                if special:
                    yield self._specials[piece]
                else:
                    yield from self._merged(piece)
            text = text[used:]
        yield from self.encode(text)

    # Where tokens may begin and end

    def _pieces(self, text: str, *, final: bool) -> Iterator[tuple[str, bool]]:
        """Pre-tokens and special tokens; unless the text is final, only those that no later text can change."""
        sure = len(text) if final else len(text) - self._longest + 1
        next_place = {special: text.find(special) for special in self._specials}
        start = 0
        while start < len(text):
            special, place = self._next_special(text, start, next_place)
            known = min(place, max(sure, 0))
            closed = final or (special != "" and place == known)
            while start < known:
                end = self._end(text, start, known, closed)
                if end is None:
                    return
                yield text[start:end], False
                start = end
            if place >= sure or not special:
                return
            yield special, True
            start = place + len(special)

    def _next_special(self, text: str, start: int, next_place: dict[str, int]) -> tuple[str, int]:
        best, place = "", len(text)
        for special, found in next_place.items():
            if 0 <= found < start:
                found = next_place[special] = text.find(special, start)
            if found >= 0 and (found, -len(special)) < (place, -len(best)):
                best, place = special, found
        return best, place

    def _end(self, text: str, start: int, limit: int, closed: bool) -> int | None:
        """Where the pre-token that begins at start ends; None if that depends on what comes after the limit."""
        kinds = self._kinds
        if text[start] == "'":
            if limit - start < 3 and not closed:
                return None
            for letters in ("s", "t", "re", "ve", "m", "ll", "d"):
                if text.startswith(letters, start + 1, limit):
                    return start + 1 + len(letters)
        first = start
        if text[start] == " " and start + 1 < limit and kinds[text[start + 1]] != BLANK:
            first += 1
        kind = kinds[text[first]]
        end = first + 1
        while end < limit and kinds[text[end]] == kind:
            end += 1
        if end == limit:
            return end if closed else None
        # a run of blanks leaves its last one to what follows it
        return end - 1 if kind == BLANK and end - start > 1 else end

    # Merging one pre-token: neighbours are linked, and the heap holds what could be merged, lowest rank first

    def _merged(self, piece: str) -> list[int]:
        tokens: list[bytes | None] = [bytes((byte,)) for byte in piece.encode()]
        size = len(tokens)
        after = list(range(1, size + 1))
        before = list(range(-1, size - 1))
        ranks = self._ranks
        heap = [(ranks[pair], place) for place, pair in enumerate(pairwise(tokens)) if pair in ranks]
        heapq.heapify(heap)
        while heap:
            rank, place = heapq.heappop(heap)
            right = after[place]
            if tokens[place] is None or right >= size or self._merges[rank] != (tokens[place], tokens[right]):
                continue  # one of the two has been merged with something else
            tokens[place] += tokens[right]
            tokens[right] = None
            after[place] = after[right]
            if after[place] < size:
                before[after[place]] = place
            for left in (before[place], place):
                if left >= 0 and after[left] < size:
                    candidate = ranks.get((tokens[left], tokens[after[left]]))
                    if candidate is not None:
                        heapq.heappush(heap, (candidate, left))
        return [self._numbers[token] for token in tokens if token is not None]


class Trainer:
    """All different words one behind the other; every pair knows the places at which it begins."""

    def __init__(self, counts: dict[str, int]) -> None:
        self.merges: list[tuple[bytes, bytes]] = []
        self.vocabulary = Vocabulary()
        self.tokens: list[int] = []  # -1 between words and where a token has been merged into the one before
        self.weight: list[int] = []
        for word, count in counts.items():
            encoded = word.encode()
            self.tokens += [self.vocabulary.number[bytes((byte,))] for byte in encoded]
            self.tokens.append(-1)
            self.weight += [count] * (len(encoded) + 1)
        self.after = list(range(1, len(self.tokens) + 1))
        self.before = list(range(-1, len(self.tokens) - 1))
        self.places: dict[tuple[int, int], set[int]] = {}
        self.count: dict[tuple[int, int], int] = {}
        for place in range(len(self.tokens) - 1):
            self.note(place)
        self.heap = [(-count, pair) for pair, count in self.count.items()]
        heapq.heapify(self.heap)

    def pair(self, place: int) -> tuple[int, int] | None:
        if place < 0 or self.after[place] >= len(self.tokens):
            return None
        pair = self.tokens[place], self.tokens[self.after[place]]
        return None if -1 in pair else pair

    def note(self, place: int) -> tuple[int, int] | None:
        pair = self.pair(place)
        if pair is not None:
            self.places.setdefault(pair, set()).add(place)
            self.count[pair] = self.count.get(pair, 0) + self.weight[place]
        return pair

    def forget(self, place: int) -> None:
        pair = self.pair(place)
        if pair is not None:
            self.places[pair].discard(place)
            self.count[pair] -= self.weight[place]

    def run(self, room: int) -> None:
        while len(self.merges) < room and self.heap:
            count, pair = heapq.heappop(self.heap)
            actual = self.count.get(pair, 0)
            if actual != -count:
                if actual:
                    heapq.heappush(self.heap, (-actual, pair))
                continue
            left, right = self.vocabulary[pair[0]], self.vocabulary[pair[1]]
            self.merges.append((left, right))
            self.replace(pair, self.vocabulary.append(left + right))

    def replace(self, pair: tuple[int, int], new: int) -> None:
        created = set()
        for place in sorted(self.places[pair]):  # from left to right: in "aaa" the first two are merged
            if self.pair(place) != pair:
                continue
            gone = self.after[place]
            self.forget(self.before[place])
            self.forget(gone)
            self.forget(place)
            self.tokens[place] = new
            self.tokens[gone] = -1
            self.after[place] = self.after[gone]
            self.before[self.after[gone]] = place
            created |= {self.note(self.before[place]), self.note(place)}
        created.discard(None)
        for fresh in created:
            if self.count[fresh]:
                heapq.heappush(self.heap, (-self.count[fresh], fresh))
