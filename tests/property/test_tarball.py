"""The stream of files that a node sends: whatever it holds, it is files below a folder, or it is refused."""

import io
import tarfile

from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel.errors import MalformedInput
from ringfence.workloads.runs import tarball
from ringfence.workloads.runs.tarball import Limits

LIMITS = Limits(20, 5000)
names = st.text(st.sampled_from("ab./\u00e9 -"), min_size=1, max_size=120)
files = st.lists(st.tuples(names, st.binary(max_size=1200)), max_size=6)
kinds = st.sampled_from([tarfile.REGTYPE] * 8 + [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE])
patches = st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 255)), max_size=4)


def taken(data):
    source = io.BytesIO(data)
    return [(name, b"".join(pieces)) for name, _, pieces in tarball.members(source.read, LIMITS)]


@given(files, st.lists(kinds, min_size=6, max_size=6), patches, st.integers(0, 12_000))
def test_whatever_a_node_sends_is_files_or_refused(content, types, changed, end):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for (name, data), kind in zip(content, types, strict=False):
            info = tarfile.TarInfo("a")
            info.name, info.type = name[:90], kind
            info.size = len(data) if kind == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(data))
    data = bytearray(out.getvalue())
    for place, value in changed:
        data[place % len(data)] = value
    try:
        found = taken(bytes(data[: max(end, 512)]))
    except MalformedInput:
        return
    assert len({name for name, _ in found}) == len(found) <= LIMITS.files
    assert sum(len(held) for _, held in found) <= LIMITS.total
    for name, _ in found:
        assert not name.startswith("/")
        assert {"", ".", ".."}.isdisjoint(name.split("/"))


@given(files)
def test_what_is_written_is_read_or_refused(content):
    try:
        data = b"".join(tarball.written((name, len(held), False, iter([held])) for name, held in content))
        assert taken(data) == content
    except MalformedInput as error:
        text = str(error)
        assert any(word in text for word in ("path below", "twice", "more than", "too long"))
