import pytest

from ringfence.kernel.statement import KeyRole
from ringfence.signing.model import STATING, PublicKeys
from ringfence.testing.signing import LOG


def test_only_roles_that_state_have_a_key_for_it():
    public = PublicKeys(LOG, b"c" * 32, b"e" * 32, ("a", "b"), "file-plain")
    assert {public.of(role) for role in STATING} == {b"c" * 32, b"e" * 32}
    with pytest.raises(KeyError):
        public.of(KeyRole.LEDGER)
