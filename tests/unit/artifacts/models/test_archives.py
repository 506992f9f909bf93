import io
import struct
import tarfile
import zipfile
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
