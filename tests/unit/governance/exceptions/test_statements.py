import pytest

from ringfence.governance.exceptions import statements
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.judging import EXCEPTION, WANTED

CONTROLS = {"MOD-01", "MOD-02"}


def test_what_was_written_is_read_back():
    draft = statements.requested(WANTED)
    assert statements.parse_requested(draft.claims, draft.details, CONTROLS) == WANTED
    assert WANTED.reason not in str(draft.claims)
    request = Digest.of(b"request")
    assert statements.parse_approved(statements.approved(EXCEPTION, request).claims) == (EXCEPTION, request)
    draft = statements.ended(EXCEPTION, "It reads the format now.")
    assert statements.parse_ended(draft.claims, draft.details) == (EXCEPTION, "It reads the format now.")


@pytest.mark.parametrize(
    "change",
    [
        {"control": "NONE-01"}, {"control": 7}, {"owner": ""}, {"compensating": ["MOD-01"]}, {"compensating": "MOD-02"},
        {"until": "never"}, {"until": ""}, {"exception": "exception-1"}, {"more": 1},
    ],
)  # fmt: skip
def test_a_request_that_does_not_fit_is_refused(change):
    claims = statements.requested(WANTED).claims | change
    with pytest.raises(MalformedInput):
        statements.parse_requested(claims, {}, CONTROLS)


def test_a_request_without_an_end_is_none():
    claims = {name: value for name, value in statements.requested(WANTED).claims.items() if name != "until"}
    with pytest.raises(MalformedInput, match="until"):
        statements.parse_requested(claims, {})
