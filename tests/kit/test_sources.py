"""The echo source: what it says about itself is counted, summed over all documents, and measured on samples."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from graders.kit.ngrams import best_ngram
from graders.kit.sources import RECORD, EchoSource, draw_echo


def tiny(wait: float = 0.4) -> EchoSource:
    """So small that all of its documents can be listed: 2 letters, 1 synonym, 1 kind of echo, 2 records."""
    kernel = np.array([[0.7, 0.3]])
    return EchoSource(kernel, np.array([0.6, 0.4]), wait, distance=1, records=2, names=np.array([3, 0, 4, 1, 2]))


def test_the_probabilities_of_all_documents_sum_to_one_and_give_the_entropy_rate() -> None:
    source = tiny()
    every = np.array(list(itertools.product(range(source.vocab_size), repeat=source.document_length)))
    possible = every[[is_document(source, row) for row in every]]
    each = source.log_probabilities(possible).sum(1)
    assert np.exp(each).sum() == pytest.approx(1.0, abs=1e-12)
    entropy = -(np.exp(each) * each)[np.isfinite(each)].sum()
    assert source.entropy_rate() == pytest.approx(entropy / source.document_length, abs=1e-12)


def is_document(source: EchoSource, row: np.ndarray) -> bool:
    """Whether flags, middles and letters stand where they may, and echoes repeat; written out for the tiny source."""
    flag_0, middle_0, letter_0, flag_1, middle_1, letter_1 = np.argsort(source.names)[row]
    flags, letters, wait = {0, 1}, {2, 3}, 4
    if not ({flag_0, flag_1} <= flags and {letter_0, letter_1} <= letters):
        return False
    if middle_0 not in (wait, letter_0) or middle_1 not in (wait, letter_1):
        return False
    return bool(flag_1 == 0 or letter_1 == letter_0)


def test_samples_have_the_frequencies_that_the_probabilities_say() -> None:
    source = tiny()
    documents, counts = np.unique(source.sample(np.random.default_rng(0), 40_000), axis=0, return_counts=True)
    assert all(is_document(source, row) for row in documents)
    expected = 40_000 * np.exp(source.log_probabilities(documents).sum(1))
    assert expected.sum() == pytest.approx(40_000, abs=60)  # all but the rarest documents came up
    assert ((counts - expected) ** 2 / expected).sum() < 150  # 56 kinds of document


def test_the_entropy_rate_is_what_a_sample_costs() -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        source = draw_echo(rng)
        each = -source.log_probabilities(source.sample(rng, 2_000)).mean(1)
        assert abs(each.mean() - source.entropy_rate()) < 5 * each.std() / np.sqrt(len(each))


def test_echoes_are_echoes() -> None:
    rng = np.random.default_rng(1)
    source = draw_echo(rng)
    documents = source.sample(rng, 200)
    symbols = np.argsort(source.names)[documents].reshape(200, source.records, RECORD)
    kind, letter = symbols[..., 0] // 2, symbols[..., 2]
    for record in range(source.records):
        for back in (1, 2, 3):
            if back * source.distance <= record:
                rows = kind[:, record] == back
                assert np.array_equal(letter[rows, record], letter[rows, record - back * source.distance])
    waits = symbols[..., 1] == source.vocab_size - 1
    assert np.array_equal(symbols[..., 1][~waits], letter[~waits])
    assert waits.mean() == pytest.approx(source.wait, abs=0.03)


def test_documents_are_independent_of_the_generator_before() -> None:
    source = draw_echo(np.random.default_rng(2))
    again = draw_echo(np.random.default_rng(2))
    one, other = source.sample(np.random.default_rng(3), 4), again.sample(np.random.default_rng(3), 4)
    assert np.array_equal(one, other)
    assert not np.array_equal(one, source.sample(np.random.default_rng(4), 4))


def test_no_ngram_falls_below_the_bound_and_a_trained_one_comes_near() -> None:
    rng = np.random.default_rng(5)
    source = draw_echo(rng)
    train, held_out = source.sample(rng, 12_000).ravel(), source.sample(rng, 400)
    found = best_ngram(train, held_out, source.vocab_size, 7)
    bound = source.ngram_bound(7)
    # the n-gram is not told where a document begins, and has seen 1.5 million tokens only
    assert bound - 4 * found.standard_error < found.value < bound + 0.08
    assert source.entropy_rate() + 0.3 < bound


def test_the_bound_is_the_same_for_all_blind_orders_and_refuses_others() -> None:
    source = draw_echo(np.random.default_rng(6))
    assert source.blind_order == 17
    assert source.ngram_bound(1) == source.ngram_bound(17)
    with pytest.raises(ValueError, match="order 18"):
        source.ngram_bound(18)


def test_what_an_ngram_of_a_blind_order_sees_never_holds_the_letter() -> None:
    source = draw_echo(np.random.default_rng(7))
    for record, back in itertools.product(range(source.distance, source.records), (1, 2, 3)):
        letter = RECORD * (record - back * source.distance) + 2
        for target in (RECORD * record + 1, RECORD * record + 2):
            assert letter < target - (source.blind_order - 1)


# ---- n-grams ---------------------------------------------------------------------------------------------------------


def test_an_ngram_finds_the_entropy_of_a_markov_chain() -> None:
    rng = np.random.default_rng(8)
    kernel = rng.dirichlet(np.full(5, 0.5), 5)
    tokens = np.zeros(200_000, dtype=np.int64)
    draws = rng.random(len(tokens))
    ladder = kernel.cumsum(1)
    for place in range(1, len(tokens)):
        tokens[place] = min(np.searchsorted(ladder[tokens[place - 1]], draws[place]), 4)
    found = best_ngram(tokens[:150_000], tokens[150_000:].reshape(500, 100), 5, 4)
    shares = np.bincount(tokens, minlength=5) / len(tokens)
    entropy = -(shares[:, None] * kernel * np.log(np.maximum(kernel, 1e-300))).sum()
    assert found.order in (2, 3)
    assert found.value == pytest.approx(entropy, abs=0.02 + 4 * found.standard_error)


def test_an_ngram_sums_to_one_over_the_vocabulary() -> None:
    rng = np.random.default_rng(9)
    train = rng.integers(0, 4, 60)
    context = rng.integers(0, 4, 3)
    rows = np.array([[*context, token] for token in range(4)])
    from graders.kit import ngrams

    probability = np.full(rows.shape, 0.25)
    for order in (1, 2, 3, 4):
        probability = ngrams._interpolated(train, rows, 4, order, probability)
        assert probability[:, -1].sum() == pytest.approx(1.0)


def test_keys_that_would_overflow_are_refused() -> None:
    with pytest.raises(ValueError, match="62-bit"):
        best_ngram(np.arange(10), np.arange(10)[None], 50_257, 5)
