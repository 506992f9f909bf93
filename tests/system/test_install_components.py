"""Packages that come damaged: one sentence that names the package, and no traceback."""

import hashlib
import importlib.util
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from ringfence.kernel.errors import Unavailable

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is missing: this is no Debian")


def loaded(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def debian():
    return loaded("debian_packages")


@pytest.fixture
def package(tmp_path):
    return built(tmp_path, 102_400)


def built(tmp_path, size):
    """A real package with one file of some size, not compressed, so that a test knows what it damages."""
    tree = tmp_path / "tree"
    (tree / "DEBIAN").mkdir(parents=True, mode=0o755)
    (tree / "DEBIAN" / "control").write_text(
        "Package: probe\nVersion: 1\nArchitecture: all\nMaintainer: nobody <n@example>\nDescription: probe\n"
    )
    (tree / "usr").mkdir()
    (tree / "usr" / "probe").write_bytes(bytes(range(256)) * (size // 256))
    made = tmp_path / "probe_1_all.deb"
    subprocess.run(["dpkg-deb", "-Znone", "--root-owner-group", "-b", tree, made], check=True, capture_output=True)
    return made


def test_a_whole_package_is_unpacked(debian, package, tmp_path):
    debian.unpack(package, tmp_path / "into", lambda _path: True)
    assert (tmp_path / "into" / "usr" / "probe").stat().st_size == 102_400


@pytest.mark.parametrize("kept", [0, 8, 700, 20_000, -1000])
def test_a_package_that_breaks_off_is_named(debian, package, tmp_path, kept):
    package.write_bytes(package.read_bytes()[:kept])
    with pytest.raises(Unavailable, match=r"probe_1_all\.deb"):
        debian.unpack(package, tmp_path / "into", lambda _path: True)


@pytest.mark.parametrize("size", [1024, 102_400])  # the smaller is in the pipe whole before anybody looks at it
def test_a_package_with_a_damaged_header_is_named(debian, tmp_path, size):
    package = built(tmp_path, size)
    whole = bytearray(package.read_bytes())
    at = whole.index(b"./usr/probe") + 150  # the checksum of the member's header, and what it is about
    whole[at : at + 4] = b"\xff\xff\xff\xff"
    package.write_bytes(whole)
    with pytest.raises(Unavailable, match=r"probe_1_all\.deb"):
        debian.unpack(package, tmp_path / "into", lambda _path: True)


def test_a_link_to_what_is_not_in_the_package_is_named(debian, package, tmp_path):
    archive = tmp_path / "data.tar"
    with tarfile.open(archive, "w") as tar:
        link = tarfile.TarInfo("./usr/link")
        link.type, link.linkname = tarfile.LNKTYPE, "./usr/nothing"
        tar.addfile(link)
    parts = [tmp_path / name for name in ("debian-binary", "control.tar", "data.tar")]
    parts[0].write_text("2.0\n")
    parts[1].write_bytes(
        subprocess.run(["dpkg-deb", "--ctrl-tarfile", package], check=True, capture_output=True).stdout
    )
    package.write_bytes(b"!<arch>\n" + b"".join(member(path) for path in parts))
    with pytest.raises(Unavailable, match=r"probe_1_all\.deb"):
        debian.unpack(package, tmp_path / "into", lambda _path: True)


def member(path):
    """Return a file as a member of an `ar` archive."""
    data = path.read_bytes()
    head = f"{path.name:16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode()
    return head + data + b"\n" * (len(data) % 2)


@pytest.mark.parametrize(
    "stanza",
    [
        "Version: 1\nSize: 1\nSHA256: x",
        "Package: p\nVersion: 1\nSize: 1",
        "Package: p\nVersion: 1\nSize: many\nSHA256: x",
    ],
)
def test_an_index_that_leaves_something_out_is_said_to(debian, stanza):
    with pytest.raises(Unavailable, match="package index"):
        debian.described(stanza)


def test_a_package_that_was_damaged_where_it_is_kept_is_fetched_again(debian, package, tmp_path):
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    known = {"Package": "probe", "Version": "1", "SHA256": digest}
    kept = debian.stored(known, tmp_path)
    package.rename(kept)
    assert debian.is_kept(known, tmp_path)
    kept.write_bytes(kept.read_bytes()[:-1])
    assert not debian.is_kept(known, tmp_path)
