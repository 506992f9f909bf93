import threading

import pytest

from ringfence.compute import forensics
from ringfence.compute.blobs import EvidenceFolder, IntentFile, NodeLocks
from ringfence.compute.model import Intent, NodeId
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import RingfenceError, Unavailable

A, B = NodeId("n-0000000a"), NodeId("n-0000000b")


@pytest.fixture
def intents(tmp_path):
    made = IntentFile(tmp_path / "intents", capacity=2)
    made.create()
    return made


class TestIntents:
    def test_are_kept_and_read_back(self, intents):
        intents.add(A, Intent(1, "f-1", "person-00000000000a"))
        intents.add(B, Intent(7))
        again = IntentFile(intents.path, capacity=2)
        assert again.all() == {A: Intent(1, "f-1", "person-00000000000a"), B: Intent(7)}

    def test_a_smaller_number_changes_nothing_and_a_greater_one_does(self, intents):
        intents.add(A, Intent(2, "f-2"))
        intents.add(A, Intent(1, "f-1"))
        assert intents.all() == {A: Intent(2, "f-2")}
        intents.add(A, Intent(3))
        assert intents.all() == {A: Intent(3)}

    def test_are_dropped_up_to_a_number(self, intents):
        intents.add(A, Intent(2))
        intents.drop(A, 1)
        assert intents.all() == {A: Intent(2)}
        intents.drop(A, 2)
        intents.drop(A, 2)
        assert intents.all() == {}

    def test_room_that_was_left_is_used_again_and_no_more_than_there_is(self, intents):
        intents.add(A, Intent(1))
        intents.drop(A, 1)
        intents.add(B, Intent(1))
        intents.add(A, Intent(2))
        with pytest.raises(Unavailable, match="release"):
            intents.add(NodeId("n-0000000c"), Intent(1))
        assert len(intents.all()) == 2

    def test_take_no_disk_once_they_are_made(self, intents):
        before = intents.path.stat()
        intents.add(A, Intent(1, "f" * 300))
        assert intents.path.stat().st_size == before.st_size == 2 * IntentFile.LINE
        assert intents.path.stat().st_blocks == before.st_blocks > 0
        assert intents.path.stat().st_mode & 0o077 == 0
        intents.create()
        assert intents.all()[A].number == 1

    @pytest.mark.parametrize("finding", ["f" * 300, "a b\nc", "\u00e4", " "])
    def test_an_odd_finding_never_costs_the_wish(self, intents, finding):
        intents.add(A, Intent(1, finding))
        assert intents.all()[A].number == 1

    @pytest.mark.parametrize("damage", [b"\xff" * 128, b"n-0000000a x - -", b"n-0000000a", b"n-1 1 - -"])
    def test_a_damaged_line_is_no_wish(self, intents, damage):
        intents.add(B, Intent(1))
        data = intents.path.read_bytes()
        intents.path.write_bytes(data[:128] + damage.ljust(128)[:128])
        assert intents.all() == {B: Intent(1)}

    def test_a_file_that_is_missing_is_named(self, tmp_path):
        with pytest.raises(RingfenceError, match="intents"):
            IntentFile(tmp_path / "intents").all()


class TestEvidence:
    def chain(self, items):
        return forensics.chain(items, b"s" * 32, before_cut=True, milliseconds=1).chain

    def test_is_kept_for_its_owner_alone_and_verifies(self, tmp_path):
        folder = EvidenceFolder(tmp_path / "evidence")
        items = {"processes": b"sshd\n", "log-tail": b"Accepted\n"}
        folder.keep(A, 1, items, b"s" * 32)
        found, salt = folder.read(A, 1, self.chain(items))
        assert forensics.verify_chain(found, salt, self.chain(items))
        for path in (tmp_path / "evidence").rglob("*"):
            assert path.stat().st_mode & 0o077 == 0

    def test_a_name_cannot_leave_the_folder(self, tmp_path):
        EvidenceFolder(tmp_path / "evidence").keep(A, 1, {"processes": b"sshd\n", "log tail/../x": b"x"}, b"s" * 32)
        files = sorted(path.name for path in tmp_path.rglob("item-*"))
        assert files == ["item-log_tail_.._x", "item-processes"]

    def test_a_second_attempt_overwrites_nothing(self, tmp_path):
        folder = EvidenceFolder(tmp_path / "evidence")
        for data in (b"one", b"two"):
            folder.keep(A, 1, {"processes": data}, b"s" * 32)
        assert folder.read(A, 1, self.chain({"processes": b"one"}))[0] == {"processes": b"one"}
        assert folder.read(A, 1, self.chain({"processes": b"two"}))[0] == {"processes": b"two"}

    def test_the_same_evidence_can_be_kept_again(self, tmp_path):
        folder, items = EvidenceFolder(tmp_path / "evidence"), {"processes": b"sshd\n"}
        for _ in range(2):  # it was kept, but could not be stated
            folder.keep(A, 1, items, b"s" * 32)
        assert folder.read(A, 1, self.chain(items))[0] == items

    def test_what_was_never_kept_is_not_found(self, tmp_path):
        with pytest.raises(RingfenceError):
            EvidenceFolder(tmp_path).read(A, 1, Digest.of(b""))


class TestLocks:
    def test_only_one_works_on_a_node(self):
        locks = NodeLocks()
        with locks.working(A) as first, locks.working(A) as second, locks.working(B) as other:
            assert (first, second, other) == (True, False, True)
        with locks.working(A) as again:
            assert again

    def test_who_cuts_off_waits_for_the_other(self):
        locks, order = NodeLocks(), []

        def late():
            with locks.containing(A):
                order.append("late")

        with locks.containing(A), locks.containing(A):
            thread = threading.Thread(target=late)
            thread.start()
            thread.join(0.1)  # who did not wait would be done by then
            order.append("early")
        thread.join(timeout=10)
        assert order == ["early", "late"]
