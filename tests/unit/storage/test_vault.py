import pytest

from ringfence.kernel.errors import Refused, VerificationFailed
from ringfence.storage import keyfile
from ringfence.storage.vault import Vault


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sign-in.json"


def test_what_is_sealed_opens_in_its_context_only(path):
    sealed = Vault(path, None).seal("a", b"secret")
    again = Vault(path, None)
    assert again.unseal("a", sealed) == b"secret"
    for context, data in (("b", sealed), ("a", sealed[:-1]), ("a", b""), ("a", bytes(40))):
        with pytest.raises(VerificationFailed):
            again.unseal(context, data)


def test_equal_values_look_different_and_every_changed_byte_is_refused(path):
    vault = Vault(path, None)
    first, second = vault.seal("a", b"secret"), vault.seal("a", b"secret")
    assert first != second
    for place in range(len(first)):
        changed = first[:place] + bytes([first[place] ^ 1]) + first[place + 1 :]
        with pytest.raises(VerificationFailed):
            vault.unseal("a", changed)


def test_a_mark_is_this_homes(path, tmp_path):
    vault = Vault(path, None)
    assert vault.mark("x") == Vault(path, None).mark("x") != vault.mark("y")
    assert Vault(tmp_path / "other.json", None).mark("x") != vault.mark("x")


def test_the_key_file_is_made_once_and_lies_under_the_passphrase(path):
    sealed = Vault(path, b"pass").seal("a", b"s")
    assert keyfile.custody(path) == keyfile.PASSPHRASE
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Refused):
        Vault(path, None).seal("a", b"s")
    assert Vault(path, b"pass").unseal("a", sealed) == b"s"
