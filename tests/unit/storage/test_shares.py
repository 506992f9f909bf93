from itertools import combinations

import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused, UsageError
from ringfence.storage.shares import join, parse, split
from ringfence.storage.signer import Ed25519Signer

SEED = bytes(range(32))


@pytest.fixture(scope="module")
def shares():
    return split(SEED, threshold=3, shares=5)


def test_any_three_of_five_make_the_root_again(shares):
    for chosen in combinations(shares, 3):
        assert join(chosen).public_key == Ed25519Signer.from_seed(SEED).public_key


def test_two_do_not(shares):
    for chosen in combinations(shares, 2):
        with pytest.raises(Refused, match="2 were given"):
            join(chosen)
        with pytest.raises(Refused, match="2 were given"):
            join([*chosen, chosen[0]])


def test_shares_of_two_roots_or_two_splittings_are_not_mixed(shares):
    other = split(bytes(32), threshold=3, shares=5)
    with pytest.raises(Refused, match="different root keys"):
        join([*shares[:2], other[2]])
    again = split(SEED, threshold=3, shares=5)
    with pytest.raises(Refused, match="another splitting"):
        join([*shares[:2], again[2]])
    with pytest.raises(Refused, match="or there are none"):
        join([])


def test_more_than_enough_join_and_a_stray_one_among_them_is_found_out(shares):
    assert join(shares).public_key == Ed25519Signer.from_seed(SEED).public_key
    stray = split(SEED, threshold=3, shares=5)[4]
    for given in ([*shares[:4], stray], [stray, *shares[:4]], [*shares[:2], stray, *shares[2:4]]):
        with pytest.raises(Refused, match="another splitting"):
            join(given)


def test_a_wrong_word_makes_nothing(shares):
    first = shares[0]
    words = first.words.split()
    words[10] = "academic" if words[10] != "academic" else "acid"
    spoilt = parse(first.to_text().replace(first.words, " ".join(words)))
    with pytest.raises(Refused, match="a word is wrong"):
        join([spoilt, *shares[1:3]])


def test_a_share_that_names_another_root_is_found_out(shares):
    other = str(Digest.of(b"other"))
    renamed = [parse(share.to_text().replace(str(share.root), other)) for share in shares[:3]]
    with pytest.raises(Refused, match="fingerprint"):
        join(renamed)


def test_a_share_is_a_text_and_shows_nothing_in_passing(shares):
    for share in shares:
        assert parse(share.to_text()) == share
        assert share.words not in repr(share)


@pytest.mark.parametrize("text", ["", "x" * 5000, "format a\nroot b\n", "\x00", "format urn:ringfence:root-share:v1\n"])
def test_anything_else_is_no_share(text):
    with pytest.raises(MalformedInput):
        parse(text, source="share")


@pytest.mark.parametrize(("threshold", "number"), [(1, 3), (4, 3), (0, 0), (2, 17), (-1, 5)])
def test_a_threshold_that_protects_nothing_is_refused(threshold, number):
    with pytest.raises(UsageError):
        split(SEED, threshold=threshold, shares=number)
