import io
import tarfile

import pytest

from ringfence.kernel.errors import MalformedInput
from ringfence.workloads.runs import tarball
from ringfence.workloads.runs.tarball import Limits

WIDE = Limits(100, 2**30)
LONG = "/".join(["folder" * 4] * 8) + "/" + "n" * 40


def stream(*files):
    return b"".join(tarball.written((name, len(data), False, iter([data])) for name, data in files))


def taken(data, limits=WIDE):
    source = io.BytesIO(data)
    return [(name, size, b"".join(pieces)) for name, size, pieces in tarball.members(source.read, limits)]


def foreign(change=lambda _: None, name="a", data=b"12345", form=tarfile.USTAR_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        change(info)
        archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


FILES = [("a", b""), ("b/c", b"x" * 513), (LONG, b"1"), ("d\u00e9", b"y" * 512), ("big", bytes(tarball.PIECE * 2 + 1))]


def test_what_is_written_is_read():
    assert taken(stream(*FILES)) == [(name, len(data), data) for name, data in FILES]


def test_tarfile_reads_what_is_written():
    with tarfile.open(fileobj=io.BytesIO(stream(*FILES)), mode="r|") as archive:
        assert [(m.name, archive.extractfile(m).read()) for m in archive] == FILES


def test_what_tarfile_writes_is_read():
    assert taken(foreign()) == [("a", 5, b"12345")]
    assert taken(foreign(name=LONG)) == [(LONG, 5, b"12345")]


def kind(letter):
    def change(info):
        info.type, info.size = letter, 0

    return change


SPECIAL = (
    tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE,
    b"\0", b"7", b"S", b"V",
)  # fmt: skip


@pytest.mark.parametrize("letter", SPECIAL)
def test_nothing_but_plain_files_is_taken(letter):
    with pytest.raises(MalformedInput, match="not a plain file"):
        taken(foreign(kind(letter), data=b""))


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_extended_headers_are_refused(form):
    with pytest.raises(MalformedInput):
        taken(foreign(name="n" * 300, form=form))


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a/", "a\x1b[31m", "a\nb", "/".join("a" * 40)]
)
def test_a_name_that_leaves_its_folder_is_refused(name):
    def rename(info):
        info.name = name

    with pytest.raises(MalformedInput):
        taken(foreign(rename))
    with pytest.raises(MalformedInput):
        stream((name, b""))


@pytest.mark.parametrize(
    "files", [[("a", b"1"), ("a", b"2")], [("a", b"1"), ("a/b", b"2")], [("a/b", b"1"), ("a", b"2")]]
)
def test_no_file_twice_and_none_below_another(files):
    with pytest.raises(MalformedInput, match="twice, or below a file"):
        taken(stream(*files))


def test_limits_hold_before_anything_is_read():
    with pytest.raises(MalformedInput, match="more than 1 files"):
        taken(stream(("a", b""), ("b", b"")), Limits(1, 100))
    with pytest.raises(MalformedInput, match="or 100 bytes"):
        taken(tarball.header("a", tarball.MAX_SIZE) + bytes(512), Limits(1, 100))


def test_a_stream_that_is_cut_anywhere_is_refused():
    whole = stream(("a", b"12345"), ("b", b"1" * 600))
    for end in range(0, len(whole), 97):
        with pytest.raises(MalformedInput):
            taken(whole[:end])


@pytest.mark.parametrize("place", [0, 124, 135, 148, 156, 257, 263])
def test_a_changed_header_is_refused(place):
    data = bytearray(stream(("a", b"12345")))
    data[place] ^= 1
    with pytest.raises(MalformedInput):
        taken(bytes(data))


def test_padding_is_zeros():
    data = bytearray(stream(("a", b"12345")))
    data[512 + 6] = 1
    with pytest.raises(MalformedInput, match="filled up"):
        taken(bytes(data))


def test_a_file_that_changes_while_it_is_sent_is_not_sent():
    for said in (4, 6):
        with pytest.raises(MalformedInput, match="changed while it was sent"):
            list(tarball.written([("a", said, False, iter([b"12345"]))]))


def test_a_file_that_nobody_reads_is_not_passed_over():
    source = io.BytesIO(stream(("a", b"12345"), ("b", b"")))
    with pytest.raises(MalformedInput, match="not read to its end"):
        list(tarball.members(source.read, WIDE))
