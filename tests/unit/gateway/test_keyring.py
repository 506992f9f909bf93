import json
import os
import stat
from datetime import timedelta

import pytest

from ringfence.gateway import snapshot
from ringfence.gateway.keyring import (
    USERS,
    AccessCounts,
    CredentialFiles,
    GatewayFolder,
    Grounds,
    MarkFile,
    SignedSnapshots,
)
from ringfence.gateway.keys import KeyState
from ringfence.gateway.ports import Mark
from ringfence.kernel.errors import MalformedInput, RingfenceError, Unavailable, UsageError
from ringfence.testing.clock import START
from ringfence.testing.gateway import TENANT, api_key, deployment
from ringfence.testing.keys import ed25519, public

KEY = ed25519(1)


@pytest.fixture
def folder(tmp_path):
    made = GatewayFolder(tmp_path / "gateway")
    made.make()
    return made


@pytest.fixture
def snapshots(folder, tmp_path):
    return SignedSnapshots(folder, tmp_path / "lock", KEY.sign, public(KEY))


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_and_all_in_it_are_one_users_alone(folder):
    folder.put("credentials/c-1", b"secret")
    for path in [folder.path, *folder.path.rglob("*")]:
        assert mode(path) == (0o700 if path.is_dir() else 0o600)
        assert path.stat().st_uid == (folder.user() or os.geteuid())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to another user")
def test_as_root_the_folder_goes_to_a_user_who_belongs_to_nobody_and_stays_with_it(folder):
    user = folder.make()
    if user is None:
        pytest.skip("this user namespace has no other users")
    assert user in USERS
    (folder.path / "left").write_bytes(b"by root")
    assert folder.make() == user
    assert (folder.path / "left").stat().st_uid == user
    elsewhere = GatewayFolder(folder.path.with_name("other"))
    assert elsewhere.make() != user


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to another user")
@pytest.mark.parametrize("within", ["", "credentials"])
def test_a_file_that_has_another_name_elsewhere_is_never_given_away(folder, tmp_path, within):
    if folder.user() is None:
        pytest.skip("this user namespace has no other users")
    (tmp_path / "roots").write_bytes(b"mine")
    (folder.path / within / "mine-now").hardlink_to(tmp_path / "roots")
    folder.make()
    assert (tmp_path / "roots").stat().st_uid == 0


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(folder):
    for data in (b"first", b"second"):
        folder.put("snapshot.json", data)
        assert folder.read("snapshot.json", 100) == data
    assert [path.name for path in folder.path.iterdir() if path.is_file()] == ["snapshot.json"]


def test_nothing_is_followed_out_of_the_folder(folder, tmp_path):
    (tmp_path / "secret").write_bytes(b"mine")
    (folder.path / "snapshot.json").symlink_to(tmp_path / "secret")
    with pytest.raises(RingfenceError):
        folder.read("snapshot.json", 100)
    folder.put("snapshot.json", b"theirs")
    assert (tmp_path / "secret").read_bytes() == b"mine"
    (folder.path / "credentials").rmdir()
    (folder.path / "credentials").symlink_to(tmp_path)
    with pytest.raises(Unavailable):
        folder.put("credentials/c-1", b"x")
    assert not (tmp_path / "c-1").exists()


def test_what_cannot_be_read_is_refused_and_nobody_waits_for_a_pipe(folder):
    os.mkfifo(folder.path / "snapshot.json")
    with pytest.raises(UsageError):
        folder.read("snapshot.json", 100)
    folder.put("long", b"x" * 101)
    with pytest.raises(UsageError):
        folder.read("long", 100)
    with pytest.raises(RingfenceError):
        folder.read("none", 100)


def test_a_failed_write_leaves_nothing_half(folder):
    (folder.path / "snapshot.json").mkdir()
    with pytest.raises(Unavailable):
        folder.put("snapshot.json", b"x")
    assert [path.name for path in folder.path.glob(".*")] == []


def test_a_snapshot_is_written_signed_and_read_back(snapshots):
    made = snapshot.made(version=1, at=START, keys=(api_key(),), deployments=(deployment(),))
    assert snapshots.last() is None
    with snapshots.exclusive():
        snapshots.write(made)
    assert snapshots.last() == made


def test_a_snapshot_that_somebody_changed_counts_as_none(snapshots):
    snapshots.write(snapshot.made(version=1, at=START, keys=(api_key(),), deployments=()))
    path = snapshots.folder.path / "snapshot.json"
    path.write_bytes(path.read_bytes().replace(b"acme", b"evil"))
    assert snapshots.last() is None


