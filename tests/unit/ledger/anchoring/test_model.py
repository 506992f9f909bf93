from ringfence.ledger.anchoring.model import AskedAuthority, AskedWitness
from ringfence.ledger.model import TimestampAuthority, Witness


def test_who_is_asked_is_named_as_a_trust_file_does() -> None:
    assert AskedWitness("w", ("k1", "k2"), "u", "P").trusted == (Witness("w", "k1", "P"), Witness("w", "k2", "P"))
    assert AskedAuthority(b"d", b"c", "u", "P").trusted == TimestampAuthority(b"c", "P")
