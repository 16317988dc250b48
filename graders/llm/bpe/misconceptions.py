"""What a learner with a known mistake would have answered: a plain, slow BPE whose mistakes can be switched on."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

import regex

from .oracle import Merge, to_characters, vocabulary

Pair = tuple[int, int]
Switches = frozenset[str]

NO_MISTAKE: Switches = frozenset()

# Misconception id -> the ways in which it is usually made, each a set of switches. The id stands for the first way.
_SEVERAL_WAYS = {
    "ascii-classes": ("ascii-classes", "ascii-classes-and-blanks"),
    "whitespace-split": ("split-drops-blanks", "split-keeps-blanks", "split-keeps-one-space"),
    "merges-left-to-right": ("merges-left-to-right", "merges-left-to-right-in-passes"),
    "ties-by-bytes-ascending": ("ties-by-bytes-ascending", "ties-by-joined-bytes-ascending"),
    "ties-by-bytes-descending": ("ties-by-bytes-descending", "ties-by-joined-bytes-descending"),
    "lone-surrogates-encoded": ("surrogates-passed", "surrogates-dropped", "surrogates-as-question-mark"),
}


def ways(misconception: str) -> list[Switches]:
    """The switch sets that show this misconception."""
    return [frozenset({switch}) for switch in _SEVERAL_WAYS.get(misconception, (misconception,))]


class Learner:
    """A tokenizer straight from the definition, with the mistakes in `switches`; without any it is right."""

    def __init__(self, merges: Sequence[Merge], specials: Sequence[str] = (), switches: Switches = NO_MISTAKE) -> None:
        self.merges = list(merges)
        self.specials = list(specials)
        self.switches = switches
        self.vocab = numbered_vocabulary(merges, specials, switches)
        self._longest = max(map(len, self.specials), default=0)
        ids: dict[bytes, int] = {}
        for token, spelling in self.vocab.items():
            ids.setdefault(spelling, token)
        shift = len(self.specials) if "specials-numbered-first" in switches else 0
        self._byte_ids = [ids[bytes([byte])] for byte in range(256)]
        self._special_ids = {special: ids[special.encode()] for special in self.specials}
        self._new_ids: dict[Pair, int] = {}
        for rank, (left, right) in enumerate(self.merges):
            if left in ids and right in ids:
                self._new_ids.setdefault((ids[left], ids[right]), shift + 256 + rank)
        self._tokens = {spelling: token for spelling, token in ids.items() if token not in self._special_ids.values()}

    # Training

    @classmethod
    def train(
        cls, text: str, vocab_size: int, specials: Sequence[str] = (), switches: Switches = NO_MISTAKE
    ) -> Learner:
        """Count every pair again for every merge."""
        blank = cls((), specials, switches)
        spellings = [blank.vocab[token] for token in range(len(blank.vocab))]
        words = blank.training_words(text)
        room = vocab_size - 256 - (0 if "specials-not-counted" in switches else len(specials))
        merges: list[Merge] = []
        stale: dict[Pair, int] | None = None
        while len(merges) < room:
            counts = stale if stale is not None else count_pairs(words, switches)
            pair = choose_pair(counts, spellings, switches)
            if pair is None or counts[pair] < (2 if "stops-at-count-two" in switches else 1):
                break
            new = len(spellings)
            merges.append((spellings[pair[0]], spellings[pair[1]]))
            spellings.append(spellings[pair[0]] + spellings[pair[1]])
            if "stale-pair-counts" in switches:
                stale = add_new_neighbours(counts, words, pair, new)
            words = merge_words(words, pair, new, switches)
        return cls(merges, specials, switches)

    def training_words(self, text: str) -> dict[tuple[int, ...], int]:
        """The different pre-tokens as bytes' ids, with how often each occurs, in the order first seen."""
        words: dict[tuple[int, ...], int] = {}
        for piece in self._training_pieces(text):
            for word in self.split(piece):
                ids = tuple(self.encode_bytes(word))
                words[ids] = 1 if "ignores-word-counts" in self.switches else words.get(ids, 0) + 1
        return words

    def _training_pieces(self, text: str) -> list[str]:
        if "specials-in-training" in self.switches:
            return [text]
        pieces = self._cut(text)
        if "specials-removed-not-cut" in self.switches:
            return ["".join(piece for piece, special in pieces if not special)]
        return [piece for piece, special in pieces if not special]

    # Encoding

    def encode(self, text: str) -> list[int]:
        """The ids of the text."""
        pieces = self._cut(text)
        words = [(word, special) for piece, special in pieces for word in ([piece] if special else self.split(piece))]
        return self._ids_of_pieces(words)

    def _ids_of_pieces(self, words: Iterable[tuple[str, bool]]) -> list[int]:
        ids: list[int] = []
        for word, special in words:
            ids += [self._special_ids[word]] if special else self.merge_ids(self.encode_bytes(word), word)
        return ids

    def _cut(self, text: str) -> list[tuple[str, bool]]:
        """Pieces of the text, each with whether it is a special token."""
        if "normalizes-text" in self.switches:
            text = unicodedata.normalize("NFC", text)
        specials = self.specials
        if not specials or "specials-not-cut" in self.switches:
            return [(text, False)] if text else []
        if "longest-special-anywhere" in self.switches:
            return cut_longest_anywhere(text, sorted(specials, key=len, reverse=True))
        if "shortest-special-first" in self.switches:
            specials = sorted(specials, key=len)
        elif "specials-in-given-order" not in self.switches:
            specials = sorted(specials, key=len, reverse=True)
        pieces = regex.split("(" + "|".join(map(regex.escape, specials)) + ")", text)
        return [(piece, index % 2 == 1) for index, piece in enumerate(pieces) if piece]

    def split(self, text: str) -> list[str]:
        """The pre-tokens of a text without special tokens."""
        if "merges-across-pre-tokens" in self.switches:
            return [text] if text else []
        if "split-drops-blanks" in self.switches:
            return text.split()
        if "adds-prefix-space" in self.switches and not text.startswith(" "):
            text = " " + text
        words: list[str] = regex.findall(pattern(self.switches), text)
        return words

    def encode_bytes(self, word: str) -> list[int]:
        """The ids of the bytes of a word, unmerged."""
        return [self._byte_ids[byte] for byte in utf8(word, self.switches)]

    def merge_ids(self, ids: list[int], word: str) -> list[int]:
        """The ids of one pre-token, given the ids of its bytes."""
        if "merges-left-to-right" in self.switches:
            return merge_leftmost(ids, self._new_ids)
        if "merges-left-to-right-in-passes" in self.switches:
            return merge_in_passes(ids, self._new_ids)
        if "longest-token-first" in self.switches:
            return self._longest_tokens(utf8(word, self.switches))
        if "one-occurrence-merged" in self.switches:
            return merge_once_each(ids, self._new_ids)
        while len(ids) > 1:
            pair = min(itertools.pairwise(ids), key=lambda pair: self._new_ids.get(pair, 1 << 60))
            if pair not in self._new_ids:
                break
            ids = list(merge_word(tuple(ids), pair, self._new_ids[pair], self.switches))
        return ids

    def _longest_tokens(self, word: bytes) -> list[int]:
        ids, start = [], 0
        while start < len(word):
            end = next(end for end in range(len(word), start, -1) if word[start:end] in self._tokens)
            ids.append(self._tokens[word[start:end]])
            start = end
        return ids

    # Decoding

    def decode(self, ids: Sequence[int]) -> str:
        """The text of the ids; raises LookupError for an id that is not in the vocabulary."""
        tokens = [self._spelling(token) for token in ids]
        if "decode-token-by-token" in self.switches:
            return "".join(token.decode(errors="replace") for token in tokens)
        if "decode-ignores-errors" in self.switches:
            return b"".join(tokens).decode(errors="ignore")
        return b"".join(tokens).decode(errors="strict" if "decode-strict" in self.switches else "replace")

    def _spelling(self, token: int) -> bytes:
        if "negative-ids-wrap" in self.switches:
            return [*self.vocab.values()][token]
        if token in self._special_ids.values() and "decode-skips-specials" in self.switches:
            return b""
        if token not in self.vocab and "unknown-ids-skipped" in self.switches:
            return b""
        return self.vocab[token]

    # Streaming

    def encode_stream(self, chunks: Iterable[str]) -> Iterator[int]:
        """The ids of the joined chunks."""
        pending = ""
        for chunk in chunks:
            pending += chunk
            certain = self._certain(pending)
            length = sum(len(piece) for piece, _ in certain)
            if self.switches & {"chunks-encoded-alone", "stream-cuts-blank-runs", "stream-splits-again"}:
                yield from self.encode(pending[:length])
            else:
                yield from self._ids_of_pieces(certain)
            pending = pending[length:]
        yield from self.encode(pending)

    def _certain(self, text: str) -> list[tuple[str, bool]]:
        """The first pre-tokens and special tokens of the text, as far as no later text can change them."""
        if "chunks-encoded-alone" in self.switches:
            return [(text, False)]
        if "stream-cuts-blank-runs" in self.switches:
            return [(text[: max((place for place, sign in enumerate(text) if sign.isspace()), default=0)], False)]
        # A special token that begins before `end` is here in full, however long it turns out to be.
        end = len(text) if "stream-cuts-specials" in self.switches else len(text) - max(self._longest - 1, 0)
        # "'" and "r" may become "'re", so the last two pre-tokens are open, not only the last.
        held = 1 if "stream-holds-back-too-little" in self.switches else 2
        certain: list[tuple[str, bool]] = []
        pieces = self._cut(text)
        start = 0
        for index, (piece, special) in enumerate(pieces):
            if start >= end:
                break
            if special:
                certain.append((piece, True))
            elif index + 1 < len(pieces) and start + len(piece) <= end:
                certain += [(word, False) for word in self.split(piece)]
            else:
                certain += [(word, False) for word in self.split(piece[: end - start])[:-held]]
                break
            start += len(piece)
        return certain


