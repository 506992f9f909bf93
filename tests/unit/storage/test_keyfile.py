import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.kernel.errors import MalformedInput, Refused, Unavailable, UsageError
from ringfence.storage import keyfile

NAMED = {"signing": bytes(range(32)), "token": b"rf-secret-token"}
PASS = b"correct horse"


@pytest.fixture(params=[None, PASS], ids=["plain", "passphrase"])
def made(request, tmp_path):
    path = tmp_path / "a.key"
    return path, keyfile.create(path, NAMED, request.param), request.param


def rewrite(path, **fields):
    document = json.loads(path.read_bytes()) | fields
    path.write_text(json.dumps({name: value for name, value in document.items() if value is not None}))


def test_what_was_written_is_read(made):
    path, file, passphrase = made
    loaded = keyfile.load(path, passphrase)
    assert loaded == file
    assert loaded.secrets == NAMED
    assert keyfile.custody(path) == loaded.custody == ("file-passphrase" if passphrase else "file-plain")
    assert path.stat().st_mode & 0o777 == 0o600


def test_no_secret_is_in_the_repr(made):
    _, file, _ = made
    shown = repr(file) + str(file) + f"{file}"
    assert "rf-secret-token" not in shown
    assert repr(NAMED["signing"]) not in shown


def test_under_a_passphrase_no_secret_is_in_the_file(tmp_path):
    keyfile.create(tmp_path / "a", {"token": b"A" * 48}, PASS)
    assert b"QUFB" not in (tmp_path / "a").read_bytes()


def test_a_key_file_is_never_overwritten(made):
    path, file, passphrase = made
    with pytest.raises(UsageError, match="exists already"):
        keyfile.create(path, {"other": b"x"}, None)
    assert keyfile.load(path, passphrase) == file


@pytest.fixture
def protected(tmp_path):
    path = tmp_path / "a.key"
    keyfile.create(path, NAMED, PASS)
    return path


@pytest.mark.parametrize("passphrase", [b"wrong", b"", PASS + b" "])
def test_a_wrong_passphrase_is_refused(protected, passphrase):
    with pytest.raises(Refused, match="does not open"):
        keyfile.load(protected, passphrase)


def test_a_missing_passphrase_is_refused_and_says_what_to_do(protected):
    with pytest.raises(Refused, match="RINGFENCE_PASSPHRASE_FILE"):
        keyfile.load(protected, None)


@pytest.mark.parametrize("cost", [{"n": 2**14}, {"n": 2**30}, {"r": 1}, {"p": 2}, {"extra": 1}, {"n": "32768"}])
def test_another_scrypt_cost_is_refused_before_it_is_paid(protected, cost):
    rewrite(protected, scrypt=json.loads(protected.read_bytes())["scrypt"] | cost)
    with pytest.raises(MalformedInput, match="scrypt costs"):
        keyfile.load(protected, PASS)


def test_secrets_cannot_change_their_names(protected):
    keys = json.loads(protected.read_bytes())["keys"]
    rewrite(protected, keys={"signing": keys["token"], "token": keys["signing"]})
    with pytest.raises(Refused):
        keyfile.load(protected, PASS)


@pytest.mark.parametrize("value", ["", "AAAA", 5, None, ["x"], "ä", "!!"])
def test_a_damaged_secret_is_refused(protected, value):
    rewrite(protected, keys={"signing": value})
    with pytest.raises((Refused, MalformedInput)):
        keyfile.load(protected, PASS)


@pytest.mark.parametrize(
    "fields",
    [
        {"format": "other"},
        {"custody": "pkcs11"},
        {"custody": None},
        {"keys": []},
        {"scrypt": None},
        {"extra": 1},
        {"scrypt": 5},
    ],
)
def test_another_document_is_refused(protected, fields):
    rewrite(protected, **fields)
    with pytest.raises(MalformedInput):
        keyfile.load(protected, PASS)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o666])
def test_a_file_that_others_may_read_is_refused(made, mode):
    path, _, passphrase = made
    path.chmod(mode)
    for act in (lambda: keyfile.load(path, passphrase), lambda: keyfile.custody(path)):
        with pytest.raises(UsageError, match="can be read by others"):
            act()


def test_a_key_that_is_not_there_is_named(made):
    with pytest.raises(Unavailable, match="named other"):
        made[1].secret("other")


@given(data=st.binary(max_size=200))
def test_no_bytes_raise_anything_outside_the_family(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("k") / "a"
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(MalformedInput):
        keyfile.load(path, None)
