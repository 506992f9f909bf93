import pytest

from ringfence.artifacts.checks.documents import parse
from ringfence.kernel.errors import MalformedInput


def test_yaml_and_json_are_read():
    assert parse(b"a: [1, two]\n") == parse(b'{"a": [1, "two"]}') == {"a": [1, "two"]}


@pytest.mark.parametrize(
    "text",
    [
        b"a: 1\na: 2\n",
        b"a: &x [1]\nb: *x\n",
        b"[" * 50 + b"]" * 50,
        b"a: !!python/object/apply:os.system [id]\n",
        b"? [1]\n: 2\n",
        b"a: [\n",
        b"\xff",
        b"a: \x01\n",
    ],
)
def test_what_is_doubtful_is_refused(text):
    with pytest.raises(MalformedInput):
        parse(text, "policy.yaml")
