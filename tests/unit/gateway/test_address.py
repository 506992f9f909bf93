import pytest

from ringfence.gateway import address
from ringfence.gateway.model import Protocol
from ringfence.kernel.errors import MalformedInput, Refused


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1"),
        ("http://localhost:8000/", "http://localhost:8000/v1"),
        ("http://[::1]:8000/v1/", "http://[::1]:8000/v1"),
        ("https://Engine.Example/openai/v1", "https://engine.example/openai/v1"),
        ("https://engine.example:443", "https://engine.example/v1"),
    ],
)
def test_an_address_has_one_form(text, url):
    assert address.parse(text, Protocol.OPENAI).url == url
    assert address.parse(url, Protocol.OPENAI).url == url


def test_the_prefix_is_the_protocols_own():
    assert address.parse("https://e.example", Protocol.INFERENCE_V2).url == "https://e.example/v2"


@pytest.mark.parametrize(
    "text",
    [
        *(None, "", "engine", "ftp://a/", "http://", "http://127.0.0.1:0", "http://127.0.0.1:65536"),
        *("http://user:secret@127.0.0.1/", "http://127.0.0.1/?a=1", "http://127.0.0.1/#x", "http://127.0.0.1/../v1"),
        *(
            "http://127.0.0.1/a/./b",
            "http://[::1/",
            "http://[1::2::3]/",
            "http://127.0.0.1/a b",
            "https://a\r\n.example",
        ),
        "https://" + "a" * 600,
    ],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(MalformedInput):
        address.parse(text, Protocol.OPENAI)


@pytest.mark.parametrize(
    "text", ["http://engine.example/v1", "http://10.0.0.1/v1", "http://0.0.0.0/v1", "http://127.0.0.1.evil.example/"]
)
def test_prompts_never_leave_this_machine_in_the_clear(text):
    with pytest.raises(Refused, match="https"):
        address.parse(text, Protocol.OPENAI)
