"""Who a line says it was: an address or a host name, in one spelling."""

import ipaddress
import re
from functools import lru_cache

_NAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?")
_NUMBERS = re.compile(r"[0-9.]+")
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_PLAIN = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")  # its one spelling already: most lines have it


@lru_cache(maxsize=65536)
def source_of(text: str) -> tuple[str, bool] | None:
    """Return the one spelling of a source and whether it is an address; None if it is neither that nor a name."""
    if _PLAIN.fullmatch(text):
        return text, True
    if len(text) > 253:
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return (text.rstrip(".").lower(), False) if _NAME.fullmatch(text) and not _NUMBERS.fullmatch(text) else None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address), True
