"""Whatever is wrong: one sentence, the contract's exit code, no traceback, nothing half-written."""

import http.server
import json
import os
import socket
import sqlite3
import subprocess
import threading
from contextlib import closing

import pytest

from ringfence.kernel.actor import Role
from ringfence.testing.home import make
from ringfence.testing.program import COMMAND, called, environment, run

USAGE, REFUSED, MISSING = 2, 3, 4


def sentence(done, code):
    """Check the exit and return the one sentence."""
    assert done.returncode == code, (done.returncode, done.stderr)
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("ringfence: ")
    return lines[0]


def contents(path):
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def fresh(path):
    return {"RINGFENCE_HOME": str(path)}


# The home


def test_a_second_init_changes_nothing(home_now):
    before = contents(home_now.path)
    assert "already" in sentence(called(home_now.environment(), "init"), USAGE)
    assert contents(home_now.path) == before


def test_a_home_that_is_not_empty_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    assert "not empty" in sentence(called(fresh(tmp_path), "init"), USAGE)
    assert contents(tmp_path) == {"notes.txt": b"mine"}


def test_a_home_that_is_a_file_is_left_alone(tmp_path):
    (tmp_path / "file").write_text("mine")
    assert "not a directory" in sentence(called(fresh(tmp_path / "file"), "init"), USAGE)
    assert contents(tmp_path) == {"file": b"mine"}


@pytest.mark.parametrize("verb", [["ledger", "list"], ["record", "log.heartbeat"], ["user", "list"], ["up"]])
def test_without_a_home_it_says_how_to_make_one(tmp_path, verb):
    assert "ringfence init" in sentence(called(fresh(tmp_path / "none"), *verb), USAGE)
    assert not (tmp_path / "none").exists()


def test_a_destination_that_exists_leaves_no_home_behind(tmp_path):
    (tmp_path / "trust.json").write_text("mine")
    done = called(fresh(tmp_path / "home"), "init", "--trust", str(tmp_path / "trust.json"))
    assert "exists already" in sentence(done, USAGE)
    assert contents(tmp_path) == {"trust.json": b"mine"}
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("options", [["--tenant", "No Tenant"], ["--log", "UPPER"], ["--nothing"]])
def test_bad_options_leave_no_home_behind(tmp_path, options):
    done = called(fresh(tmp_path / "home"), "init", *options)
    assert done.returncode == USAGE
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "home").exists()


def test_of_two_inits_at_once_one_makes_a_whole_home(tmp_path):
    children = [
        subprocess.Popen(
            [*COMMAND, "init"],
            env=environment(fresh(tmp_path / "home")),
            stderr=subprocess.PIPE,
            text=True,
            stdout=subprocess.DEVNULL,
        )
        for _ in range(2)
    ]
    ends = []
    for child in children:
        _, errors = child.communicate(timeout=120)
        assert "Traceback" not in errors
        ends.append(child.returncode)
    assert sorted(ends) == [0, USAGE]
    assert called(fresh(tmp_path / "home"), "record", "log.chain_verified").returncode == 0


# The database