def numbered_vocabulary(merges: Sequence[Merge], specials: Sequence[str], switches: Switches) -> dict[int, bytes]:
    """Id to bytes, with the mistakes in numbering."""
    tokens = list(vocabulary(merges, specials).values())
    if "identity-byte-order" in switches:
        tokens[:256] = [bytes([byte]) for byte in range(256)]
    if "specials-numbered-first" in switches and specials:
        tokens = tokens[-len(specials) :] + tokens[: -len(specials)]
    return dict(enumerate(tokens))


def pattern(switches: Switches) -> str:
    """GPT-2's regular expression, with the mistakes in pre-tokenization."""
    if "split-keeps-blanks" in switches:
        return r"\S+|\s+"
    if "split-keeps-one-space" in switches:
        return r" ?\S+|\s+"
    letter, number, blank, apostrophe, flags = r"\p{L}", r"\p{N}", r"\s", "'", ""
    if "ascii-classes" in switches:
        letter, number = "A-Za-z", "0-9"
    if "ascii-classes-and-blanks" in switches:
        letter, number, blank = "A-Za-z", "0-9", r" \t\n\r\f\v"
    if "decimal-digits-only" in switches:
        number = r"\p{Nd}"
    if "marks-are-letters" in switches:
        letter = r"\p{L}\p{M}"
    if "python-blanks" in switches:
        blank = r"\s\x1c-\x1f"
    if "contractions-in-any-case" in switches:
        flags = "i"
    if "curly-contractions" in switches:
        apostrophe = "['’]"
    parts = [rf"(?{flags}:{apostrophe}(?:s|t|re|ve|m|ll|d))"]
    parts += [rf" ?[{letter}]+", rf" ?[{number}]+", rf" ?[^{blank}{letter}{number}]+"]
    parts += [rf"[{blank}]+(?![^{blank}])", rf"[{blank}]+"]
    if "no-contractions" in switches:
        parts = parts[1:]
    if "no-blank-lookahead" in switches:
        del parts[-2]
    return "|".join(parts)


