"""Bytes from outside come in by their digest or not at all: from folders, files and a server on the loopback."""

import hashlib
import os
import stat
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ringfence.artifacts.models import oms
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, MalformedInput, Refused, Unavailable, UsageError, VerificationFailed
from ringfence.workloads.gatefile import IntakeRules
from ringfence.workloads.intake import fetching
from ringfence.workloads.intake.fetching import fetch, wanted
from ringfence.workloads.intake.model import Told
from ringfence.workloads.intake.quarantine import Quarantine

FILES = {"config.json": b"{}", "sub/weights.txt": b"w" * 3000}
BIG = bytes(range(256)) * 12_000


def manifest_of(files):
    return oms.manifest_of("", {name: Digest.of(data) for name, data in files.items()}).digest


class Server:
    """A server that can break off, ignore ranges, redirect and lie."""

    def __init__(self):
        self.files = {}
        self.breaks_after = None
        self.ranges = True
        self.headers = {}
        self.redirects = {}
        self.asked = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"


class Handler(BaseHTTPRequestHandler):
    """Answers for a `Server`."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        said = self.server.said
        said.asked.append((self.path, self.headers.get("Range")))
        if self.path in said.redirects:
            self.answer(302, b"", Location=said.redirects[self.path])
        elif self.path in said.files:
            self.part(said, said.files[self.path])
        else:
            self.send_error(404)

    def part(self, said, data):
        asked = self.headers.get("Range") if said.ranges else None
        begin = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        if asked and begin >= len(data):
            self.send_error(416)
            return
        ranged = {"Content-Range": f"bytes {begin}-{len(data) - 1}/{len(data)}"} if asked else {}
        self.answer(206 if asked else 200, data[begin:], **ranged, **said.headers)

    def answer(self, code, data, **headers):
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        most = self.server.said.breaks_after
        if most is not None and len(data) > most:
            data, self.close_connection = data[:most], True
        self.wfile.write(data)


@pytest.fixture
def server():
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    said = running.said = Server()
    said.port = running.server_address[1]
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield said
    running.shutdown()
    running.server_close()
    thread.join()


def rules(*origins, largest=2**30):
    return IntakeRules(frozenset(origins), frozenset({"MIT"}), frozenset(), largest, accept_unknown=False, apart=True)


@contextmanager
def bringing(tmp_path, expected, name="tiny"):
    told = Told(expected, "MIT", "FR", "Exemple", "a disk")
    with Quarantine(tmp_path / "home").filling(name, told) as place:
        yield place


@pytest.fixture(autouse=True)
def home(tmp_path):
    (tmp_path / "home").mkdir()


def contents(place):
    return {str(path.relative_to(place.files)): path.read_bytes() for path in place.files.rglob("*") if path.is_file()}


def test_a_folder_comes_in_by_its_manifest_and_for_its_owner_only(tmp_path):
    source = tmp_path / "source"
    for name, data in FILES.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(data)
        (source / name).chmod(0o755)
    expected = manifest_of(FILES)
    with bringing(tmp_path, expected) as place:
        fetch(place, wanted(str(source), expected, None), expected, rules())
    assert contents(place) == FILES
    modes = {stat.S_IMODE(path.stat().st_mode) for path in place.files.rglob("*") if path.is_file()}
    assert modes == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (place.path, place.files, place.files / "sub")} == {0o700}


def test_a_single_file_comes_in_by_its_own_digest(tmp_path):
    (tmp_path / "w.bin").write_bytes(BIG)
    expected = Digest.of(BIG)
    with bringing(tmp_path, expected) as place:
        fetch(place, wanted(str(tmp_path / "w.bin"), expected, None), expected, rules())
    assert contents(place) == {"w.bin": BIG}


def test_other_bytes_than_were_demanded_do_not_come_in(tmp_path):
    (tmp_path / "w.bin").write_bytes(BIG)
    expected = Digest.of(b"other")
    with bringing(tmp_path, expected) as place, pytest.raises(VerificationFailed, match="demanded"):
        fetch(place, wanted(str(tmp_path / "w.bin"), expected, None), expected, rules())


def test_links_and_devices_in_a_folder_are_refused(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.txt").symlink_to("/etc/passwd")
    expected = manifest_of(FILES)
    with bringing(tmp_path, expected) as place, pytest.raises(UsageError, match="link"):
        fetch(place, wanted(str(source), expected, None), expected, rules())
    assert contents(place) == {}


def test_a_file_comes_from_a_server_that_the_tenants_file_names(tmp_path, server):
    server.files["/w.bin"] = BIG
    expected = Digest.of(BIG)
    with bringing(tmp_path, expected) as place:
        fetch(place, wanted(f"{server.url}/w.bin", expected, None), expected, rules(server.url))
    assert contents(place) == {"w.bin": BIG}


def test_no_other_server_is_asked(tmp_path, server):
    server.files["/w.bin"] = BIG
    expected = Digest.of(BIG)
    with bringing(tmp_path, expected) as place, pytest.raises(Refused, match="origin"):
        fetch(place, wanted(f"{server.url}/w.bin", expected, None), expected, rules("http://127.0.0.1:1"))
    assert server.asked == []


def test_a_redirect_leads_to_no_other_server(tmp_path, server):
    server.files["/real.bin"] = BIG
    server.redirects = {"/w.bin": "/real.bin", "/far.bin": f"http://localhost:{server.port}/real.bin"}
    expected = Digest.of(BIG)
    with bringing(tmp_path, expected) as place:
        fetch(place, wanted(f"{server.url}/w.bin", expected, None), expected, rules(server.url))
    assert contents(place) == {"w.bin": BIG}
    before = len(server.asked)
    with bringing(tmp_path, expected, "other") as place, pytest.raises(Refused, match="localhost"):
        fetch(place, wanted(f"{server.url}/far.bin", expected, None), expected, rules(server.url))
    assert len(server.asked) == before + 1


def test_redirects_end(tmp_path, server):
    server.redirects = {"/w.bin": "/w.bin"}
    with bringing(tmp_path, Digest.of(BIG)) as place, pytest.raises(Unavailable, match="without end"):
        fetch(place, wanted(f"{server.url}/w.bin", Digest.of(BIG), None), Digest.of(BIG), rules(server.url))


def test_what_broke_off_goes_on_where_it_stopped(tmp_path, server):
    server.files["/w.bin"], server.breaks_after = BIG, 1_500_000
    expected = Digest.of(BIG)
    asked = wanted(f"{server.url}/w.bin", expected, None)
    with bringing(tmp_path, expected) as place, pytest.raises(Unavailable, match="go on"):
        fetch(place, asked, expected, rules(server.url))
    (left,) = contents(place)
    assert left == "w.bin.part"
    begun = (place.files / left).stat().st_size
    assert 0 < begun < len(BIG)
    server.breaks_after = None
    with bringing(tmp_path, expected) as place:
        fetch(place, asked, expected, rules(server.url))
    assert contents(place) == {"w.bin": BIG}
    assert server.asked[-1] == ("/w.bin", f"bytes={begun}-")


def test_a_server_without_ranges_is_read_from_the_start_again(tmp_path, server):
    server.files["/w.bin"], server.ranges = BIG, False
    expected = Digest.of(BIG)
    with bringing(tmp_path, expected) as place:
        (place.files / "w.bin.part").write_bytes(b"x" * 1000)
        fetch(place, wanted(f"{server.url}/w.bin", expected, None), expected, rules(server.url))
    assert contents(place) == {"w.bin": BIG}


def test_a_part_that_somebody_changed_is_seen_and_removed(tmp_path, server):
    server.files["/w.bin"] = BIG
    expected = Digest.of(BIG)
    with bringing(tmp_path, expected) as place:
        (place.files / "w.bin.part").write_bytes(b"x" * 1000)
        with pytest.raises(VerificationFailed, match="removed"):
            fetch(place, wanted(f"{server.url}/w.bin", expected, None), expected, rules(server.url))
        assert contents(place) == {}


def test_a_part_that_leads_elsewhere_is_not_written_through(tmp_path, server):
    server.files["/w.bin"] = BIG
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    expected = Digest.of(BIG)
    asked = wanted(f"{server.url}/w.bin", expected, None)
    with bringing(tmp_path, expected) as place:
        (place.files / "w.bin.part").symlink_to(victim)
        with pytest.raises(UsageError):
            fetch(place, asked, expected, rules(server.url))
        (place.files / "w.bin.part").unlink()
        os.link(victim, place.files / "w.bin.part")
        with pytest.raises(UsageError):
            fetch(place, asked, expected, rules(server.url))
    assert victim.read_bytes() == b"mine"


def test_more_bytes_than_the_tenant_allows_are_not_taken(tmp_path, server):
    server.files["/w.bin"] = BIG
    expected = Digest.of(BIG)
    with bringing(tmp_path, expected) as place, pytest.raises(Refused, match="larger"):
        fetch(place, wanted(f"{server.url}/w.bin", expected, None), expected, rules(server.url, largest=2_000_000))
    assert (place.files / "w.bin.part").stat().st_size <= 2_000_000
    (tmp_path / "w.bin").write_bytes(BIG)
    with bringing(tmp_path, expected, "two") as place, pytest.raises(Refused, match="larger"):
        fetch(place, wanted(str(tmp_path / "w.bin"), expected, None), expected, rules(largest=2_000_000))


def test_compressed_answers_are_not_unpacked(tmp_path, server):
    server.files["/w.bin"], server.headers = BIG, {"Content-Encoding": "gzip"}
    with bringing(tmp_path, Digest.of(BIG)) as place, pytest.raises(Unavailable, match="compressed"):
        fetch(place, wanted(f"{server.url}/w.bin", Digest.of(BIG), None), Digest.of(BIG), rules(server.url))


def test_several_files_come_by_a_list_that_the_digest_names(tmp_path, server):
    server.files = {f"/m/{name}": data for name, data in FILES.items()}
    listed = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in FILES.items()).encode()
    expected = manifest_of(FILES)
    with bringing(tmp_path, expected) as place:
        fetch(place, wanted(f"{server.url}/m", expected, listed), expected, rules(server.url))
    assert contents(place) == FILES
    with pytest.raises(VerificationFailed, match="list"):
        wanted(f"{server.url}/m", Digest.of(b"x"), listed)
    done = len(server.asked)
    with bringing(tmp_path, expected) as place:  # what is there is not fetched again
        fetch(place, wanted(f"{server.url}/m", expected, listed), expected, rules(server.url))
    assert len(server.asked) == done


@pytest.mark.parametrize(
    "name", ["../up", "/etc/passwd", "a/../b", "a\\b", "", "model.sig", "w.bin.part", "a//b", "new\rline"]
)
def test_a_list_gives_no_name_that_leads_elsewhere(name):
    with pytest.raises((MalformedInput, UsageError)):
        fetching.parse_list(f"{'0' * 64}  {name}\n".encode())


def test_a_name_in_an_address_is_a_plain_one(server):
    for path in ("/", "/..", "/a%2f..%2fb\\"):
        with pytest.raises(MalformedInput):
            wanted(f"{server.url}{path}", Digest.of(b""), None)


def test_one_fills_a_place_at_a_time_and_with_the_same_words(tmp_path):
    quarantine = Quarantine(tmp_path / "home")
    told = Told(Digest.of(b"a"), "MIT", "FR", "Exemple", "a disk")
    with (
        quarantine.filling("tiny", told),
        pytest.raises(Conflict, match="another process"),
        quarantine.filling("tiny", told),
    ):
        pass
    other = Told(Digest.of(b"b"), "MIT", "FR", "Exemple", "a disk")
    with pytest.raises(Conflict, match="something else"), quarantine.filling("tiny", other):
        pass
    assert quarantine.names() == ["tiny"]
    quarantine.discard("tiny")
    assert quarantine.names() == []
    assert list(quarantine.root.iterdir()) == []
