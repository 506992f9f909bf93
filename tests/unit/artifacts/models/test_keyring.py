import pytest
from cryptography.hazmat.primitives import serialization

from ringfence.artifacts.models import keyring
from ringfence.kernel.errors import Refused, UsageError
from ringfence.storage import keyfile
from ringfence.testing.models import key


def pem(path, password=None, mode=0o600):
    how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    path.write_bytes(key().key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how))
    path.chmod(mode)
    return path


def test_an_operator_s_key_is_made_once(tmp_path):
    operator = tmp_path / "person-0123456789ab.key"
    first = keyring.of_operator(operator, None)
    assert first.custody == "file-plain"
    assert keyring.of_operator(operator, None).key.public.hint == first.key.public.hint
    made = tmp_path / "person-0123456789ab.model.key"
    assert made in list(tmp_path.glob("*.key"))  # `key list` and `key protect` find it
    keyfile.protect(made, b"secret")
    assert keyring.of_operator(operator, b"secret").custody == "file-passphrase"
    with pytest.raises(Refused):
        keyring.of_operator(operator, None)


def test_a_key_in_a_pem_file(tmp_path):
    assert keyring.of_pem(pem(tmp_path / "a"), None).custody == "file-plain"
    held = keyring.of_pem(pem(tmp_path / "b", b"secret"), b"secret")
    assert (held.custody, held.key.public.hint) == ("file-passphrase", key().public.hint)
    with pytest.raises(Refused, match="protected"):
        keyring.of_pem(tmp_path / "b", None)
    with pytest.raises(UsageError, match="read by others"):
        keyring.of_pem(pem(tmp_path / "c", mode=0o644), None)


def test_a_public_key_in_a_pem_file(tmp_path):
    (tmp_path / "p").write_text(key().public.pem)
    assert keyring.public_of(tmp_path / "p").hint == key().public.hint
    with pytest.raises(UsageError):
        keyring.public_of(tmp_path / "none")
