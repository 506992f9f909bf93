"""Texts as sets of word triples, and their MinHash: texts that share most triples share most of its places.

One permutation hashing (Li, Owen, Zhang 2012): every triple is hashed once, and falls into one of 100 places by that
hash; an empty place takes the value of a full one that its own number and the round choose (Shrivastava 2017).
"""

import hashlib
import re
import unicodedata
from zlib import crc32

PLACES = 100
ROWS = 5  # places in a band: two texts are compared where one band agrees
BANDS = PLACES // ROWS
WORDS = 3
MAX_WORDS = 4000
_TRIES = 1000
_WORD = re.compile(r"\w+")
_MASK = 2**64 - 1


def fingerprint(text: str, seed: int) -> int:
    """Return 64 bits of a text."""
    key = seed.to_bytes(8, "big")
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8, key=key).digest(), "big")


def words(text: str) -> list[str]:
    """Return the words of a text, folded, without marks and punctuation."""
    folded = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return _WORD.findall(folded.lower())[:MAX_WORDS]


def triples(text: str) -> set[int]:
    """Return the word triples of a text as 32-bit numbers; a text of fewer words is one shingle."""
    found = words(text)
    if len(found) < WORDS:
        return {crc32(" ".join(found).encode("utf-8", "replace"))} if found else set()
    coded = [crc32(word.encode("utf-8", "replace")) for word in found]
    return {
        ((a * 0x9E3779B1) ^ (b * 0x85EBCA77) ^ (c * 0xC2B2AE3D)) % 4294967291
        for a, b, c in zip(coded, coded[1:], coded[2:], strict=False)
    }


def bands(shingles: set[int], seed: int) -> list[int]:
    """Return one 32-bit number per band."""
    multiplier, shift = (seed * 2 + 1) * 0x9E3779B97F4A7C15 & _MASK, seed * 0xD1342543DE82EF95 & _MASK
    least = [-1] * PLACES
    for shingle in shingles:
        state = (shingle * multiplier + shift) & _MASK
        state = ((state ^ (state >> 29)) * 0xBF58476D1CE4E5B9) & _MASK
        place, value = (state >> 32) % PLACES, state & 0xFFFFFFFF
        if least[place] < 0 or value < least[place]:
            least[place] = value
    _fill(least)
    return [hash(tuple(least[at : at + ROWS])) & 0xFFFFFFFF for at in range(0, PLACES, ROWS)]


def _fill(least: list[int]) -> None:
    full = [place for place in range(PLACES) if least[place] >= 0]
    if len(full) == PLACES or not full:
        return
    known = {place: least[place] for place in full}
    for place in range(PLACES):
        if place in known:
            continue
        tried = ((place * 0x85EBCA77 + (step + 1) * 0xC2B2AE3D >> 7) % PLACES for step in range(_TRIES))
        least[place] = known[next((found for found in tried if found in known), full[0])]


def jaccard(first: set[int], second: set[int]) -> float:
    """Return how much of two sets is in both."""
    both = len(first & second)
    return both / (len(first) + len(second) - both) if both else 0.0
