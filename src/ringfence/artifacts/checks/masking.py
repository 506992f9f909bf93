"""Names and values of others, made fit for reports: short, on one line, and never a value whole."""

import unicodedata

MAX_NAME = 80


def quoted(name: str) -> str:
    """Return a name in quotes, cut, without what would steer a terminal, break a line or begin a formula."""
    shown = "".join(c if c.isprintable() and unicodedata.category(c) not in {"Cf", "Cs", "Co"} else "?" for c in name)
    return "'" + (shown if len(shown) <= MAX_NAME else shown[: MAX_NAME - 1] + "…").replace("'", "`") + "'"


def masked(value: str) -> str:
    """Return the first character and the length of a value: enough to find it, too little to use it."""
    first = value[:1]
    shown = first if first.isalnum() else ""
    return f"{shown}… ({len(value)} characters)"
