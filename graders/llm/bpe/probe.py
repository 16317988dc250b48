"""Runs inside the worker, beside the submission: many texts in one call, and long streams that are made there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any


def encode_many(module: Any, tokenizer: Any, texts: list[str]) -> list[Any]:
    """The ids of every text."""
    return [tokenizer.encode(text) for text in texts]


def decode_many(module: Any, tokenizer: Any, sequences: list[list[int]]) -> list[Any]:
    """For every sequence of ids its text, or the names of the exception's classes."""
    return [outcome(tokenizer.decode, ids) for ids in sequences]


def encode_each(module: Any, tokenizer: Any, texts: list[str]) -> list[Any]:
    """For every text its ids, or the names of the exception's classes."""
    return [outcome(tokenizer.encode, text) for text in texts]


def outcome(function: Callable[[Any], Any], argument: Any) -> list[Any]:
    """["returned", value] or ["raised", names]; a stub is still a stub."""
    try:
        return ["returned", function(argument)]
    except NotImplementedError:
        raise
    except Exception as error:  # noqa: BLE001 - which exception it is, is the answer
        return ["raised", [kind.__name__ for kind in type(error).__mro__]]


def stream_many(module: Any, tokenizer: Any, streams: list[list[str]]) -> list[list[Any]]:
    """The ids of every stream, each handed over as a generator."""
    return [list(tokenizer.encode_stream(chunk for chunk in chunks)) for chunks in streams]


def stream_in_turn(
    module: Any, tokenizer: Any, first: list[str], second: list[str], abandoned: list[str]
) -> list[list[Any]]:
    """Two streams read in turn, one id of each, after a third that was given up half-way."""
    given_up = iter(tokenizer.encode_stream(iter(abandoned)))
    next(given_up, None)
    streams: list[Any] = [iter(tokenizer.encode_stream(iter(chunks))) for chunks in (first, second)]
    ids: list[list[Any]] = [[], []]
    while streams[0] is not None or streams[1] is not None:
        for place, stream in enumerate(streams):
            token = None if stream is None else next(stream, None)
            if token is None:
                streams[place] = None
            else:
                ids[place].append(token)
    return ids


def first_id(module: Any, tokenizer: Any, words: list[str], characters: int) -> list[Any]:
    """The first id of a long stream, and how many characters had been taken from it by then."""
    taken = [0]

    def chunks() -> Iterator[str]:
        for chunk in chunks_of(words, lambda: taken[0] < characters):
            taken[0] += len(chunk)
            yield chunk

    return [next(iter(tokenizer.encode_stream(chunks())), None), taken[0]]


def stream_long(module: Any, tokenizer: Any, words: list[str], size: int, seconds: float) -> list[Any]:
    """Stream `size` bytes, or as many as fit into the seconds; no id is kept. Chunks, bytes and the sum of the ids."""
    end = time.monotonic() + seconds
    sent = [0, 0]

    def chunks() -> Iterator[str]:
        for chunk in chunks_of(words, lambda: sent[1] < size and time.monotonic() < end):
            sent[0] += 1
            sent[1] += len(chunk.encode())
            yield chunk

    return [sum(tokenizer.encode_stream(chunks())), *sent]


def chunks_of(words: list[str], more: Callable[[], bool]) -> Iterator[str]:
    """Fresh strings of all the words, every time beginning with another one; a space after each word."""
    turn = 0
    while more():
        turn = (turn + 1) % len(words)
        yield " ".join([*words[turn:], *words[:turn], ""])
