"""Lines, bounded."""

from ringfence.soc.sources.lines import LineReader, decoded, encoded


def test_lines_across_chunks() -> None:
    reader = LineReader()
    assert list(reader.read([b"a\nb", b"c\n", b"", b"\nd"])) == ["a", "bc", "", "d"]
    assert (reader.lines, reader.cut) == (4, 0)


def test_long_lines_are_cut_and_counted() -> None:
    reader = LineReader(limit=4)
    assert list(reader.read([b"abcdef\nx\nabcdefgh", b"ijkl", b"m\ny\n"])) == ["abcd", "x", "abcd", "y"]
    assert (reader.lines, reader.cut) == (4, 2)


def test_every_byte_comes_back() -> None:
    every = bytes(range(256))
    assert encoded(decoded(every)) == every
