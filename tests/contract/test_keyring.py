import pytest

from ringfence.artifacts.keyring import FileKeyring
from ringfence.testing import artifacts


@pytest.fixture(params=["memory", "file-plain", "file-passphrase"])
def keyring(request, tmp_path):
    if request.param == "memory":
        return artifacts.MemoryKeyring()
    return FileKeyring.create(tmp_path / "kek.json", b"pass" if request.param == "file-passphrase" else None)


@pytest.mark.parametrize(
    "check",
    [artifacts.unwraps_what_it_wrapped, artifacts.refuses_a_changed_wrapping, artifacts.names_its_key],
    ids=lambda check: check.__name__,
)
def test_keyring(keyring, check):
    check(keyring)
