import pytest

from ringfence.artifacts.checks.shingles import BANDS, bands, fingerprint, jaccard, triples, words
from ringfence.testing.training import texts


def test_words_are_folded():
    assert words("\uff28ello,  WORLD! naïve") == ["hello", "world", "naïve"]
    assert triples("a b") == triples("A  b!") != triples("b a")
    assert triples("") == set()
    assert len(triples("a b c d")) == 2


def test_similarity_is_the_share_of_common_triples():
    first, second = triples("a b c d e"), triples("a b c d f")
    assert jaccard(first, second) == pytest.approx(2 / 4)
    assert jaccard(first, first) == 1
    assert jaccard(set(), first) == 0


def test_a_fingerprint_depends_on_text_and_seed_alone():
    assert fingerprint("a", 1) == fingerprint("a", 1) != fingerprint("a", 2)
    assert fingerprint("a", 1) != fingerprint("b", 1)
    assert fingerprint("\ud800", 1)


def test_bands_agree_for_what_is_alike_and_hardly_ever_else():
    made = [triples(row["text"]) for row in texts(300, 1)]
    signed = [bands(one, 1) for one in made]
    assert all(len(one) == BANDS for one in signed)
    assert signed[0] == bands(made[0], 1)
    agreeing = sum(a == b for one in range(0, 300, 2) for a, b in zip(signed[one], signed[one + 1], strict=True))
    assert agreeing <= 2


def test_few_shingles_fill_every_place():
    assert len(set(bands({1, 2, 3}, 1))) > 1
    assert bands(set(), 1)
