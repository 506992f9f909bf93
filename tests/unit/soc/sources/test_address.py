"""Sources in one spelling."""

import pytest

from ringfence.soc.sources.address import source_of


@pytest.mark.parametrize(
    "text", ["", "1.2.3", "1.2.3.4.5", "a b", "-x", "a..b", "x" * 254, "1.2.3.4:22", "\u0661.1.1.1"]
)
def test_what_is_neither_address_nor_name(text: str) -> None:
    assert source_of(text) is None


def test_names_and_addresses() -> None:
    assert source_of("Host.Example.") == ("host.example", False)
    assert source_of("::FFFF:192.0.2.1") == ("192.0.2.1", True)


@pytest.mark.parametrize("text", ["192.0.2.01", "01.2.3.4", "256.0.0.1", "1.2.3", "1.2.3.4.5", "1.2.3.4\n"])
def test_what_only_looks_like_an_address(text: str) -> None:
    assert source_of(text) is None