def utf8(word: str, switches: Switches) -> bytes:
    """The bytes of the word, with the mistakes in encoding; a lone surrogate raises UnicodeEncodeError."""
    if "astral-as-surrogates" in switches:
        units = word.encode("utf-16-be", "surrogatepass")
        halves = (chr(int.from_bytes(units[index : index + 2], "big")) for index in range(0, len(units), 2))
        return b"".join(half.encode("utf-8", "surrogatepass") for half in halves)
    for switch, errors in {
        "surrogates-passed": "surrogatepass",
        "surrogates-dropped": "ignore",
        "surrogates-as-question-mark": "replace",
    }.items():
        if switch in switches:
            return word.encode("utf-8", errors)
    return word.encode()


def cut_longest_anywhere(text: str, specials: Sequence[str]) -> list[tuple[str, bool]]:
    """Cut at the longest special token wherever it stands, then what is left at the next."""
    if not text:
        return []
    if not specials:
        return [(text, False)]
    pieces: list[tuple[str, bool]] = []
    for index, rest in enumerate(text.split(specials[0])):
        if index:
            pieces.append((specials[0], True))
        pieces += cut_longest_anywhere(rest, specials[1:])
    return pieces


def merge_word(word: tuple[int, ...], pair: Pair, new: int, switches: Switches) -> tuple[int, ...]:
    """The word with the pair replaced by the new id, from left to right."""
    if "overlapping-pairs-merged-twice" in switches:
        starts = [word[index : index + 2] == pair for index in range(len(word))]
        inside = [False, *starts[:-1]]
        return tuple(
            new if start else token
            for token, start, covered in zip(word, starts, inside, strict=True)
            if start or not covered
        )
    merged: list[int] = []
    index = 0
    while index < len(word):
        if word[index : index + 2] == pair:
            merged.append(new)
            index += 2
            if "one-occurrence-merged" in switches:
                return (*merged, *word[index:])
        else:
            merged.append(word[index])
            index += 1
    return tuple(merged)


