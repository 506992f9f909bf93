from datetime import timedelta

from ringfence.governance.exceptions import register, shown, statements
from ringfence.testing.clock import START
from ringfence.testing.judging import CARA, EXCEPTION, approved, asked, said


def test_the_document_says_everything_that_was_signed():
    request = asked()
    end = said(statements.ended(EXCEPTION, "Over."), 3, CARA)
    (whole,) = register.fold([request, approved(request), end]).values()
    document = shown.exception(whole, START)
    assert (document["state"], document["ended"]["reason"], document["approval"]["new_key"]) == (
        "ended",
        "Over.",
        False,
    )
    (waiting,) = register.fold([request]).values()
    document = shown.exception(waiting, START)
    assert (document["state"], document["approval"], document["ended"]) == ("waiting", None, None)
    assert shown.exception(waiting, START + timedelta(days=40))["state"] == "lapsed"
