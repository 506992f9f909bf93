import pytest

from ringfence.identity.reviews.model import review_id
from ringfence.kernel.errors import MalformedInput


@pytest.mark.parametrize("text", ["", "review-1", "review-0123456789AB", "person-0123456789ab", None])
def test_other_ids_are_no_reviews(text):
    with pytest.raises(MalformedInput):
        review_id(text)


def test_an_id_comes_back():
    assert review_id("review-0123456789ab") == "review-0123456789ab"
