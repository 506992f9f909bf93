import os

import pytest

from ringfence.testing.collecting import FakeVolumes
from ringfence.testing.home import TENANT
from ringfence.testing.staged import empty
from ringfence.workloads.collecting.volumes import AtRest, KernelVolumes, Rest, Volume, draft, kinds_of


def claims(*volumes, nodes=()):
    return dict(draft(TENANT, [Volume(str(number), rest) for number, rest in enumerate(volumes)], nodes).claims)


def test_volumes_are_counted_by_how_data_lie_there():
    found = claims(Rest.ENCRYPTED, Rest.PLAIN, Rest.UNKNOWN, Rest.MEMORY)
    assert found == {"nodes": 0, "volumes": 3, "plain": 1, "unknown": 1}


def test_of_a_machine_of_ones_own_nothing_is_known(home, clock):
    from dataclasses import replace

    from ringfence.compute.model import NodeClass

    with empty(home, clock) as stage:
        node = stage.node("trainer")
    own = replace(node, spec=replace(node.spec, node_class=NodeClass.OWN))
    assert claims(Rest.ENCRYPTED, nodes=[node, own]) == {"nodes": 2, "volumes": 1, "plain": 0, "unknown": 1}


def test_it_looks_only_where_there_is_something(tmp_path):
    look = AtRest(tmp_path / "none", FakeVolumes([Volume("8:1", Rest.PLAIN)]), lambda _: [])
    assert look(TENANT).claims["volumes"] == 0
    assert AtRest(tmp_path, look.volumes, look.nodes)(TENANT).claims["plain"] == 1


class Machine:
    """What Linux shows of block devices, in a folder; the folder that is looked at is made to lie on one of them."""

    def __init__(self, tmp_path):
        self.root, self.data = tmp_path / "block", tmp_path / "data"
        self.data.mkdir()
        (tmp_path / "real").mkdir()
        self.root.mkdir()
        self.real = tmp_path / "real"
        number = self.data.stat().st_dev
        self.name = f"{os.major(number)}:{os.minor(number)}"

    def device(self, name, *, uuid="", below=()):
        made = self.real / name
        (made / "slaves").mkdir(parents=True)
        if uuid:
            (made / "dm").mkdir()
            (made / "dm" / "uuid").write_text(f"{uuid}\n")
        for one in below:
            (made / "slaves" / one.name).symlink_to(one)
        return made

    def partition(self, disk, name):
        made = disk / name
        made.mkdir()
        return made

    def holds(self, device):
        (self.root / self.name).symlink_to(device)

    def rest(self, mounts=""):
        path = self.real / "mountinfo"
        path.write_text(mounts)
        [volume] = KernelVolumes(self.root, path).below([self.data, self.data])
        return volume.rest


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_a_disk_is_plain(machine):
    machine.holds(machine.device("sda"))
    assert machine.rest() is Rest.PLAIN


def test_what_dm_crypt_keeps_is_encrypted(machine):
    machine.holds(machine.device("dm-0", uuid="CRYPT-LUKS2-0123-root", below=[machine.device("sda")]))
    assert machine.rest() is Rest.ENCRYPTED


def test_a_logical_volume_on_encrypted_disks_is_encrypted(machine):
    first = machine.device("dm-0", uuid="CRYPT-LUKS2-a")
    second = machine.device("dm-1", uuid="CRYPT-LUKS2-b")
    machine.holds(machine.device("dm-2", uuid="LVM-x", below=[first, second]))
    assert machine.rest() is Rest.ENCRYPTED


def test_one_plain_disk_below_makes_it_plain(machine):
    first = machine.device("dm-0", uuid="CRYPT-LUKS2-a")
    machine.holds(machine.device("dm-2", uuid="LVM-x", below=[first, machine.device("sda")]))
    assert machine.rest() is Rest.PLAIN


def test_a_partition_is_what_its_disk_is(machine):
    machine.holds(machine.partition(machine.device("sda"), "sda1"))
    assert machine.rest() is Rest.PLAIN


def test_what_lies_on_no_device_is_unknown_and_memory_is_no_volume(machine):
    assert machine.rest() is Rest.UNKNOWN
    mounts = f"29 22 {machine.name} / /data rw shared:5 - tmpfs tmpfs rw\n"
    assert machine.rest(mounts) is Rest.MEMORY


def test_kinds_are_read_whatever_else_stands_in_the_table():
    text = "22 1 8:1 / / rw,noatime shared:1 master:2 - ext4 /dev/sda1 rw\nnonsense\n23 1 0:5 / /a - b rw - nfs4 x rw\n"
    assert kinds_of(text)["8:1"] == "ext4"


def test_this_machine_answers(tmp_path):
    [volume] = KernelVolumes().below([tmp_path])
    assert volume.rest in Rest
