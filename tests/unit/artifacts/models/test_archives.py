import io
import struct
import tarfile
import zipfile
import zlib
from contextlib import suppress

import numpy as np
import pytest

from ringfence.artifacts.models import archives
from ringfence.artifacts.models.cursor import Held
from ringfence.artifacts.models.model import Verdict
from ringfence.kernel.errors import MalformedInput
from ringfence.testing.models import HOSTILE, judged


def made(files, method=zipfile.ZIP_STORED):
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return kept.getvalue()


def unpacked(data):
    found = {}
    for member in archives.zipped(Held(data)):
        found[member.name] = member.content and member.content.read(0, member.content.size)
    return found


FILES = {"a/b.txt": b"hello", "c": b"x" * 10_000, "empty": b""}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_come_out_as_they_went_in(method):
    assert unpacked(made(FILES, method)) == FILES


def test_what_numpy_writes_is_read():
    kept = io.BytesIO()
    np.savez_compressed(kept, a=np.ones(3), b=np.zeros(2))
    assert set(unpacked(kept.getvalue())) == {"a.npy", "b.npy"}


def test_a_zip64_is_read():
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive, archive.open("big", "w", force_zip64=True) as member:
        member.write(b"abc")
    assert unpacked(kept.getvalue()) == {"big": b"abc"}


def test_a_prefix_that_the_offsets_know_of_is_refused():
    kept = io.BytesIO(b"\x80\x04N." * 8)
    with zipfile.ZipFile(kept, "a") as archive:
        archive.writestr("a", b"1")
    assert zipfile.ZipFile(kept).read("a") == b"1"
    with pytest.raises(MalformedInput, match="belong to none"):
        unpacked(kept.getvalue())


def changed(data, old, new):
    assert data.count(old) >= 1
    return data.replace(old, new, 1)


def central(data):
    return data.index(b"PK\x01\x02")


def test_whatever_lies_beside_the_members_is_refused():
    data = made(FILES)
    for bad in (b"junk" + data, data + b"junk", data[: central(data)] + b"junk" + data[central(data) :]):
        with pytest.raises(MalformedInput):
            unpacked(bad)


def test_two_headers_that_do_not_agree_are_refused():
    data = made({"aaaa": b"hello"})
    with pytest.raises(MalformedInput, match="do not agree"):
        unpacked(changed(data, b"aaaa", b"bbbb"))


def test_a_name_twice_is_refused():
    data = made({"a": b"1", "b": b"2"}).replace(b"b", b"a")
    with pytest.raises(MalformedInput, match="twice"):
        unpacked(data)


def test_encrypted_and_foreign_members_are_refused():
    data = bytearray(made({"a": b"hello"}))
    data[central(data) + 8] |= 1
    with pytest.raises(MalformedInput, match="encrypted"):
        unpacked(bytes(data))
    with pytest.raises(MalformedInput, match="packed in a way"):
        unpacked(made({"a": b"hello"}, zipfile.ZIP_BZIP2))


def test_a_bomb_is_not_unpacked():
    assert unpacked(made({"a": bytes(archives.MAX_UNPACKED + 1)}, zipfile.ZIP_DEFLATED)) == {"a": None}
    data = bytearray(made({"a": bytes(2**20)}, zipfile.ZIP_DEFLATED))
    at = central(data) + 24
    data[at : at + 4] = (10).to_bytes(4, "little")
    data[22:26] = (10).to_bytes(4, "little")
    with pytest.raises(MalformedInput, match="does not unpack"):
        unpacked(bytes(data))


def test_damage_inside_is_refused():
    data = bytearray(made({"a": b"hello" * 100}, zipfile.ZIP_DEFLATED))
    data[34] ^= 0xFF
    with pytest.raises(MalformedInput):
        unpacked(bytes(data))


def test_a_zip_cut_or_changed_anywhere_raises_nothing_else():
    data = made(FILES)
    for size in range(0, len(data), 97):
        with pytest.raises(MalformedInput):
            unpacked(data[:size])
    for at in range(central(data), len(data)):
        with suppress(MalformedInput):
            unpacked(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])


def test_a_zip_that_ends_another_file_is_seen():
    assert archives.ends_as_zip(Held(b"GIF89a" + made(FILES)))
    assert archives.ends_as_zip(Held(made(FILES) + b"x"))  # Python's zipfile reads it
    assert not archives.ends_as_zip(Held(b"GIF89a" + b"PK\x05\x06" + bytes(19)))
    assert not archives.ends_as_zip(Held(b""))


