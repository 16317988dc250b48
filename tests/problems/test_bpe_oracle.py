"""The oracle of llm/bpe must be right itself: held against tiktoken, against the definition, and against the brief."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from graders.llm.bpe import oracle, published, texts
from graders.llm.bpe.misconceptions import Learner
from graders.llm.bpe.oracle import Merge, Oracle

# Text as the suite draws it, and text that it never draws: any code points that every Unicode table in use knows.
# Few letters make long merges; the rest is what pre-tokenization is about.
FEW = st.text("ab ' sr", max_size=40)
TRICKY = st.integers(0, 2**32).map(lambda seed: texts.tricky(np.random.default_rng(seed), 6))
KNOWN = "".join(chr(point) for point in range(0x2FFF) if unicodedata.ucd_3_2_0.category(chr(point)) not in ("Cn", "Cs"))
ANY = st.text(KNOWN, max_size=30)
TEXT = st.one_of(FEW, TRICKY, ANY)
SPECIALS = ("<|end|>", "<|end|>er", "[a b]")


def train_with_specials_inside(text: str, vocab_size: int, specials: Sequence[str]) -> list[Merge]:
    """The package's trainer as it is usually called: it knows the special tokens, and numbers them first."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        show_progress=False,
        special_tokens=list(specials),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(oracle.cut_specials(text, specials), trainer)
    model = json.loads(tokenizer.to_str())["model"]
    assert [model["vocab"][special] for special in specials] == list(range(len(specials)))
    return [(oracle.to_bytes(left), oracle.to_bytes(right)) for left, right in model["merges"]]


# ---- training --------------------------------------------------------------------------------------------------------


@given(st.lists(TEXT, max_size=6).map(" ".join), st.integers(0, 60))
def test_training_agrees_with_the_definition(text: str, merges: int) -> None:
    size = 256 + len(SPECIALS) + merges
    assert oracle.train(text, size, SPECIALS) == Learner.train(text, size, SPECIALS).merges


@given(st.lists(st.one_of(TEXT, st.sampled_from(SPECIALS)), max_size=8).map("".join), st.integers(0, 40))
def test_special_tokens_move_all_ids_alike_so_no_tie_falls_another_way(text: str, merges: int) -> None:
    size = 256 + len(SPECIALS) + merges
    assert oracle.train(text, size, SPECIALS) == train_with_specials_inside(text, size, SPECIALS)


@given(st.lists(st.one_of(FEW, TRICKY), max_size=8).map(" ".join))
def test_no_training_makes_the_same_bytes_twice(text: str) -> None:
    # If one did, the package would give both one id, and the brief would have to say what becomes of the other.
    merges = oracle.train(text, 256 + 500)
    assert len({left + right for left, right in merges}) == len(merges)
    assert not any(len(left + right) == 1 for left, right in merges)


def test_a_tie_goes_to_the_smaller_ids_and_not_to_the_smaller_bytes() -> None:
    assert oracle.train("ab b", 257) == [(b"a", b"b")]
    assert (oracle.BYTE_ORDER.index(ord("a")), oracle.BYTE_ORDER.index(ord(" "))) == (64, 220)


def test_overlapping_pairs_both_count() -> None:
    assert oracle.train("aaa bcbc bc", 258)[:2] == [(b"b", b"c"), (b"a", b"a")]
    assert oracle.train("aaaa bcbcbc", 257) == [(b"a", b"a")]


def test_pairs_that_occur_once_are_merged_and_then_it_ends() -> None:
    assert oracle.train("sea", 10_000) == [(b"e", b"a"), (b"s", b"ea")]
    assert oracle.train("", 10_000) == []
    assert oracle.train("hello", 256) == []


@pytest.mark.parametrize("seed", range(3))
def test_words_trained_to_the_end_become_one_token_each(seed: int) -> None:
    rng = np.random.default_rng(seed)
    words = list(dict.fromkeys(texts.tricky(rng, 3) for _ in range(40)))
    learner = Learner(oracle.train_on_words(words))
    assert all(len(learner.merge_ids(learner.encode_bytes(word), word)) == 1 for word in words if word)


