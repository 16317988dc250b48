# fails: stream_memory   diagnosis: stream-memory-grows
"""At each look it takes one piece and keeps the rest, which grows where there are special tokens."""

import heapq
from collections import Counter, defaultdict
from functools import lru_cache
from itertools import pairwise

import regex

# One alternative per kind of pre-token, tried in this order at every position:
#   contractions, lower case and with the straight apostrophe only
#   letters, numbers, other signs; each takes one space (U+0020 alone) in front of it along
#   blanks: all of a run but the last one, which is left for the word that follows; then whatever blanks remain
PRE_TOKEN = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")

# encode_stream looks at its text in blocks of this many characters: one search per block, not one per chunk.
BLOCK = 8_192


def byte_order():
    """The 256 bytes in the order of their ids: first those that Latin-1 prints, then the other 68."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    return printable + [byte for byte in range(256) if byte not in printable]


BYTE_ORDER = byte_order()
ID_OF_BYTE = [BYTE_ORDER.index(byte) for byte in range(256)]


class Tokenizer:
    """merges: pairs of byte strings by rank; vocab: id -> bytes. Ids: bytes, then merges, then special tokens."""

    def __init__(self, merges, special_tokens=()):
        self.merges = [(bytes(left), bytes(right)) for left, right in merges]
        self.vocab = {token: bytes([byte]) for token, byte in enumerate(BYTE_ORDER)}

        token_of = {spelling: token for token, spelling in self.vocab.items()}
        # Pair of ids -> id of the merged token. Ids grow with rank, so "lowest rank" is "smallest merged id".
        self._merged_id = {}
        for left, right in self.merges:
            token = len(self.vocab)
            self._merged_id[token_of[left], token_of[right]] = token
            self.vocab[token] = left + right
            token_of[left + right] = token

        self._special_id = {}
        for special in special_tokens:
            self._special_id[special] = len(self.vocab)
            self.vocab[len(self.vocab)] = special.encode("utf-8")
        # A regex alternation takes the first that fits, not the longest: so the longest come first.
        longest_first = sorted(self._special_id, key=len, reverse=True)
        self._specials = (
            regex.compile("(" + "|".join(map(regex.escape, longest_first)) + ")") if longest_first else None
        )
        self._longest_special = max(map(len, longest_first), default=0)

        # Words repeat, so most are looked up, not merged. Bounded: a stream may hold any number of different words.
        self._word_ids = lru_cache(maxsize=1 << 16)(self._merge_word)

    # ---------------------------------------------------------------------------------------------- training

    @classmethod
    def train(cls, text, vocab_size, special_tokens=()):
        special_tokens = list(special_tokens)
        splitter = cls((), special_tokens)
        words = Counter(
            word for piece, special in splitter._cut(text) if not special for word in PRE_TOKEN.findall(piece)
        )
        room = vocab_size - 256 - len(special_tokens)
        return cls(learn_merges(words, room), special_tokens)

    @classmethod
    def from_merges(cls, merges, special_tokens=()):
        return cls(merges, special_tokens)

    # ---------------------------------------------------------------------------------------------- encoding

    def encode(self, text):
        ids = []
        for piece, special in self._cut(text):
            if special:
                ids.append(self._special_id[piece])
            else:
                for word in PRE_TOKEN.findall(piece):
                    ids.extend(self._word_ids(word))
        return ids

    def _cut(self, text):
        """(piece, is it a special token?) for every stretch of the text."""
        if self._specials is None:
            return [(text, False)]
        # Splitting at a group keeps what it matched: the odd pieces are the special tokens.
        return [(piece, index % 2 == 1) for index, piece in enumerate(self._specials.split(text))]

    def _merge_word(self, word):
        """The ids of one pre-token: merge the pair of lowest rank, everywhere, until none is left."""
        ids = [ID_OF_BYTE[byte] for byte in word.encode("utf-8")]
        merged_id = self._merged_id
        nothing = len(self.vocab)
        while len(ids) > 1:
            lowest = min(merged_id.get(pair, nothing) for pair in pairwise(ids))
            if lowest == nothing:
                break
            ids = [*merge(ids, lowest, merged_id)]
        return tuple(ids)

    def encode_stream(self, chunks):
        pending, length, wanted = [], 0, BLOCK
        for chunk in chunks:
            pending.append(chunk)
            length += len(chunk)
            if length >= wanted:
                ids, rest = self._encode_certain("".join(pending))
                yield from ids
                # A pre-token longer than a block: wait until there is twice as much, so that no text is searched often.
                pending, length, wanted = [rest], len(rest), max(BLOCK, 2 * len(rest))
        yield from self.encode("".join(pending))

    def _encode_certain(self, text):
        """The ids of the beginning of the text, as far as no later text can change them; and the text that is left."""
        # A special token that begins before `certain` is here in full, even if it is the longest.
        certain = len(text) - max(self._longest_special - 1, 0)
        ids, start = [], 0
        pieces = self._cut(text)
        for index, (piece, special) in enumerate(pieces):
            end = start + len(piece)
            if special:
                if start >= certain:
                    break
                ids.append(self._special_id[piece])
            elif end <= certain and index + 1 > len(pieces):
                # A special token follows, so this piece ends here whatever comes.
                for word in PRE_TOKEN.findall(piece):
                    ids.extend(self._word_ids(word))
            else:
                # The last two pre-tokens may still change: blanks wait for what follows them, a word may go on,
                # and "'" with "r" becomes one pre-token if "e" comes.
                # subtle: take the words as they were found here. Splitting the certain text again, without what
                # follows it, would read its last blanks differently.
                words = PRE_TOKEN.findall(piece[: max(certain - start, 0)])[:-2]
                for word in words:
                    ids.extend(self._word_ids(word))
                start += sum(map(len, words))
                break
            start = end
        return ids, text[start:]

    # ---------------------------------------------------------------------------------------------- decoding

    def decode(self, ids):
        # One character may be spread over several tokens: join the bytes first, then read them as UTF-8.
        # vocab is a dict, so an unknown id (also -1) raises KeyError.
        return b"".join([self.vocab[token] for token in ids]).decode("utf-8", errors="replace")


def merge(ids, token, merged_id):
    """The ids with every pair that makes `token` replaced by it, from left to right ("aaa" becomes "aa" "a")."""
    index, last = 0, len(ids) - 1
    while index <= last:
        if index < last and merged_id.get((ids[index], ids[index + 1])) == token:
            yield token
            index += 2
        else:
            yield ids[index]
            index += 1


def learn_merges(word_counts, room):
    """At most `room` merges for words (pre-tokens) with their counts.

    Counting all pairs again for every merge costs merges x text. But a merge changes only the words that hold its
    pair; so keep, for each pair, how often it occurs and in which words, and repair just those.
    """
    spelling = [bytes([byte]) for byte in BYTE_ORDER]
    words = [[ID_OF_BYTE[byte] for byte in word.encode("utf-8")] for word in word_counts]
    counts = list(word_counts.values())

    pair_count = Counter()
    words_with = defaultdict(set)
    for index, ids in enumerate(words):
        for pair in pairwise(ids):
            pair_count[pair] += counts[index]
            words_with[pair].add(index)

    # The heap gives the highest count, and among equal counts the smallest (id, id): the trainer's tie-break, for free.
    heap = [(-count, pair) for pair, count in pair_count.items()]
    heapq.heapify(heap)

    merges = []
    while len(merges) < room and heap:
        count, pair = heapq.heappop(heap)
        count = -count
        if count != pair_count[pair]:
            # Counts of a pair only fall once all of it is in the heap; an entry that is too high goes back corrected.
            if pair_count[pair] > 0:
                heapq.heappush(heap, (-pair_count[pair], pair))
            continue
        new = len(spelling)
        left, right = spelling[pair[0]], spelling[pair[1]]
        merges.append((left, right))
        spelling.append(left + right)

        fresh = set()
        for index in words_with.pop(pair):
            old = words[index]
            ids = words[index] = [*merge(old, new, {pair: new})]
            if len(ids) == len(old):
                continue  # the pair has been merged away in this word since it was noted
            for neighbours in pairwise(old):
                pair_count[neighbours] -= counts[index]
            for neighbours in pairwise(ids):
                pair_count[neighbours] += counts[index]
                if new in neighbours:
                    words_with[neighbours].add(index)
                    fresh.add(neighbours)
        for neighbours in fresh:
            heapq.heappush(heap, (-pair_count[neighbours], neighbours))
    return merges
