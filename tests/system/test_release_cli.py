"""`ringfence release`, as a person uses it: rules are signed, denials end with 3, and what is wrong is said."""

import json
import os
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ringfence.attestation import reference
from ringfence.attestation.model import RELEASE, Family
from ringfence.installation import SystemClock
from ringfence.keyrelease import sites
from ringfence.testing import attestation as made
from ringfence.testing.program import called

NAME, RULE = "claims", ("--purpose", "training", "--class", "measured-vm", "--evidence", "tpm2")


class Shell:
    def __init__(self, folder):
        self.folder = folder
        self.environment = os.environ | {"RINGFENCE_HOME": str(folder / "home")}

    def __call__(self, *arguments, code=0):
        done = called(self.environment, *map(str, arguments))
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return json.loads(done.stdout) if "--json" in arguments and done.stdout else done.stdout + done.stderr


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    found = Shell(tmp_path_factory.mktemp("release"))
    found("init")
    (found.folder / "a.csv").write_text("x\n1\n")
    (found.folder / "train.py").write_text("print(1)\n")
    found("dataset", "seal", found.folder / "a.csv", NAME)
    tpm = made.SoftTpm()
    values = made.values_of(tpm, tpm.boots(made.booted()))
    for name, demands in (("good", RELEASE[Family.TPM2]), ("short", RELEASE[Family.TPM2] - {"boot"})):
        wanted = made.expected(Family.TPM2, values, (made.Authority.root().trusted(),), frozenset(demands))
        (found.folder / f"{name}.json").write_bytes(reference.payload(wanted))
    return found


def allow(shell, *more, paper="good", code=0):
    workload = ("--workload", shell.folder / "train.py", "--reference", shell.folder / f"{paper}.json")
    return shell("release", "allow", NAME, *RULE, *workload, *more, code=code)


def test_a_rule_is_signed_listed_and_withdrawn(shell):
    assert "is published" in allow(shell)
    assert "No key is leased" in shell("release", "list")
    assert shell("release", "forbid", NAME, "--json")["statement"]["stage"] == "published"
    said = shell("ledger", "list", "--predicate", "key.release_allowed", "--json")["statements"]
    assert [bool(one["claims"]["purposes"]) for one in said] in ([False, True], [True, False])


def test_what_cannot_be_signed_is_said_and_nothing_is_recorded(shell):
    before = len(shell("ledger", "list", "--predicate", "key.release_allowed", "--json")["statements"])
    assert "boot" in allow(shell, paper="short", code=2)
    assert "1 to 60" in allow(shell, "--minutes", 61, code=2)
    assert "no device attests a place" in allow(shell, "--place-kind", "attested", code=2)
    assert "country" in allow(shell, "--place", "de", code=2)
    assert "no dataset" in shell("release", "forbid", "nothing", code=2)
    assert len(shell("ledger", "list", "--predicate", "key.release_allowed", "--json")["statements"]) == before


def test_a_request_for_what_is_not_here_is_said(shell):
    ask = ("release", "key", NAME, "--purpose", "training", "--workload", shell.folder / "train.py")
    assert "no node is called" in shell(*ask, "--to", "nowhere", code=2)
    assert "lease-0123456789ab" in shell("release", "end", "x", code=2)
    assert "no lease" in shell("release", "end", "lease-0123456789ab", code=2)


def test_a_register_is_taken_in_and_a_changed_one_refused(shell):
    now, path = SystemClock().now(), shell.folder / "sites.json"
    listed = [{"device": "tpm2:x", "country": "DE", "site": "hall 2"}]
    key = Ed25519PrivateKey.generate()
    data = sites.sign(key, provider="Nordlicht", issued_at=now, expires_at=now + timedelta(days=1), devices=listed)
    path.write_bytes(data)
    assert "Nordlicht: 1 devices" in shell("release", "register", path)
    changed = bytearray(data)
    changed[40] ^= 1
    path.write_bytes(changed)
    done = called(shell.environment, "release", "register", str(path))
    assert done.returncode in {1, 2}
    assert "Traceback" not in done.stderr
