# fails: stream_matches   diagnosis: none
import heapq
from collections import Counter, defaultdict

import regex

PATTERN = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")
BYTES = [*range(33, 127), *range(161, 173), *range(174, 256)]
BYTES += [byte for byte in range(256) if byte not in BYTES]


class Tokenizer:
    def __init__(self, merges, special_tokens=()):
        self.merges = list(merges)
        self.special_tokens = list(special_tokens)
        tokens = [bytes([byte]) for byte in BYTES]
        tokens += [left + right for left, right in self.merges]
        self.ids = {token: number for number, token in enumerate(tokens)}
        tokens += [special.encode() for special in self.special_tokens]
        self.vocab = dict(enumerate(tokens))
        first = len(tokens) - len(self.special_tokens)
        self.special_ids = {special: first + index for index, special in enumerate(self.special_tokens)}
        self.ranks = {pair: rank for rank, pair in enumerate(self.merges)}
        self.known = {}

    @classmethod
    def from_merges(cls, merges, special_tokens=()):
        return cls(merges, special_tokens)

    @classmethod
    def train(cls, text, vocab_size, special_tokens=()):
        blank = cls([], special_tokens)
        words = Counter(word for piece, special in blank.cut(text) if not special for word in PATTERN.findall(piece))
        return cls(learn(words, vocab_size - 256 - len(special_tokens)), special_tokens)

    def cut(self, text):
        if not self.special_tokens:
            return [(text, False)]
        longest_first = sorted(self.special_tokens, key=len, reverse=True)
        pieces = regex.split("(" + "|".join(map(regex.escape, longest_first)) + ")", text)
        return [(piece, index % 2 == 1) for index, piece in enumerate(pieces)]

    def encode(self, text):
        ids = []
        for piece, special in self.cut(text):
            if special:
                ids.append(self.special_ids[piece])
            else:
                for word in PATTERN.findall(piece):
                    ids += self.encode_word(word)
        return ids

    def encode_word(self, word):
        if word not in self.known:
            if len(self.known) > 50_000:
                self.known.clear()
            tokens = [bytes([byte]) for byte in word.encode()]
            while len(tokens) > 1:
                pair = min(zip(tokens, tokens[1:]), key=lambda pair: self.ranks.get(pair, 1 << 60))
                if pair not in self.ranks:
                    break
                tokens = merge(tokens, pair, pair[0] + pair[1])
            self.known[word] = [self.ids[token] for token in tokens]
        return self.known[word]

    def encode_stream(self, chunks):
        text = ""
        longest = max(map(len, self.special_tokens), default=1)
        for chunk in chunks:
            text += chunk
            if len(text) < 10_000:
                continue
            certain = len(text) - longest + 1
            start = 0
            pieces = self.cut(text)
            for index, (piece, special) in enumerate(pieces):
                if start >= certain:
                    break
                if special:
                    yield self.special_ids[piece]
                elif start + len(piece) <= certain and index + 1 < len(pieces):
                    for word in PATTERN.findall(piece):
                        yield from self.encode_word(word)
                else:
                    words = PATTERN.findall(piece[: certain - start])[:-1]
                    for word in words:
                        yield from self.encode_word(word)
                    start += sum(map(len, words))
                    break
                start += len(piece)
            text = text[start:]
        yield from self.encode(text)

    def decode(self, ids):
        return b"".join(self.vocab[number] for number in ids).decode("utf-8", errors="replace")


def merge(tokens, pair, merged):
    result = []
    index = 0
    while index < len(tokens):
        if index + 1 < len(tokens) and (tokens[index], tokens[index + 1]) == pair:
            result.append(merged)
            index += 2
        else:
            result.append(tokens[index])
            index += 1
    return result


def learn(word_counts, room):
    spelling = [bytes([byte]) for byte in BYTES]
    number = {token: index for index, token in enumerate(spelling)}
    words = [[number[bytes([byte])] for byte in word.encode()] for word in word_counts]
    counts = list(word_counts.values())
    pairs = Counter()
    places = defaultdict(set)
    for index, word in enumerate(words):
        for pair in zip(word, word[1:]):
            pairs[pair] += counts[index]
            places[pair].add(index)
    heap = [(-count, pair) for pair, count in pairs.items()]
    heapq.heapify(heap)
    merges = []
    while heap and len(merges) < room:
        count, pair = heapq.heappop(heap)
        if -count != pairs[pair]:
            if pairs[pair]:
                heapq.heappush(heap, (-pairs[pair], pair))
            continue
        new = len(spelling)
        merges.append((spelling[pair[0]], spelling[pair[1]]))
        spelling.append(spelling[pair[0]] + spelling[pair[1]])
        created = set()
        for index in places.pop(pair):
            for old in zip(words[index], words[index][1:]):
                pairs[old] -= counts[index]
            words[index] = merge(words[index], pair, new)
            for fresh in zip(words[index], words[index][1:]):
                pairs[fresh] += counts[index]
                if new in fresh:
                    places[fresh].add(index)
                    created.add(fresh)
        for fresh in created:
            heapq.heappush(heap, (-pairs[fresh], fresh))
    return merges
