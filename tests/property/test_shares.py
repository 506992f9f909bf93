"""Any k of n shares join, fewer do not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.kernel.errors import Refused
from ringfence.storage.shares import join, split
from ringfence.storage.signer import Ed25519Signer


@settings(max_examples=25)
@given(seed=st.binary(min_size=32, max_size=32), data=st.data())
def test_k_of_n(seed, data):
    number = data.draw(st.integers(2, 6))
    threshold = data.draw(st.integers(2, number))
    shuffled = data.draw(st.permutations(split(seed, threshold=threshold, shares=number)))
    assert join(shuffled[:threshold]).public_key == Ed25519Signer.from_seed(seed).public_key
    with pytest.raises(Refused):
        join(shuffled[: threshold - 1])
