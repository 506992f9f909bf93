from ringfence.customers import statements
from ringfence.customers.model import Occasion
from ringfence.kernel.digest import Digest, dumps
from ringfence.testing.customers import OWNER, WANTED, A


def test_names_and_references_are_details_and_nothing_of_them_is_signed():
    draft = statements.registered(A, WANTED, ("dataset/d1",), OWNER)
    signed = dumps(dict(draft.claims)).decode() + draft.subjects[0].name
    assert "Example" not in signed
    assert "C-1" not in signed
    assert draft.details == {"name": "St. Example", "reference": "C-1"}


def test_hours_come_back_as_they_went_in():
    draft = statements.registered(A, WANTED, (), OWNER)
    assert statements.hours_of(draft.claims) == {Occasion.INCIDENT: 6}
    assert "breachHours" not in draft.claims


def test_a_pack_is_stated_with_head_and_customer_and_without_details():
    draft = statements.packed(A, OWNER, Digest.of(b"report"), 7, bytes(32))
    assert (draft.claims["size"], draft.claims["root"], draft.claims["customer"]) == (7, "00" * 32, A)
    assert not draft.details
