import pytest

from ringfence.kernel.errors import MalformedInput, Refused, UsageError
from ringfence.redteam.model import Protocol
from ringfence.redteam.runner.address import Address, endpoint, header_value


@pytest.mark.parametrize(
    ("given", "protocol", "there", "spoken"),
    [
        ("http://127.0.0.1:8401/v1", None, "http://127.0.0.1:8401/v1/chat/completions", Protocol.CHAT),
        ("http://localhost:80", None, "http://localhost:80/v1/chat/completions", Protocol.CHAT),
        ("http://[::1]:9/v1/", Protocol.COMPLETIONS, "http://[::1]:9/v1/completions", Protocol.COMPLETIONS),
        ("https://ai.example/v1/chat/completions", None, "https://ai.example/v1/chat/completions", Protocol.CHAT),
        ("https://ai.example/x/completions", None, "https://ai.example/x/completions", Protocol.COMPLETIONS),
        ("http://127.8.9.1/v1", None, "http://127.8.9.1/v1/chat/completions", Protocol.CHAT),
    ],
)
def test_a_base_or_a_route_is_taken(given, protocol, there, spoken):
    assert endpoint(given, protocol) == (there, spoken)


@pytest.mark.parametrize(
    "given", ["http://ai.example/v1", "http://127.evil.example/v1", "http://10.0.0.1", "http://0.0.0.0"]
)
def test_nothing_leaves_this_machine_in_the_clear(given):
    with pytest.raises(Refused, match="https"):
        endpoint(given, None)


@pytest.mark.parametrize(
    "given",
    ["", "ai.example", "ftp://x/", "http://", "https://u:p@ai.example/v1", "https://x/v1?key=1", "https://x:99999/", "http://[::1",
     "https://a..example/v1"],
)  # fmt: skip
def test_what_is_no_address_is_refused(given):
    with pytest.raises(UsageError):
        endpoint(given, None)


def test_the_key_travels_in_its_header():
    head = Address.of("https://ai.example/v1/completions", "secret").head
    assert b"authorization: Bearer secret\r\n" in head
    assert head.startswith(b"POST /v1/completions HTTP/1.1\r\nhost: ai.example\r\n")
    assert b"authorization" not in Address.of("http://127.0.0.1/v1").head


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "\u00e4"])
def test_a_key_that_no_header_can_carry_is_refused(key):
    with pytest.raises(MalformedInput):
        header_value(key)


def test_tls_is_verified():
    tls = Address.of("https://ai.example/v1").tls
    assert tls is not None
    assert tls.check_hostname
    assert Address.of("http://127.0.0.1/v1").tls is None
