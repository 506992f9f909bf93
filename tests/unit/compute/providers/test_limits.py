import pytest

from ringfence.compute.providers import limits
from ringfence.compute.providers.limits import Limits
from ringfence.kernel.errors import Unavailable
from ringfence.testing.compute import spec

V1 = "9:name=systemd:/\n8:pids:/\n4:memory:/box\n1:cpu,cpuacct:/\n0::/\n"


def tree(root, *places):
    for place in places:
        (root / place).mkdir(parents=True)
    return root


def test_version_1_is_tried_controller_by_controller(tmp_path):
    found = limits.detect(V1, tree(tmp_path, "pids", "memory/box", "unified"))
    # a plain folder has no cgroup.procs, so that nothing works in it
    assert found == Limits(1, {})
    assert "processes: per user (rlimit)" in found.described()


def test_version_2_needs_a_place_whose_controllers_can_be_handed_on(tmp_path):
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids")
    assert limits.detect("0::/nowhere/at/all\n", tmp_path) == Limits(0)


def test_the_offer_names_what_holds(tmp_path):
    held = Limits(1, {"memory": tmp_path}).described()
    assert held[0] == "memory: control group v1"
    assert "processor time: not limited" in held


@pytest.mark.parametrize(
    ("version", "file", "text"), [(1, "memory.limit_in_bytes", "134217728"), (2, "memory.max", "134217728")]
)
def test_limits_are_written_into_the_group(tmp_path, version, file, text):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / file).touch()
    (tmp_path / "x" / "pids.max").touch()
    held = Limits(version, {"memory": tmp_path, "pids": tmp_path})
    assert held.make("x", spec()) == [tmp_path / "x"]
    assert (tmp_path / "x" / file).read_text() == text
    assert (tmp_path / "x" / "pids.max").read_text() == "48"
    assert held.named("x") == {"x"}
    assert f"{file}" not in held.counters("x")
    assert "pids.max: 48" in held.counters("x")


def test_a_group_that_cannot_be_made(tmp_path):
    with pytest.raises(Unavailable, match="control group"):
        Limits(1, {"memory": tmp_path / "absent"}).make("x", spec())


def test_without_groups_each_process_is_held_back(tmp_path):
    assert Limits(0).rlimits(spec())["RLIMIT_AS"] == 128 * 2**20
    assert "RLIMIT_AS" not in Limits(1, {"memory": tmp_path}).rlimits(spec())


def test_removing_twice(tmp_path):
    held = Limits(1, {"memory": tmp_path})
    (tmp_path / "x").mkdir()
    assert held.remove("x")
    assert held.remove("x")
    assert held.members("x") == set()


def test_a_group_that_lies_elsewhere_is_removed_by_its_path(tmp_path):
    (tmp_path / "of-another-process").mkdir()
    assert Limits(0).remove("x", [str(tmp_path / "of-another-process")])
    assert not (tmp_path / "of-another-process").exists()
