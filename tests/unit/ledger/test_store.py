import subprocess
import sys
import threading

import pytest

from ringfence.kernel.errors import Conflict, Unavailable
from ringfence.ledger.store import IntegratorLock
from ringfence.testing.keys import head


@pytest.fixture
def checkpoints(services):
    return services.ledger.checkpoints


@pytest.mark.databases
def test_checkpoints_are_kept_in_the_order_of_their_size(services, checkpoints):
    kept = len(checkpoints.all())
    with services.database.transaction():
        for size in (900, 700, 800):
            checkpoints.add(head(size, bytes([size % 256]) * 32))
    assert [signed.checkpoint.size for signed in checkpoints.all()][kept:] == [700, 800, 900]
    assert checkpoints.latest().checkpoint.size == 900
    assert checkpoints.at_size(800).checkpoint.root == bytes([800 % 256]) * 32
    assert checkpoints.at_size(801) is None


@pytest.mark.databases
def test_there_are_never_two_of_one_size(services, checkpoints):
    with services.database.transaction():
        checkpoints.add(head(700, bytes(32)))
    with pytest.raises(Conflict, match="has a head of 700 entries already"), services.database.transaction():
        checkpoints.add(head(700, b"1" * 32))
    assert checkpoints.at_size(700).checkpoint.root == bytes(32)


def test_one_thread_holds_the_lock_at_a_time(tmp_path):
    lock, inside, most = IntegratorLock(tmp_path / "lock"), [], []

    def work():
        for _ in range(50):
            with lock():
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    assert len(most) == 200


HOLD = """
import fcntl, os, sys
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(descriptor, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def test_another_process_keeps_us_out_until_it_is_killed(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout.readline() == b"held\n"
    entered = threading.Event()

    def enter():
        with IntegratorLock(tmp_path / "lock")():
            entered.set()

    thread = threading.Thread(target=enter)
    thread.start()
    assert not entered.wait(0.2)
    child.kill()
    child.communicate()
    assert entered.wait(30)
    thread.join()


def test_a_lock_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "lock").mkdir()
    with pytest.raises(Unavailable, match="cannot lock"), IntegratorLock(tmp_path / "lock")():
        pass