# ---- encoding --------------------------------------------------------------------------------------------------------


@given(st.lists(TEXT, min_size=1, max_size=5), TEXT)
def test_encoding_agrees_with_tiktoken(corpus: list[str], text: str) -> None:
    merges = oracle.train(" ".join(corpus), 256 + 80)
    whole = f"{text}<|endoftext|>{corpus[0]}"
    right = published.tiktoken_encoding(merges).encode(whole, allowed_special="all")
    assert Oracle(merges, published.SPECIAL_TOKENS).encode(whole) == right


@given(st.lists(st.one_of(TEXT, st.sampled_from(SPECIALS)), max_size=6).map("".join), FEW)
def test_encoding_agrees_with_the_definition(text: str, corpus: str) -> None:
    merges = oracle.train(corpus + text, 256 + len(SPECIALS) + 40, SPECIALS)
    expected = Learner(merges, SPECIALS).encode(text)
    answers = Oracle(merges, SPECIALS)
    assert answers.encode(text) == expected
    assert answers.encode_many([text, ""]) == [expected, []]
    assert answers.decode(expected) == text


@given(st.lists(st.one_of(TEXT, st.sampled_from([*SPECIALS, "<|en", "'r"])), max_size=6), st.randoms())
@settings(max_examples=100)
def test_the_streaming_reference_agrees_with_encoding_the_whole(parts: list[str], chance: object) -> None:
    text = "".join(parts)
    learner = Learner(oracle.train(text, 256 + 50, SPECIALS), SPECIALS)
    for chunks in ([*text], parts, [text]):
        assert [*learner.encode_stream(chunks)] == learner.encode(text)


@given(st.lists(st.integers(0, 255), max_size=12))
def test_decoding_agrees_with_the_packages_own(values: list[int]) -> None:
    from tokenizers import decoders

    answers = Oracle([])
    tokens = [oracle.to_characters(answers.vocab[value]) for value in values]
    assert answers.decode(values) == decoders.ByteLevel().decode(tokens)


def test_the_oracle_refuses_what_the_package_would_mix_up() -> None:
    with pytest.raises(ValueError, match="share one spelling"):
        Oracle([(b"a", b"b"), (b"ab", b"c"), (b"b", b"c"), (b"a", b"bc")])
    with pytest.raises(ValueError, match="share one spelling"):
        Oracle([(b"a", b"b")], ["ab"])


# ---- bytes and characters --------------------------------------------------------------------------------------------


def test_the_byte_order_is_the_briefs_table() -> None:
    table = {0: 33, 93: 126, 94: 161, 105: 172, 106: 174, 187: 255, 188: 0, 220: 32, 221: 127, 254: 160, 255: 173}
    assert {number: oracle.BYTE_ORDER[number] for number in table} == table
    assert sorted(oracle.BYTE_ORDER) == list(range(256))


def test_every_drawn_character_is_seen_alike_by_all_unicode_tables() -> None:
    pools = [value for name, value in vars(texts).items() if name.isupper() and not name.endswith("MISTAKES")]
    characters = sorted({sign for pool in pools if isinstance(pool, str | tuple) for part in pool for sign in part})
    assert len(characters) > 150
    answers = Oracle(oracle.train_on_words([f"a{sign}" for sign in characters] + [f"1{sign}" for sign in characters]))
    for sign in characters:
        category = unicodedata.category(sign)
        assert category != "Cn", f"U+{ord(sign):04X} is not assigned"
        assert (regex.match(r"\p{L}", sign) is not None) == category.startswith("L")
        assert (regex.match(r"\p{N}", sign) is not None) == category.startswith("N")
        # one id if the package sees a letter beside a letter, a number beside a number
        assert (len(answers.encode(f"a{sign}")) == 1) == category.startswith("L")
        assert (len(answers.encode(f"1{sign}")) == 1) == category.startswith("N")


@given(ANY)
def test_the_printable_characters_go_both_ways(text: str) -> None:
    assert oracle.to_bytes(oracle.to_characters(text.encode())) == text.encode()
