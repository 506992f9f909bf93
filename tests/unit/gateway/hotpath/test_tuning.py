import pytest

from ringfence.gateway.hotpath.tuning import Tuning, tuned
from ringfence.kernel.errors import UsageError


def test_numbers_keep_their_kind():
    assert tuned(["head=1.5", "callers=7"]) == Tuning(head=1.5, callers=7)


@pytest.mark.parametrize("text", ["head", "head=", "head=0", "head=-1", "nothing=1", "head=nan", "head=1.2.3"])
def test_anything_else_is_refused(text):
    with pytest.raises(UsageError, match="is none of"):
        tuned([text])
