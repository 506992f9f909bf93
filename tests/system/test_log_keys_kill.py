"""Kill a replacement of the log's keys wherever it is: one pair signs on, and the next call finishes."""

import subprocess
import sys
from collections import Counter

import pytest

from ringfence.ledger.succession import KEYS_REPLACED
from ringfence.log_keys import renew
from ringfence.signing.keyring import LEDGER
from ringfence.storage import keyfile
from ringfence.storage.signer import Ed25519Signer
from ringfence.testing.home import TENANT, observed
from ringfence.testing.program import environment

ROUNDS, SOAK = 3, 40  # a log replaces its keys at most 64 times
RENEWALS = """
import os, random, signal, sys, time
from pathlib import Path
from ringfence.log_keys import renew
from ringfence.settings import Settings
from ringfence.storage import keyfile
from ringfence.storage.signer import Ed25519Signer

home, rounds, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
root = Ed25519Signer.from_seed(keyfile.load(home / "keys" / "root.json", None).secret("root"))
chance = random.Random(seed)
cut = 0
for _ in range(rounds):
    ready, go = os.pipe()
    point = chance.randrange(1, 40)
    pid = os.fork()
    if not pid:
        calls, last = [0], point
        def counting(real):
            def call(*arguments):
                done = real(*arguments)
                calls[0] += 1
                if calls[0] == last:
                    os.kill(os.getpid(), signal.SIGKILL)
                return done
            return call
        for name in ("fsync", "fdatasync", "replace", "rename", "pwrite"):
            setattr(os, name, counting(getattr(os, name)))
        os.write(go, b"!")
        renew(Settings(home=home), root, "superseded")
        os._exit(0)
    os.read(ready, 1)
    time.sleep(chance.random() * 0.8)
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    cut += os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
print(cut)
"""


def killed(home, rounds, seed):
    command = [sys.executable, "-c", RENEWALS, str(home.path), str(rounds), str(seed)]
    done = subprocess.run(command, env=environment({}), capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def check(home):
    """See that the log goes on as it is, then that the next call finishes, whatever was broken off."""
    for finishing in (False, True):
        if finishing:
            root = Ed25519Signer.from_seed(keyfile.load(home.path / "keys" / "root.json", None).secret("root"))
            renew(home.settings(), root, "superseded")
        with home.services() as services:
            with services.database.transaction():
                services.outbox.record(observed(claims={"n": int(finishing)}), tenant=TENANT)
            services.ledger.integrate()
            assert services.ledger.audit().failures == ()
            heads = Counter(signed.checkpoint.size for signed in services.ledger.checkpoints.all())
            assert set(heads.values()) == {1}
            keys = services.ledger.keys()
            assert len(services.ledger.statements(TENANT, [KEYS_REPLACED])) == len(keys.successions)
            assert services.ledger.log_keys == keys.current
    assert not [
        name for name in keyfile.load(home.path / "keys" / "service.json", None).secrets if f"{LEDGER}." in name
    ]


def test_kills_leave_one_pair_that_signs(home_now):
    assert killed(home_now, ROUNDS, 1) > 0
    check(home_now)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 8))
def test_many_kills_leave_one_pair_that_signs(home_now, seed):
    killed(home_now, SOAK, seed)
    check(home_now)
