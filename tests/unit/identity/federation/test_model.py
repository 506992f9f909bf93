import pytest

from ringfence.identity.federation.model import checked_name
from ringfence.kernel.errors import MalformedInput


@pytest.mark.parametrize("text", ["", "x" * 256, " x", "x ", "a\nb", "ä", "\x7f"])
def test_other_texts_are_no_names(text):
    with pytest.raises(MalformedInput):
        checked_name(text, "a subject")


def test_a_name_comes_back_as_it_is():
    assert checked_name("248289761001", "a subject") == "248289761001"
