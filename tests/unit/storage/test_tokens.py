import json
import secrets
from pathlib import Path

import pytest

from ringfence.artifacts.keyring import FileKeyring, at_home, move_to_token
from ringfence.kernel.errors import MalformedInput, NotFound, Refused, Unavailable, UsageError, VerificationFailed
from ringfence.storage import keyfile
from ringfence.storage.tokens import Token, TokenPlace, read_place


@pytest.fixture
def moved(software_token, tmp_path):
    path = tmp_path / "kek.json"
    made = FileKeyring.create(path, None)
    wrapped = made.wrap(bytes(range(32)))
    kek = move_to_token(path, None, software_token.module, software_token.label, software_token.pin_file)
    assert kek == made.kek
    return path, wrapped


def place(token, **changes):
    given = {"module": token.module, "label": token.label, "pin_file": token.pin_file, "key": "nothing"} | changes
    return TokenPlace(**given)


def test_what_the_file_wrapped_the_token_opens_and_the_other_way_round(moved):
    path, wrapped = moved
    keyring = at_home(path.parent, None)
    assert keyring.unwrap(wrapped) == bytes(range(32))
    again = keyring.wrap(b"x" * 32)
    assert keyring.unwrap(again) == b"x" * 32
    keyring.close()


def test_neither_key_nor_pin_lies_in_the_file_any_more(moved, software_token):
    path, _ = moved
    document = json.loads(path.read_text())
    assert document.keys() == {"format", "custody", "token", "id"}
    assert software_token.pin_file.read_text().strip() not in path.read_text()
    assert keyfile.custody(path) == "pkcs11"
    assert path.stat().st_mode & 0o777 == 0o600
    assert keyfile.protect(path, b"secret") is False
    with pytest.raises(MalformedInput):
        keyfile.load(path, None)


def test_the_key_does_not_come_out_of_the_token(moved, software_token):
    import pkcs11
    from pkcs11.exceptions import PKCS11Error

    where, _ = read_place(moved[0])
    opened = pkcs11.lib(str(software_token.module)).get_token(token_label=software_token.label)
    pin = software_token.pin_file.read_text().strip()
    with opened.open(user_pin=pin) as session:
        key = session.get_key(label=where.key)
        with pytest.raises(PKCS11Error):
            key[pkcs11.Attribute.VALUE]


def test_it_is_moved_once(moved, software_token):
    with pytest.raises(Refused, match="already"):
        move_to_token(moved[0], None, software_token.module, software_token.label, software_token.pin_file)


def test_a_key_that_the_token_does_not_hold_is_named(software_token):
    with pytest.raises(NotFound, match="holds no key nothing"):
        Token(place(software_token)).wrap(b"x" * 32)


def test_a_wrong_pin_is_refused_and_the_file_stays_a_key_file(software_token, tmp_path):
    wrong = tmp_path / "pin"
    wrong.write_text("999999")
    wrong.chmod(0o600)
    path = tmp_path / "kek.json"
    FileKeyring.create(path, None)
    before = path.read_bytes()
    with pytest.raises(Refused, match="does not open the token"):
        move_to_token(path, None, software_token.module, software_token.label, wrong)
    assert path.read_bytes() == before


def test_a_pin_that_others_may_read_is_not_read(software_token, tmp_path):
    known = tmp_path / "pin"
    known.write_text("5678")
    known.chmod(0o644)
    with pytest.raises(UsageError, match="can be read by others"):
        Token(place(software_token, pin_file=known)).wrap(b"x" * 32)


def test_a_token_or_module_that_is_not_there_is_named(software_token):
    with pytest.raises(Unavailable, match="no single token 'other'"):
        Token(place(software_token, label="other")).wrap(b"x" * 32)
    with pytest.raises(Unavailable, match="is missing"):
        Token(place(software_token, module=Path("/nowhere.so"))).wrap(b"x" * 32)


def test_another_key_of_the_token_opens_nothing(software_token, tmp_path):
    rings = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        FileKeyring.create(tmp_path / name / "kek.json", None)
        move_to_token(
            tmp_path / name / "kek.json", None, software_token.module, software_token.label, software_token.pin_file
        )
        rings.append(at_home(tmp_path / name, None))
    wrapped = rings[0].wrap(secrets.token_bytes(32))
    with pytest.raises(VerificationFailed):
        rings[1].unwrap(wrapped)
    for ring in rings:
        ring.close()


@pytest.mark.parametrize("document", [{}, {"format": keyfile.FORMAT, "custody": "pkcs11"}, [], {"custody": "pkcs11"}])
def test_anything_else_is_no_place(tmp_path, document):
    path = tmp_path / "kek.json"
    path.write_text(json.dumps(document))
    path.chmod(0o600)
    with pytest.raises(MalformedInput):
        read_place(path)