def merge_words(
    words: dict[tuple[int, ...], int], pair: Pair, new: int, switches: Switches
) -> dict[tuple[int, ...], int]:
    """Every word with the pair replaced, in the same order."""
    merged: dict[tuple[int, ...], int] = {}
    for word, count in words.items():
        word = merge_word(word, pair, new, switches)
        merged[word] = merged.get(word, 0) + count
    return merged


def merge_leftmost(ids: list[int], new_ids: dict[Pair, int]) -> list[int]:
    """Always merge the leftmost pair that has a merge, whatever its rank."""
    merged: list[int] = []
    for token in ids:
        merged.append(token)
        while len(merged) > 1 and (merged[-2], merged[-1]) in new_ids:
            merged[-2:] = [new_ids[merged[-2], merged[-1]]]
    return merged


def merge_in_passes(ids: list[int], new_ids: dict[Pair, int]) -> list[int]:
    """Walk over the word merging what can be merged, and again until nothing changes."""
    while True:
        merged: list[int] = []
        index = 0
        while index < len(ids):
            new = new_ids.get((ids[index], ids[index + 1])) if index + 1 < len(ids) else None
            merged.append(ids[index] if new is None else new)
            index += 1 if new is None else 2
        if merged == ids:
            return ids
        ids = merged


def merge_once_each(ids: list[int], new_ids: dict[Pair, int]) -> list[int]:
    """Go through the merges by rank, and merge only the first occurrence of each."""
    for pair, new in new_ids.items():
        for index in range(len(ids) - 1):
            if (ids[index], ids[index + 1]) == pair:
                ids = [*ids[:index], new, *ids[index + 2 :]]
                break
    return ids


def count_pairs(words: dict[tuple[int, ...], int], switches: Switches = NO_MISTAKE) -> dict[Pair, int]:
    """How often each pair stands side by side, in the order first seen; "aaa" holds (a, a) twice."""
    counts: dict[Pair, int] = {}
    for word, count in words.items():
        counted: Pair | None = None
        for pair in itertools.pairwise(word):
            if pair == counted and "overlaps-counted-once" in switches:
                counted = None
                continue
            counted = pair
            counts[pair] = counts.get(pair, 0) + count
    return counts


def add_new_neighbours(
    counts: dict[Pair, int], words: dict[tuple[int, ...], int], pair: Pair, new: int
) -> dict[Pair, int]:
    """The counts after a merge when the pairs that it breaks up are never taken off."""
    merged = count_pairs(merge_words(words, pair, new, NO_MISTAKE))
    created = {neighbour: count for neighbour, count in merged.items() if new in neighbour}
    return {**{other: count for other, count in counts.items() if other != pair}, **created}


def choose_pair(counts: dict[Pair, int], spellings: Sequence[bytes], switches: Switches) -> Pair | None:
    """The most frequent pair; of equals the one with the smaller ids, unless a mistake says otherwise."""
    highest = max(counts.values(), default=0)
    ties = [pair for pair, count in counts.items() if count == highest]
    if not ties:
        return None

    def spelled(pair: Pair) -> Merge:
        return spellings[pair[0]], spellings[pair[1]]

    if "ties-by-first-seen" in switches:
        return ties[0]
    if "ties-by-last-seen" in switches:
        return ties[-1]
    if "ties-by-larger-ids" in switches:
        return max(ties)
    if "ties-by-bytes-ascending" in switches:
        return min(ties, key=spelled)
    if "ties-by-bytes-descending" in switches:
        return max(ties, key=spelled)
    if "ties-by-joined-bytes-ascending" in switches:
        return min(ties, key=lambda pair: (b"".join(spelled(pair)), pair))
    if "ties-by-joined-bytes-descending" in switches:
        return max(ties, key=lambda pair: (b"".join(spelled(pair)), pair))
    if "ties-by-characters" in switches:
        return min(ties, key=lambda pair: tuple(map(to_characters, spelled(pair))))
    return min(ties)
