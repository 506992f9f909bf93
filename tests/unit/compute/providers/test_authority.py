import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_ssh_public_identity,
    load_ssh_public_key,
)

from ringfence import components
from ringfence.compute.providers.authority import LARGEST_KEY, LONGEST, KeyFileAuthority
from ringfence.kernel.errors import MalformedInput, UsageError
from ringfence.testing.clock import START, FakeClock
from ringfence.testing.compute import public_line
from ringfence.testing.keys import ed25519

LINE = public_line(ed25519(1))


@pytest.fixture
def authority(tmp_path):
    return KeyFileAuthority(tmp_path / "keys" / "ssh_ca", FakeClock())


def test_a_certificate_says_what_was_asked_and_nothing_more(authority):
    text = authority.certificate(LINE, principal="n-00000001", seconds=300, serial=7, key_id="person-1")
    found = load_ssh_public_identity(text.encode())
    found.verify_cert_signature()
    assert (found.serial, found.key_id, found.valid_principals) == (7, b"person-1", [b"n-00000001"])
    assert found.valid_before - START.timestamp() == 300
    assert START.timestamp() - found.valid_after == 30
    assert (dict(found.extensions), dict(found.critical_options)) == ({b"permit-pty": b""}, {})
    ca = load_ssh_public_key(authority.ca_public().encode())
    assert found.signature_key().public_bytes_raw() == ca.public_bytes_raw()


def test_ssh_keygen_reads_it(authority, tmp_path):
    if not components.present("ssh-keygen"):
        pytest.skip("no ssh-keygen")
    path = tmp_path / "id-cert.pub"
    path.write_text(authority.certificate(LINE, principal="n-00000001", seconds=300, serial=7) + "\n")
    told = subprocess.run(
        [components.find("ssh-keygen").path, "-L", "-f", path], check=False, capture_output=True, text=True
    )
    assert told.returncode == 0
    assert "n-00000001" in told.stdout


def test_the_key_is_made_once_and_only_we_read_it(authority, tmp_path):
    first = authority.ca_public()
    path = tmp_path / "keys" / "ssh_ca"
    assert path.stat().st_mode & 0o777 == 0o600
    assert KeyFileAuthority(path, FakeClock()).ca_public() == first
    path.chmod(0o644)
    with pytest.raises(UsageError, match="can be read by others"):
        authority.ca_public()


@pytest.mark.parametrize("seconds", [0, -1, LONGEST + 1])
def test_a_certificate_lasts_minutes(authority, seconds):
    with pytest.raises(UsageError, match="a certificate lasts"):
        authority.certificate(LINE, principal="n-00000001", seconds=seconds, serial=1)


OTHER = generate_private_key(SECP256R1()).public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


@pytest.mark.parametrize("text", ["", "ssh-ed25519", "ssh-ed25519 AAAA", OTHER, "x y", "é", "a" * (LARGEST_KEY + 1)])
def test_other_keys_are_not_certified(authority, text):
    with pytest.raises(MalformedInput):
        authority.certificate(text, principal="n-00000001", seconds=60, serial=1)
