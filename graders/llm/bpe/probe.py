"""Runs inside the worker, beside the submission: many texts in one call, and long streams that are made there."""

import time


def encode_many(module, tokenizer, texts):
    """The ids of every text."""
    return [tokenizer.encode(text) for text in texts]


def decode_many(module, tokenizer, sequences):
    """For every sequence of ids its text, or the names of the exception's classes."""
    return [outcome(tokenizer.decode, ids) for ids in sequences]


def encode_each(module, tokenizer, texts):
    """For every text its ids, or the names of the exception's classes."""
    return [outcome(tokenizer.encode, text) for text in texts]


def outcome(function, argument):
    """["returned", value] or ["raised", names]; a stub is still a stub."""
    try:
        return ["returned", function(argument)]
    except NotImplementedError:
        raise
    except Exception as error:
        return ["raised", [kind.__name__ for kind in type(error).__mro__]]


def stream_many(module, tokenizer, streams):
    """The ids of every stream, each handed over as a generator."""
    return [list(tokenizer.encode_stream(chunk for chunk in chunks)) for chunks in streams]


def stream_in_turn(module, tokenizer, first, second, abandoned):
    """Two streams read in turn, one id of each, after a third that was given up half-way."""
    given_up = iter(tokenizer.encode_stream(iter(abandoned)))
    next(given_up, None)
    streams = [iter(tokenizer.encode_stream(iter(chunks))) for chunks in (first, second)]
    ids = [[], []]
    while streams[0] is not None or streams[1] is not None:
        for place, stream in enumerate(streams):
            token = None if stream is None else next(stream, None)
            if token is None:
                streams[place] = None
            else:
                ids[place].append(token)
    return ids


def first_id(module, tokenizer, words, characters):
    """The first id of a long stream, and how many characters had been taken from it by then."""
    taken = 0

    def chunks():
        nonlocal taken
        for chunk in chunks_of(words, lambda: taken < characters):
            taken += len(chunk)
            yield chunk

    return [next(iter(tokenizer.encode_stream(chunks())), None), taken]


def stream_long(module, tokenizer, words, size, seconds):
    """Stream `size` bytes, or as many as fit into the seconds; no id is kept. Chunks, bytes and the sum of the ids."""
    end = time.monotonic() + seconds
    sent = [0, 0]

    def chunks():
        for chunk in chunks_of(words, lambda: sent[1] < size and time.monotonic() < end):
            sent[0] += 1
            sent[1] += len(chunk.encode())
            yield chunk

    return [sum(tokenizer.encode_stream(chunks())), *sent]


def chunks_of(words, more):
    """Fresh strings of all the words, every time beginning with another one; a space after each word."""
    turn = 0
    while more():
        turn = (turn + 1) % len(words)
        yield " ".join([*words[turn:], *words[:turn], ""])