@pytest.mark.sqlite
def test_a_locked_database_is_one_sentence(home_now):
    other = sqlite3.connect(home_now.path / "ringfence.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        text = sentence(called(home_now.environment(), "record", "log.heartbeat"), MISSING)
    finally:
        other.close()
    assert "locked by another process" in text


@pytest.mark.sqlite
@pytest.mark.parametrize("keep", [0, 100, 5000])
def test_a_truncated_database_is_one_sentence_and_is_not_made_anew(home_now, keep):
    with closing(sqlite3.connect(home_now.path / "ringfence.db", isolation_level=None)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for name in ("ringfence.db-wal", "ringfence.db-shm"):
        (home_now.path / name).unlink(missing_ok=True)
    database = home_now.path / "ringfence.db"
    database.write_bytes(database.read_bytes()[:keep])
    assert "backup" in sentence(called(home_now.environment(), "record", "log.heartbeat"), MISSING)


@pytest.mark.sqlite
def test_a_missing_database_is_one_sentence_and_is_not_made_anew(home_now):
    for file in home_now.path.glob("ringfence.db*"):
        file.unlink()
    sentence(called(home_now.environment(), "ledger", "list"), MISSING)
    assert not list(home_now.path.glob("ringfence.db*"))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format":"urn:ringfence:home:v1"}', b"\xff"])
def test_a_damaged_marker_is_one_sentence(home_now, content):
    (home_now.path / "ringfence.json").write_bytes(content)
    assert sentence(called(home_now.environment(), "ledger", "list"), USAGE)


# The disk


def mounted(*steps):
    """Run the rest of a command in a mount namespace of its own, after `steps`."""
    return ("unshare", "-m", "--propagation", "private", "sh", "-ec", "; ".join([*steps, 'exec "$@"']), "sh")


def can_mount():
    done = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
    return done.returncode == 0


needs_mounts = pytest.mark.skipif(os.geteuid() != 0 or not can_mount(), reason="no mount namespace here")


@needs_mounts
def test_a_read_only_home_is_one_sentence(home_now):
    prefix = mounted(f"mount --bind {home_now.path} {home_now.path}", f"mount -o remount,bind,ro {home_now.path}")
    before = contents(home_now.path)
    text = sentence(run(home_now.environment(), "record", "log.heartbeat", prefix=prefix), MISSING)
    assert "read-only" in text
    assert contents(home_now.path) == before


@needs_mounts
def test_a_full_disk_at_init_leaves_nothing_behind(tmp_path):
    (tmp_path / "disk").mkdir()
    script = f"mount -t tmpfs -o size=1m none {tmp_path / 'disk'}"
    after = f'"$@"; code=$?; ls -A {tmp_path / "disk"} >&2; exit $code'
    prefix = ("unshare", "-m", "--propagation", "private", "sh", "-c", f"{script} && {after}", "sh")
    text = sentence(run(fresh(tmp_path / "disk" / "home"), "init", prefix=prefix), MISSING)
    assert "disk is full" in text


@needs_mounts
def test_a_disk_that_fills_up_is_one_sentence_and_the_log_stays_whole(home_now, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    size = sum(file.stat().st_size for file in home_now.path.rglob("*") if file.is_file())
    back = tmp_path / "back"
    steps = (
        f"mount -t tmpfs -o size={size // 1024 + 300}k none {disk}; cp -a {home_now.path}/. {disk}/; "
        f"head -c 10000000 /dev/zero > {disk}/filler 2>/dev/null || true; "
        f'"$@"; code=$?; rm {disk}/filler; cp -a {disk}/. {back}; exit $code'
    )
    back.mkdir()
    given = home_now.environment() | {"RINGFENCE_HOME": str(disk)}
    prefix = ("unshare", "-m", "--propagation", "private", "sh", "-c", steps, "sh")
    text = sentence(run(given, "record", "log.heartbeat", prefix=prefix), MISSING)
    assert "full" in text or "disk" in text
    given["RINGFENCE_HOME"] = str(back)
    assert called(given, "record", "log.chain_verified").returncode == 0
    home = home_now.__class__(back, home_now.people)
    with home.services() as services:
        assert services.ledger.audit().failures == ()


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind root")
def test_a_home_that_its_user_cannot_write_is_one_sentence(home_now):
    home_now.path.chmod(0o500)
    text = sentence(called(home_now.environment(), "record", "log.heartbeat"), MISSING)
    home_now.path.chmod(0o700)
    assert "read-only" in text


# Addresses and secrets


def test_a_port_in_use_is_one_sentence(home_now):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run(home_now.environment(), "up", "--port", str(taken.getsockname()[1]))
    assert "in use" in sentence(done, MISSING)
    assert not (home_now.path / "ringfence.sock").exists()


@pytest.mark.parametrize(
    "url",
    ["nonsense", "http://example.eu", "ftp://127.0.0.1", "http://[", "http://127.0.0.1:99999", "https://", "http://"],
)
def test_a_bad_url_is_one_sentence(home_now, url):
    text = sentence(called(home_now.environment() | {"RINGFENCE_URL": url}, "ledger", "list"), USAGE)
    assert "RINGFENCE_URL" in text


def test_an_address_where_nobody_answers_is_one_sentence(home_now):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = home_now.environment() | {"RINGFENCE_URL": f"http://127.0.0.1:{port}", "RINGFENCE_TOKEN": "rf-x"}
    assert "nothing answers" in sentence(called(given, "ledger", "list"), MISSING)


class Stranger(http.server.BaseHTTPRequestHandler):
    """A server that is not Ringfence."""

    def do_GET(self):
        kind, body = {"/a": ("text/html", b"<p>hello"), "/b": ("application/json", b"{"), "/c": ("", b"")}[
            self.path[:2]
        ]
        self.send_response(200)
        self.send_header("content-type", kind)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("path", ["/a", "/b", "/c"])
def test_a_server_that_is_not_ringfence_is_one_sentence(home_now, path):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}{path}"
        done = called(home_now.environment() | {"RINGFENCE_URL": url}, "ledger", "list")
        server.shutdown()
    assert "is this Ringfence?" in sentence(done, MISSING)


@pytest.mark.parametrize(("token", "code"), [("wrong", REFUSED), ("tökén", USAGE), ("a\nb", USAGE)])
def test_a_bad_token_is_one_sentence(home_now, token, code):
    assert sentence(called(home_now.environment() | {"RINGFENCE_TOKEN": token}, "ledger", "list"), code)


@pytest.fixture(scope="module")
def protected(tmp_path_factory):
    return make(tmp_path_factory.mktemp("protected") / "home", passphrase=b"correct")


@pytest.mark.parametrize(("text", "code"), [(b"wrong\n", REFUSED), (b"", USAGE), (None, REFUSED), (b"x" * 5000, USAGE)])
def test_a_wrong_passphrase_is_one_sentence(protected, tmp_path, text, code):
    given = protected.environment()
    if text is not None:
        (tmp_path / "pass").write_bytes(text)
        given["RINGFENCE_PASSPHRASE_FILE"] = str(tmp_path / "pass")
    before = contents(protected.path)
    sentence(called(given, "record", "log.heartbeat"), code)
    assert contents(protected.path) == before


def test_the_right_passphrase_opens(protected, tmp_path):
    (tmp_path / "pass").write_bytes(b"correct\n")
    home = protected.copy(tmp_path / "home")
    given = home.environment() | {"RINGFENCE_PASSPHRASE_FILE": str(tmp_path / "pass")}
    assert called(given, "record", "log.heartbeat").returncode == 0


@pytest.mark.parametrize("operator", ["root", "../../etc", "person-000000000000"])
def test_an_operator_who_is_none_is_one_sentence(home_now, operator):
    assert sentence(called(home_now.environment() | {"RINGFENCE_OPERATOR": operator}, "ledger", "list"), USAGE)


def test_a_key_that_others_may_read_is_one_sentence(home_now):
    (home_now.path / "operators" / f"{home_now.people[Role.OWNER].id}.key").chmod(0o644)
    assert "chmod 600" in sentence(called(home_now.environment(), "ledger", "list"), USAGE)


@pytest.mark.parametrize(
    ("verb", "code"),
    [
        (["ledger", "prove", "9999"], USAGE),
        (["ledger", "list", "--as-of", "yesterday"], USAGE),
        (["record", "dataset.sealed"], USAGE),
        (["user", "remove", "nobody"], USAGE),
        (["user", "remove", "person-000000000000"], USAGE),
    ],
)
def test_a_thing_that_is_not_there_is_one_sentence(home_now, verb, code):
    assert sentence(called(home_now.environment(), *verb), code)


def test_what_a_role_may_not_do_is_refused(home_now):
    assert "does not permit" in sentence(called(home_now.environment(Role.AUDITOR), "record", "log.heartbeat"), REFUSED)


def test_with_json_the_error_is_one_document_too(home_now):
    done = called(home_now.environment(), "ledger", "list", "--as-of", "yesterday", "--json")
    assert json.loads(done.stdout)["error"]["exit_code"] == done.returncode == USAGE
    assert len(done.stderr.splitlines()) == 1
