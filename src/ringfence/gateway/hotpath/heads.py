"""Recognise the head of a message that was parsed before on the same connection; most send the same one again.

A message whose bytes are the same up to the digits of its length means the same, so the parser need not see it.
"""

import re

LONGEST = 4096  # bytes of a head that is remembered
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,10})\r\n", re.IGNORECASE)


class KnownHead:
    """A head that the parser took, with a `Content-Length`."""

    __slots__ = ("_after", "_before", "_end", "_start", "_stop")

    def __init__(self, data: bytes, start: int, stop: int, end: int) -> None:
        self._start, self._stop, self._end = start, stop, end  # of the digits, and of the head
        self._before, self._after = data[:start], data[stop:end]

    def body(self, data: bytes) -> bytes | None:
        """Return the body of a message that has this head and is whole; None where it is to be parsed."""
        if not data.startswith(self._before) or not data.startswith(self._after, self._stop):
            return None
        digits = data[self._start : self._stop]
        if not digits.isdigit() or len(data) - self._end != int(digits):
            return None
        return data[self._end :]


def known(data: bytes, length: int) -> KnownHead | None:
    """Return the head of a whole message as it came, whose body the parser found to have this length."""
    end = data.find(b"\r\n\r\n", 0, LONGEST) + 4
    found = _LENGTH.search(data, 0, end)
    # Where these lengths agree, the parser saw the head end here as well.
    if found is None or int(found[1]) != length or len(data) - end != length:
        return None
    return KnownHead(data, found.start(1), found.end(1), end)
