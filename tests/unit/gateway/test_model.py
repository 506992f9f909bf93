import pytest

from ringfence.gateway.model import api_key_id, deployment_name, request_id
from ringfence.kernel.errors import MalformedInput


@pytest.mark.parametrize(
    ("parse", "good", "bad"),
    [
        (api_key_id, ["k-0123456789ab"], ["", "k-", "k-0123456789aB", "k-0123456789abc", "k-0123456789ab\n", None, 1]),
        (request_id, ["req-" + "0f" * 16], ["req-", "req-" + "0F" * 16, "req-" + "0" * 33, None]),
        (deployment_name, ["a", "llama-3.1_8b", "a" * 63], ["", "A", "-a", ".a", "a b", "a/b", "a" * 64, "a\n", None]),
    ],
)
def test_an_id_has_one_form(parse, good, bad):
    assert [parse(text) for text in good] == good
    for text in bad:
        with pytest.raises(MalformedInput):
            parse(text)
