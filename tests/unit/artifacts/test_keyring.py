import pytest

from ringfence.artifacts import keyring
from ringfence.artifacts.keyring import FileKeyring, at_home, for_sealing
from ringfence.artifacts.model import Custody
from ringfence.kernel.errors import MalformedInput, NotFound, Refused, Unavailable, UsageError
from ringfence.storage import keyfile
from ringfence.storage.tokens import TokenPlace


@pytest.mark.parametrize(
    ("passphrase", "custody"), [(None, Custody.FILE_PLAIN), (b"correct horse", Custody.FILE_PASSPHRASE)]
)
def test_what_one_process_wrapped_another_unwraps(tmp_path, passphrase, custody):
    path = tmp_path / "kek.json"
    made = FileKeyring.create(path, passphrase)
    found = FileKeyring.open(path, passphrase)
    assert (found.kek, found.custody) == (made.kek, custody)
    assert found.unwrap(made.wrap(bytes(32))) == bytes(32)
    assert path.stat().st_mode & 0o777 == 0o600
    assert keyfile.custody(path) == custody.value


def test_a_passphrase_is_needed_and_must_be_right(tmp_path):
    FileKeyring.create(tmp_path / "k", b"correct horse")
    for passphrase in (None, b"wrong"):
        with pytest.raises(Refused):
            FileKeyring.open(tmp_path / "k", passphrase)


def test_the_passphrase_hides_the_key(tmp_path):
    plain, hidden = tmp_path / "p", tmp_path / "h"
    FileKeyring.create(plain, None)
    secret = keyfile.load(plain, None).secret("kek")
    keyfile.create(hidden, {"kek": secret}, b"pass")
    assert secret.hex().encode() not in hidden.read_bytes()
    assert FileKeyring.open(hidden, b"pass").kek == FileKeyring.open(plain).kek


def test_a_key_is_never_overwritten(tmp_path):
    FileKeyring.create(tmp_path / "k", None)
    before = (tmp_path / "k").read_bytes()
    with pytest.raises(UsageError):
        FileKeyring.create(tmp_path / "k", None)
    assert (tmp_path / "k").read_bytes() == before


def test_a_file_that_others_can_read_is_refused(tmp_path):
    FileKeyring.create(tmp_path / "k", None)
    (tmp_path / "k").chmod(0o640)
    with pytest.raises(UsageError, match="chmod 600"):
        FileKeyring.open(tmp_path / "k")


def test_missing_or_wrong_keys(tmp_path):
    with pytest.raises(NotFound):
        FileKeyring.open(tmp_path / "k")
    keyfile.create(tmp_path / "short", {"kek": bytes(16)}, None)
    with pytest.raises(MalformedInput, match="32 bytes"):
        FileKeyring.open(tmp_path / "short")
    keyfile.create(tmp_path / "other", {"root": bytes(32)}, None)
    with pytest.raises(Unavailable):
        FileKeyring.open(tmp_path / "other")


def test_the_first_seal_makes_the_key_of_a_home_and_an_opening_does_not(tmp_path):
    with pytest.raises(NotFound, match="nothing was sealed"):
        at_home(tmp_path, None)
    (tmp_path / "datasets").mkdir()
    with for_sealing(tmp_path, None) as made, for_sealing(tmp_path, None) as again:
        assert again.kek == made.kek == at_home(tmp_path, None).kek


def test_close_overwrites_the_key():
    ring = FileKeyring(b"k" * 32, Custody.FILE_PLAIN)
    ring.close()
    assert ring._key == bytearray(32)


def test_a_key_is_taken_back_only_while_the_file_still_holds_it(tmp_path):
    """The folder of the file may fail to sync once the file is replaced: then the token has the only key."""

    class Held:
        forgotten = 0

        def forget(self):
            self.forgotten += 1

    path, token = tmp_path / "kek.json", Held()
    FileKeyring.create(path, None)
    keyring._take_back(path, token)
    assert token.forgotten == 1
    TokenPlace(tmp_path / "module.so", "label", tmp_path / "pin", "key").write(path, "0" * 32)
    keyring._take_back(path, token)
    assert token.forgotten == 1


@pytest.mark.parametrize("half", [keyring.NEXT, keyring.OLD])
def test_a_key_that_is_half_replaced_is_nothing_to_move(tmp_path, half):
    keyring.check_settled(tmp_path)
    (tmp_path / half).touch()
    with pytest.raises(Refused, match="key rotate kek"):
        keyring.check_settled(tmp_path)


def test_who_seals_and_who_changes_the_key_keep_each_other_out(tmp_path):
    (tmp_path / "datasets").mkdir()
    with for_sealing(tmp_path, None), pytest.raises(Unavailable, match="is being sealed"), keyring.changing(tmp_path):
        pass
    with (
        keyring.changing(tmp_path),
        pytest.raises(Unavailable, match="is being replaced"),
        for_sealing(tmp_path, None),
    ):
        pass
