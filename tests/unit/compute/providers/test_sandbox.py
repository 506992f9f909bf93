import pytest

from ringfence.components import Component
from ringfence.compute.providers import sandbox, sshd
from ringfence.compute.providers.sandbox import Programs
from ringfence.testing.compute import spec


@pytest.fixture
def found(tmp_path):
    tree = tmp_path / "tree"
    libraries = {"LD_LIBRARY_PATH": f"{tree}/usr/lib"}
    bwrap, server = Component(tree / "usr/bin/bwrap", libraries), Component(tree / "usr/sbin/sshd", libraries)
    return Programs(bwrap, server, "/mnt", {"own": f"{tmp_path}/own", "tree0": str(tree)})


def test_paths_are_those_of_the_stage(found):
    assert found.staged(str(found.bwrap.path)) == "/mnt/tree0/usr/bin/bwrap"
    assert found.staged("/usr/bin/bwrap") == "/usr/bin/bwrap"
    assert sandbox.environment(found) == {"LD_LIBRARY_PATH": "/mnt/tree0/usr/lib"}


def test_everything_is_unshared_and_nothing_of_the_host_can_be_written(found):
    argv = sandbox.arguments(spec(), found, "ringfence-node=x/n-00000001")
    for option in ("--unshare-user", "--unshare-pid", "--disable-userns", "--cap-drop", "--new-session", "--as-pid-1"):
        assert option in argv
    assert "--bind" not in argv
    assert "--dev-bind" not in argv
    assert "/sys" not in argv
    assert "--share-net" not in argv  # nor --unshare-net: the launcher made the network, outside of the node's rights
    assert ["--size", str(32 * 2**20), "--tmpfs", "/data"] == argv[argv.index("/data") - 3 : argv.index("/data") + 1]
    assert sandbox.last_arguments()[:4] == ["--remount-ro", "/dev", "--remount-ro", "/"]


def test_the_files_are_the_nodes_own():
    files = sandbox.files(spec(), sshd.new_host_key(), "ssh-ed25519 AAAA ca")
    assert files["/etc/shadow"][0] == files["/etc/ssh/host_key"][0] == 0o400
    assert set(files) >= {"/etc/passwd", "/etc/group", "/etc/ssh/sshd_config", "/etc/ssh/ca.pub", "/etc/ssh/principals"}


def test_sshd_is_copied_so_that_it_can_be_run_but_not_read(tmp_path):
    source, target = tmp_path / "sshd", tmp_path / "copy"
    source.write_bytes(b"program")
    sandbox._copy(source, target)
    assert target.stat().st_mode & 0o777 == 0o111
    inode = target.stat().st_ino
    sandbox._copy(source, target)
    assert target.stat().st_ino == inode
    source.write_bytes(b"newer program")
    sandbox._copy(source, target)
    assert target.stat().st_size == 13


def test_the_stage_is_no_place_of_ours(tmp_path):
    assert sandbox._stage({"own": "/mnt/ringfence"}) != "/mnt"
    assert sandbox._stage({"own": str(tmp_path)}) in sandbox.STAGES
