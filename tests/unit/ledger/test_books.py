import pytest

from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.kernel.statement import Draft, Strength
from ringfence.ledger.books import CLAIM, check_book, check_form, pinned, unpinned

TAG = bytes(range(32))


def test_a_pinned_enrolment_counts_in_one_book_only():
    claims = pinned(Draft("key.enrolled", (), {"role": "ledger"}, Strength.DOCUMENTED), TAG).claims
    check_form(claims)
    check_book(claims, TAG)
    for other in (bytes(32), None):
        with pytest.raises(VerificationFailed, match="second book"):
            check_book(claims, other)
    assert unpinned(claims) == {"role": "ledger"}


def test_one_that_names_no_book_counts_in_each():
    check_form({})
    check_book({}, None)
    check_book({}, TAG)


@pytest.mark.parametrize("tag", ["", "0" * 63, "A" * 64, None, 1, ["0" * 64]])
def test_a_tag_has_one_form(tag):
    with pytest.raises(MalformedInput):
        check_form({CLAIM: tag})
