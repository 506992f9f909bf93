import os
import signal
import threading

import pytest

from ringfence.kernel.errors import Refused, Unavailable
from ringfence.kernel.statement import KeyRole, to_payload
from ringfence.signing.client import RemoteSigner
from ringfence.signing.process import SOCKET, WallClock
from ringfence.signing.worker import USERS, Place, Supervisor, user_of
from ringfence.testing import signing


@pytest.fixture
def home(tmp_path):
    return signing.folder(tmp_path / "home")


@pytest.fixture
def supervisor(home):
    made = Supervisor(Place(home, signing.LOG))
    made.start()
    yield made
    made.stop()


def eventually(act):
    """Do something until it is not refused for want of a signer: the supervisor starts it again."""
    waited = threading.Event()
    for _ in range(300):
        try:
            return act()
        except Unavailable:
            waited.wait(0.05)
    raise AssertionError("the signer did not come back")


def test_a_killed_signer_comes_back_and_remembers(supervisor, home):
    signer, now = RemoteSigner(home / SOCKET), WallClock().now()
    assert signer.head(signing.head(9), now).checkpoint.size == 9
    first = supervisor.pid
    os.kill(first, signal.SIGKILL)
    with pytest.raises(Refused, match="older than what was signed"):
        eventually(lambda: signer.head(signing.head(5), now))
    assert supervisor.pid != first
    assert eventually(lambda: signer.head(signing.head(12), now, signing.proof(9, 12))).checkpoint.size == 12
    signer.close()


def test_while_it_is_away_nothing_is_signed(home):
    signer = RemoteSigner(home / SOCKET)
    for act in (signer.check, signer.public, lambda: signer.snapshot(b"x")):
        with pytest.raises(Unavailable, match="the signer does not answer"):
            act()


def test_many_threads_ask_and_heads_never_fork(supervisor, home):
    """Twenty ask for heads of two logs at once: one of each size is signed, and all of them are of one log."""
    assert supervisor.pid
    signer, now, signed = RemoteSigner(home / SOCKET), WallClock().now(), []
    other = (signing.tree.leaf_hash(b"other"), *signing.LEAVES[1:])
    signer.head(signing.head(1), now)

    def ask(number, leaves):
        for size in range(2, 20):
            try:
                signed.append(signer.head(signing.head(size, leaves), now, signing.proof(1, size, leaves)).checkpoint)
            except Refused:
                continue
            signer.state(KeyRole.CONTROL_PLANE, to_payload(signing.statement(signer, KeyRole.CONTROL_PLANE, now)))
        assert number >= 0

    threads = [threading.Thread(target=ask, args=(number, (signing.LEAVES, other)[number % 2])) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    roots = {}
    for head in signed:
        assert roots.setdefault(head.size, head.root) == signing.head(head.size).root
    signer.close()


def test_what_the_signer_says_is_what_up_says(tmp_path):
    home = signing.folder(tmp_path / "home", b"secret")
    with pytest.raises(Refused, match="RINGFENCE_PASSPHRASE_FILE"):
        Supervisor(Place(home, signing.LOG)).start()
    (home / "keys" / "service.json").unlink()
    with pytest.raises(Exception, match="does not exist"):
        Supervisor(Place(home, signing.LOG)).start()


def test_as_root_each_home_has_a_user_of_its_own(tmp_path):
    if os.geteuid():
        assert user_of(tmp_path) is None
    else:
        assert user_of(tmp_path) in {*USERS, None}
        assert user_of(tmp_path) == user_of(tmp_path)
