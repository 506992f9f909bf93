"""`ringfence up` and its signer: killed, kept away, and asked to sign after a backup was put back."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from ringfence.kernel.actor import Role
from ringfence.signing.process import exclusive
from ringfence.testing.program import called, serving


def signers(home):
    """Return the signers of a home: their arguments name the module and the home."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[1:5] == [b"-I", b"-m", b"ringfence.signing", os.fsencode(home.path)]:
                found.append(int(entry.name))
    return found


def say(home, *arguments, role=Role.OWNER):
    return called(home.environment(role), *arguments)


def eventually(act, wanted):
    """Repeat until something is so; the signer comes back by itself."""
    for _ in range(200):
        if wanted(found := act()):
            return found
        time.sleep(0.05)
    raise AssertionError(found)


def ended(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.fixture
def away(home_now):
    """Kill the signer of a home and keep the next one from starting, until the block ends."""

    class Away:
        def __enter__(self):
            (pid,) = signers(home_now)
            os.kill(pid, signal.SIGKILL)
            eventually(lambda: ended(pid), bool)
            self.held = exclusive(home_now.path)

        def __exit__(self, *_):
            os.close(self.held)

    return Away()


def test_the_signer_is_killed_again_and_again_and_the_log_stays_whole(home_now):
    with serving(home_now.environment()):
        for _ in range(3):
            (pid,) = eventually(lambda: signers(home_now), bool)
            os.kill(pid, signal.SIGKILL)
            done = eventually(lambda: say(home_now, "record", "log.heartbeat"), lambda said: said.returncode == 0)
            assert "published" in done.stdout
        audit = json.loads(say(home_now, "record", "log.chain_verified", "--json").stdout)
        assert audit["statement"]["stage"] == "published"
    assert signers(home_now) == []
    claims = json.loads(say(home_now, "ledger", "list", "--predicate", "log.chain_verified", "--json").stdout)
    assert claims["statements"][0]["claims"]["failures"] == 0


def test_while_the_signer_is_away_nothing_is_recorded_but_containment_acts(home_now, away):
    leaver = home_now.people[Role.ENGINEER]
    with serving(home_now.environment()):
        with away:
            refused = say(home_now, "record", "log.heartbeat")
            assert refused.returncode == 4
            assert "the signer does not answer" in refused.stderr
            removed = json.loads(say(home_now, "user", "remove", leaver.id, "--json").stdout)
            assert removed["statement"]["stage"] == "journalled"
            assert say(home_now, "status", role=Role.ENGINEER).returncode == 3  # cut off all the same

        def stated():
            listed = say(home_now, "ledger", "list", "--predicate", "key.revoked", "--json")
            return json.loads(listed.stdout)["statements"] if listed.returncode == 0 else []

        (late,) = eventually(stated, bool)
        assert late["claims"]["keyId"] == leaver.signer.key
        assert say(home_now, "record", "log.heartbeat").returncode == 0


@pytest.mark.sqlite
def test_a_backup_that_was_put_back_is_not_signed_on(home_now, tmp_path):
    """Database and log are those of last week; the mark is not: the signer does not sign the same sizes again."""
    kept = tmp_path / "kept"
    shutil.copytree(home_now.path, kept, ignore=shutil.ignore_patterns("*.sock"))
    for _ in range(2):
        assert say(home_now, "record", "log.heartbeat").returncode == 0
    for name in ("ringfence.db", "log"):
        old = home_now.path / name
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    for extra in home_now.path.glob("ringfence.db-*"):
        extra.unlink()
    shutil.copytree(kept / "log", home_now.path / "log")
    shutil.copy2(kept / "ringfence.db", home_now.path / "ringfence.db")
    refused = say(home_now, "record", "access.register")
    assert refused.returncode == 3
    assert "restored from a backup" in refused.stderr


@pytest.mark.parametrize("role", ["control-plane", "emergency"])
def test_a_pack_over_both_keys_of_a_rotation_is_verified(home_now, tmp_path, role):
    trust, pack = tmp_path / "trust.json", tmp_path / "pack"
    shutil.copy2(home_now.path / "trust.json", trust)
    for _ in range(2):
        assert say(home_now, "record", "log.heartbeat").returncode == 0
        assert say(home_now, "key", "rotate", role).returncode == 0
    assert say(home_now, "record", "log.heartbeat").returncode == 0
    exported = say(home_now, "report", "pack", "--output", str(pack))
    assert exported.returncode == 0, exported.stderr
    verified = say(home_now, "verify", str(pack), "--trust", str(trust))
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_up_does_not_start_without_its_keys(home_now, tmp_path):
    passphrase = tmp_path / "pass"
    passphrase.write_text("secret")
    assert (
        called(home_now.environment() | {"RINGFENCE_PASSPHRASE_FILE": str(passphrase)}, "key", "protect").returncode
        == 0
    )
    refused = say(home_now, "up", "--port", "0", "--gateway-port", "0")
    assert refused.returncode == 3
    assert "RINGFENCE_PASSPHRASE_FILE" in refused.stderr
    assert signers(home_now) == []
