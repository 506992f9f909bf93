import pytest

from ringfence.identity.signin.model import Site
from ringfence.identity.signin.site import of
from ringfence.kernel.errors import UsageError


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:8400", "localhost"),
        ("http://localhost", "localhost"),
        ("http://rf.localhost:8400", "rf.localhost"),
        ("https://console.example.eu", "console.example.eu"),
        ("https://console.example.eu:8443", "console.example.eu"),
    ],
)
def test_passkeys_are_bound_to_the_address_and_its_host(origin, host):
    assert of(origin) == Site(host, origin)


@pytest.mark.parametrize(
    "origin",
    [
        "", "localhost", "http://example.eu", "http://127.0.0.1:8400", "https://127.0.0.1", "https://10.1", "ftp://example.eu",
        "https://example.eu/", "https://example.eu/login", "https://EXAMPLE.eu", "https://user@example.eu", "https://[::1]",
        "https://example.eu:0", "https://example.eu:65536", "https://example.eu.", "https://-x.eu", "https://a b.eu",
        "https://example.eu\n", "http://evil.example/localhost", "http://localhost.evil.example",
    ],
)  # fmt: skip
def test_an_address_that_browsers_make_no_passkeys_for(origin):
    with pytest.raises(UsageError):
        of(origin)