def tar(*members, kind=tarfile.REGTYPE):
    kept = io.BytesIO()
    with tarfile.open(fileobj=kept, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in members:
            entry = tarfile.TarInfo(name)
            entry.size, entry.type = len(data), kind
            archive.addfile(entry, io.BytesIO(data))
    return kept.getvalue()


def untarred(data):
    return {one.name: one.content.read(0, one.content.size) for one in archives.tarred(Held(data))}


def test_a_tar_is_read():
    data = tar(("a", b"hello"), ("b/c", b"x" * 1000))
    assert archives.looks_like_tar(Held(data))
    assert untarred(data) == {"a": b"hello", "b/c": b"x" * 1000}


def test_links_damage_and_cut_tars_are_refused():
    for data in (tar(("a", b""), kind=tarfile.SYMTYPE), tar(("a", b"x"))[:700], b"x" * 1024):
        with pytest.raises(MalformedInput):
            untarred(data)
    bad = bytearray(tar(("a", b"x")))
    bad[124:128] = b"9zzz"
    bad[148:156] = b"%06o\0 " % (sum(bad[:148]) + sum(bad[156:512]) + 8 * ord(" "))
    with pytest.raises(MalformedInput, match="octal"):
        untarred(bytes(bad))


def test_an_end_record_that_only_other_readers_believe_is_refused():
    harmless, hostile = made({"a.txt": b"x"}), made({"b.pkl": HOSTILE["eval"]})
    comment = hostile + b"?"
    for data in (harmless[:-2] + struct.pack("<H", len(comment)) + comment, hostile + b"?"):
        with zipfile.ZipFile(io.BytesIO(data)) as other:
            assert other.namelist() == ["b.pkl"]
        assert judged(data).verdict is Verdict.REFUSED
        assert judged(b"GIF89a" + data).verdict is Verdict.REFUSED


def directory_of(name, data, at):
    crc = zlib.crc32(data)
    head = struct.pack(
        "<4s6H3L5H2L", b"PK\x01\x02", 45, 45, 0, 0, 0, 0, crc, len(data), len(data), len(name), *[0] * 5, at
    )
    return head + name


def member_of(name, data):
    crc = zlib.crc32(data)
    return (
        struct.pack("<4s5H3L2H", b"PK\x03\x04", 45, 0, 0, 0, 0, crc, len(data), len(data), len(name), 0) + name + data
    )


def end64(directory, at, *, length=44):
    return struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", length, 45, 45, 0, 0, 1, 1, len(directory), at)


def end(*, place, disks=1, count=2**16 - 1, size=2**32 - 1, start=2**32 - 1):
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, place, disks)
    return locator + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, size, start, 0)


def two_directories(*, twice):
    """Make a ZIP whose member hides another one; its directory is found by some readers."""
    hidden = b"evil"
    inner = member_of(b"x", hidden)
    body = member_of(b"x", inner)
    inside = directory_of(b"x", hidden, len(body) - len(inner))
    directory = directory_of(b"x", inner, 0)
    place = len(body) + len(directory)
    parts = body + directory + end64(directory, len(body))
    if twice:
        parts += inside + end64(inside, len(parts))
    return parts, place


def test_readers_that_look_for_the_second_end_record_elsewhere_find_the_same():
    whole, place = two_directories(twice=False)
    assert list(unpacked(whole + end(place=place))) == ["x"]
    twice, place = two_directories(twice=True)
    assert zipfile.ZipFile(io.BytesIO(twice + end(place=place))).read("x") == b"evil"  # Python's own reader
    with pytest.raises(MalformedInput, match="not where the first says"):
        unpacked(twice + end(place=place))


def test_readers_that_take_the_numbers_of_the_first_end_record_find_the_same():
    whole, place = two_directories(twice=False)
    for wrong in ({"count": 2}, {"size": 60}, {"start": 30}):
        with pytest.raises(MalformedInput, match="do not agree"):
            unpacked(whole + end(place=place, **wrong))
    with pytest.raises(MalformedInput, match="several"):
        unpacked(whole + end(place=place, disks=2))
    longer = whole[:-56] + end64(b"", 0, length=45)
    with pytest.raises(MalformedInput, match="another length"):
        unpacked(longer + end(place=place))


def test_a_link_in_a_zip_is_refused():
    kept = io.BytesIO()
    link = zipfile.ZipInfo("weights")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(kept, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(MalformedInput, match="symbolic link"):
        unpacked(kept.getvalue())


def is_tar(data):
    with tarfile.open(fileobj=io.BytesIO(data)) as found:
        return bool(found.getmembers())


def test_a_tar_inside_the_header_of_another_format_is_seen():
    """Python's own reader wants no mark, no name, and no digits as tar writes them."""
    header = bytearray(b'{"__metadata__":{"a":"'.ljust(765) + b'"}}')
    data = bytearray(struct.pack("<Q", len(header)) + header)
    assert data[0] == 0
    for form in (b"%06o  ", b" 0o%o ", b"%07o "):
        data[148:156] = b"        "
        data[148:156] = (form % sum(data[:512])).ljust(8)
        assert is_tar(data)
        found = judged(bytes(data), "model.safetensors")
        assert (found.verdict, "tar" in found.format) == (Verdict.REFUSED, True)


def test_signed_bytes_in_a_checksum_are_seen():
    head = bytearray(b"caf\xe9".ljust(512, b"\0"))
    head[124:136], head[148:156] = b"%011o\0" % 0, b" " * 8
    total = sum(one - 256 if one > 127 else one for one in head)
    head[148:156] = b"%06o\0 " % total
    assert is_tar(head)
    assert archives.looks_like_tar(Held(bytes(head)))
