import pytest

from ringfence.identity.signin import site
from ringfence.server import config, create_app


@pytest.mark.parametrize(("console", "believed"), [(site.DEFAULT, False), ("https://console.example", True)])
def test_what_a_proxy_says_is_believed_where_there_is_one(services, console, believed):
    """Else anybody on this machine names a fresh place for each guess."""
    assert config(create_app(services, console=console)).proxy_headers is believed
