from types import SimpleNamespace

import pytest

from ringfence.kernel.commitment import commit
from ringfence.kernel.digest import Digest
from ringfence.kernel.statement import Subject
from ringfence.storage.rows import blob, from_row, intact, to_row
from ringfence.testing import keys
from ringfence.testing.clock import START

SIGNED = keys.state(keys.ed25519(7), "a.b", {}, Subject("a", Digest.of(b"a")))


def kept(**changes):
    return SimpleNamespace(
        **{**to_row(SIGNED, START), "entry": 3, "recorded_at": 1000, "tenant_sequence": 2, **changes}
    )


def test_a_row_is_read_back():
    row = kept()
    assert intact(row) == SIGNED
    assert from_row(row, SIGNED, {}).envelope == SIGNED
    assert from_row(row, SIGNED, {}).tenant_sequence == 2


@pytest.mark.parametrize(
    "data", [b"", SIGNED.data + b" ", SIGNED.data.decode() + " ", None, 5, b"{}"], ids=lambda data: str(data)[:10]
)
def test_what_somebody_has_changed_counts_for_nothing(data):
    assert intact(kept(envelope=data)) is None
    assert intact(kept(envelope=data, digest=Digest.of(blob(data)).value)) is None


def test_only_the_opening_of_its_own_commitment_belongs_to_it():
    other = commit({"a": "b"}, bytes(32))
    assert from_row(kept(), SIGNED, {other.commitment.value: other}).opening is None
