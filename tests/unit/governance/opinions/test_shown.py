from ringfence.governance.opinions import register, shown
from ringfence.testing.clock import START
from ringfence.testing.judging import BEN, opined


def test_the_document_says_everything_that_was_signed():
    (one,) = register.fold([opined()]).values()
    document = shown.opinion(one, START)
    assert (document["by"], document["verdict"], document["status_then"]) == (BEN, "disagrees", "not-satisfied")
    assert (document["state"], document["withdrawn_at"], document["entry"]) == ("in force", None, 1)
