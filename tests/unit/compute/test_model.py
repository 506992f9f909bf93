import pytest

from ringfence.compute.model import NodeId, node_id, node_name
from ringfence.kernel.errors import MalformedInput


@pytest.mark.parametrize("name", ["a", "alpha", "gpu-1", "a" * 32])
def test_names(name):
    assert node_name(name) == name


@pytest.mark.parametrize("name", ["", "A", "1a", "-a", "a-", "a--b", "a" * 33, "a_b", "a b", "a\n", "\u00e4", None, 3])
def test_what_is_no_name(name):
    with pytest.raises(MalformedInput):
        node_name(name)


def test_ids():
    assert node_id("n-0123abcd") == NodeId("n-0123abcd")


@pytest.mark.parametrize("text", ["n-0123abc", "n-0123ABCD", "x-0123abcd", "n-0123abcd\n", None])
def test_what_is_no_id(text):
    with pytest.raises(MalformedInput):
        node_id(text)
