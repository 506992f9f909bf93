import pytest

from ringfence.artifacts.keyring import FileKeyring, at_home, move_to_token
from ringfence.testing import artifacts


@pytest.fixture(params=["memory", "file-plain", "file-passphrase", "pkcs11"])
def keyring(request, tmp_path):
    if request.param == "memory":
        yield artifacts.MemoryKeyring()
        return
    path = tmp_path / "kek.json"
    made = FileKeyring.create(path, b"pass" if request.param == "file-passphrase" else None)
    if request.param == "pkcs11":
        token = request.getfixturevalue("software_token")
        move_to_token(path, None, token.module, token.label, token.pin_file)
        made = at_home(tmp_path, None)
        assert made.custody == "pkcs11"
    yield made
    made.close()


@pytest.mark.parametrize(
    "check",
    [artifacts.unwraps_what_it_wrapped, artifacts.refuses_a_changed_wrapping, artifacts.names_its_key],
    ids=lambda check: check.__name__,
)
def test_keyring(keyring, check):
    check(keyring)
