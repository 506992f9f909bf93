"""Texts of others as one line that a page or a terminal can show. Pure."""


def printable(text: str, longest: int, *, ascii_only: bool = False) -> str:
    """Return at most `longest` characters, with `?` in the place of each that cannot be shown."""
    return "".join(c if c.isprintable() and (c.isascii() or not ascii_only) else "?" for c in text[:longest])
