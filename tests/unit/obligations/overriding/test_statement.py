from dataclasses import replace
from datetime import date

import pytest

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.statement import Strength
from ringfence.obligations.choices import SetAside
from ringfence.obligations.overriding.statement import check, draft
from ringfence.testing.obligations import Story

ROW = SetAside("SEC-10", "nobody runs images", "security-lead", date(2027, 5, 1), "built here", Digest.of(b"file"))
DETAILS = {"reason": "nobody runs images", "owner": "security-lead"}


def stated(**changes):
    wanted = draft(ROW)
    logged = Story().add(wanted.predicate, wanted.claims, subject="control/SEC-10", strength=Strength.DOCUMENTED)
    made = replace(logged.envelope.statement, subjects=wanted.subjects)
    return replace(made, **changes)


def test_reason_and_owner_stand_in_details_only():
    wanted = draft(ROW)
    assert wanted.details == DETAILS
    assert wanted.claims == {"control": "SEC-10", "expires": "2027-05-01", "overrideDigest": str(ROW.file)}
    check(stated(), DETAILS, ROW)


@pytest.mark.parametrize(
    "row",
    [
        replace(ROW, file=Digest.of(b"other")),
        replace(ROW, expires=date(2027, 5, 2)),
        replace(ROW, control="SEC-11"),
        replace(ROW, reason="another reason"),
        replace(ROW, owner="board"),
    ],
)
def test_another_row_than_was_signed_is_refused(row):
    with pytest.raises(MalformedInput, match="sign it again"):
        check(stated(), DETAILS, row)


def test_more_or_less_than_asked_is_refused():
    for statement, details in ((stated(claims={**draft(ROW).claims, "more": 1}), DETAILS), (stated(), {})):
        with pytest.raises(MalformedInput):
            check(statement, details, ROW)
