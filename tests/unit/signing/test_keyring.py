import pytest

from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.signing.keyring import from_file
from ringfence.storage import keyfile
from ringfence.testing.signing import LOG, folder


@pytest.mark.parametrize(("passphrase", "custody"), [(None, "file-plain"), (b"secret", "file-passphrase")])
def test_the_keys_are_those_of_the_file(tmp_path, passphrase, custody):
    path = folder(tmp_path / "home", passphrase) / "keys" / "service.json"
    keys = from_file(path, passphrase, LOG)
    assert keys.public.custody == custody
    assert len({keys.public.control_plane, keys.public.emergency, *keys.public.ledger}) == 4
    assert "PrivateKey" not in repr(keys)


def test_a_wrong_passphrase_opens_nothing(tmp_path):
    path = folder(tmp_path / "home", b"secret") / "keys" / "service.json"
    for wrong in (None, b"other"):
        with pytest.raises(Refused):
            from_file(path, wrong, LOG)


@pytest.mark.parametrize("name", ["control-plane", "emergency", "ledger", "ledger-ml-dsa-44"])
def test_a_key_of_another_length_is_no_key(tmp_path, name):
    home = folder(tmp_path / "home")
    named = keyfile.load(home / "keys" / "service.json", None).secrets | {name: bytes(31)}
    keyfile.create(tmp_path / "other.json", named, None)
    with pytest.raises(MalformedInput, match="32 bytes"):
        from_file(tmp_path / "other.json", None, LOG)