def test_the_process_finds_whose_word_counts_and_for_which_log(folder):
    Grounds(folder, public(KEY), "example.eu/log", frozenset({"demo"})).prepare()
    assert folder.read("control.pub", 100) == public(KEY).hex().encode() + b"\n"
    assert json.loads(folder.read("origin.json", 100)) == {"log": "example.eu/log", "demoTenants": ["demo"]}


def test_a_credential_is_a_file_that_goes(folder):
    files = CredentialFiles(folder)
    name = files.keep("sk-engine")
    assert folder.read(name, 100) == b"sk-engine"
    files.forget(name)
    files.forget(name)
    assert not (folder.path / name).exists()


@pytest.mark.parametrize("secret", ["", "a b", "a\nb", "é", "x" * 4097])
def test_what_cannot_stand_in_a_header_is_no_credential(folder, secret):
    with pytest.raises(MalformedInput):
        CredentialFiles(folder).keep(secret)


# Marks


def test_marks_are_on_reserved_disk_and_outlive_us(tmp_path):
    file = MarkFile(tmp_path / "marks")
    file.create()
    size = file.path.stat().st_size
    mark = Mark(TENANT, api_key().id, KeyState.BLOCKED, "f-1")
    file.add(mark)
    assert file.path.stat().st_size == size == 128 * 1024
    assert list(MarkFile(file.path).all()) == [mark]


def test_a_damaged_line_hides_no_other(tmp_path):
    file = MarkFile(tmp_path / "marks")
    first, second = (Mark(TENANT, f"k-{n:012x}", KeyState.REVOKED) for n in (1, 2))
    file.add(first)
    file.add(second)
    with file.path.open("r+b") as stream:
        stream.write(b"\xff" * 128)
    assert list(file.all()) == [second]
    file.add(first)
    assert set(file.all()) == {first, second}


def test_a_finding_never_pushes_a_mark_out_of_its_line(tmp_path):
    file = MarkFile(tmp_path / "marks")
    file.add(Mark(TENANT, api_key().id, KeyState.BLOCKED, "f " * 200 + "\n\x1b"))
    (mark,) = file.all()
    assert (mark.key, mark.finding) == (api_key().id, "f" * 48)


def test_a_full_file_says_so(tmp_path):
    file = MarkFile(tmp_path / "marks", capacity=1)
    file.add(Mark(TENANT, "k-000000000001", KeyState.REVOKED))
    with pytest.raises(Unavailable):
        file.add(Mark(TENANT, "k-000000000002", KeyState.REVOKED))


# Access records


def line(second, key="k-0123456789ab"):
    record = {"ts": f"2026-11-22T09:00:{second:02}.000Z", "tenant": "acme", "deployment": "small", "key": key}
    return json.dumps(record | {"status": 200, "prompt_tokens": 1, "completion_tokens": 2}).encode() + b"\n"


def test_records_are_counted_once_also_across_a_rotation(tmp_path):
    path = tmp_path / "access.log"
    counts = AccessCounts(path)
    assert counts.read().of_key("acme", "k-0123456789ab").requests == 0
    path.write_bytes(line(0) + line(1)[:20])
    assert counts.read().of_deployment("acme", "small").requests == 1
    path.write_bytes(line(0) + line(1))
    for _ in range(2):
        assert counts.read().of_deployment("acme", "small").requests == 2
    path.rename(tmp_path / "access.log.1")
    path.write_bytes(line(2))
    found = counts.read()
    assert (found.of_deployment("acme", "small").requests, found.unreadable) == (3, 0)
    assert found.of_deployment("acme", "small").last == START + timedelta(seconds=2)


def test_of_a_long_file_only_the_end_is_counted_at_first(tmp_path):
    path = tmp_path / "access.log"
    path.write_bytes(line(0) * (5 * 2**20 // len(line(0))))
    found = AccessCounts(path).read()
    assert 0 < found.of_deployment("acme", "small").requests <= 4 * 2**20 // len(line(0))
    assert found.unreadable <= 1


def test_what_is_no_file_is_not_followed(tmp_path):
    (tmp_path / "real").write_bytes(line(0))
    (tmp_path / "access.log").symlink_to(tmp_path / "real")
    assert AccessCounts(tmp_path / "access.log").read().keys == {}
    os.mkfifo(tmp_path / "pipe")
    assert AccessCounts(tmp_path / "pipe").read().keys == {}
