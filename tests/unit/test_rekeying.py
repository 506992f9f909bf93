import os
import secrets
import signal
from dataclasses import dataclass

import pytest

from ringfence.artifacts.blobs import Home, directory_vault
from ringfence.artifacts.keyring import LOCATION, FileKeyring, at_home, for_sealing, move_to_token
from ringfence.artifacts.model import Custody, DatasetId
from ringfence.artifacts.opening import open_dataset
from ringfence.artifacts.seal import parse_key_file, print_key_file, print_seal
from ringfence.artifacts.sealing import NewSeal, seal_tree
from ringfence.artifacts.verifying import verify
from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, NotFound, Unavailable, VerificationFailed
from ringfence.rekeying import DONE, rekey, stated
from ringfence.storage import keyfile
from ringfence.storage.tokens import Token, read_place
from ringfence.testing.artifacts import TENANT, MemoryTree

STEPS = 9  # of a rotation over two datasets; a kill behind each


def nothing(*_):
    pass


@dataclass
class Place:
    """A home with sealed datasets and nothing else."""

    path: object
    token: object = None

    def seal(self, number):
        new = NewSeal(DatasetId(f"{number:032x}"), 1, 65536)
        with for_sealing(self.path, None) as keyring, Home(self.path).staging(TENANT, {}) as staged:
            seal = seal_tree(MemoryTree({"a": b"%d" % number}), staged, new, keyring, secrets.token_bytes)
            staged.publish(new.dataset, new.epoch)
            staged.settle(None)
        return seal

    def folder(self, seal):
        return self.path / "datasets" / seal.dataset / "1"

    def read(self, seal):
        expected = Digest.of(print_seal(seal))
        with directory_vault(self.folder(seal)) as vault:
            assert verify(vault, expected, 1, None).failures == ()
            with open_dataset(vault, expected, 1, at_home(self.path, None)) as opened, opened.reader("a") as reader:
                return reader.read_at(0, reader.size)

    def wrappings(self, seal):
        return [each.kek for each in parse_key_file((self.folder(seal) / "key.json").read_bytes(), seal)]

    def left(self):
        return sorted(path.name for path in self.path.iterdir() if path.name.startswith("kek."))


@pytest.fixture
def place(tmp_path):
    (tmp_path / "datasets").mkdir()
    return Place(tmp_path)


@pytest.fixture(params=["file", "token"])
def sealed(request, place):
    seals = [place.seal(1), place.seal(2)]
    if request.param == "token":
        place.token = request.getfixturevalue("software_token")
        move_to_token(place.path / LOCATION, None, place.token.module, place.token.label, place.token.pin_file)
    return place, seals


def check_rotated(place, seals, done):
    assert [place.read(seal) for seal in seals] == [b"1", b"2"]
    assert [place.wrappings(seal) for seal in seals] == [[done.new]] * 2
    assert (done.wrapped, done.others, done.destroyed) == (2, 0, True)
    assert done.old != done.new == at_home(place.path, None).kek
    assert place.left() == [DONE, LOCATION]
    stated(place.path)
    assert place.left() == [LOCATION]


def test_every_dataset_opens_by_the_new_key_and_by_no_other(sealed):
    place, seals = sealed
    before = at_home(place.path, None)
    held = read_place(place.path / LOCATION)[0] if place.token else None
    done = rekey(place.path, None, nothing)
    assert (done.old, done.old_custody, done.custody) == (before.kek, before.custody, before.custody)
    check_rotated(place, seals, done)
    if held:
        with pytest.raises(NotFound, match="holds no key"):
            Token(held).wrap(bytes(32))


@pytest.mark.parametrize("steps", range(STEPS))
def test_after_any_kill_each_dataset_opens_and_the_next_call_finishes(sealed, steps):
    place, seals = sealed
    before = at_home(place.path, None).kek
    counted = iter(range(STEPS))
    child = os.fork()
    if not child:
        rekey(place.path, None, lambda *_: next(counted) == steps and os.kill(os.getpid(), signal.SIGKILL))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert [place.read(seal) for seal in seals] == [b"1", b"2"]
    third = place.seal(3)
    done = rekey(place.path, None, nothing)
    assert place.read(third) == b"3"
    assert (done.old, done.destroyed) == (before, True)
    assert place.wrappings(third) == [done.new]
    assert place.left() == [DONE, LOCATION]
    assert [place.read(seal) for seal in seals] == [b"1", b"2"]
    assert [place.wrappings(seal) for seal in seals] == [[done.new]] * 2


def test_all_steps_are_told(place):
    place.seal(1)
    place.seal(2)
    told = []
    rekey(place.path, None, lambda *step: told.append(step))
    assert len(told) == STEPS
    assert told[1:3] == [("wrapped anew", 1, 2), ("wrapped anew", 2, 2)]


def test_a_dataset_that_does_not_open_keeps_the_old_key(place):
    good, bad = place.seal(1), place.seal(2)
    path = place.folder(bad) / "key.json"
    wrapping = parse_key_file(path.read_bytes(), bad)[0]
    path.write_bytes(print_key_file(bad, [type(wrapping)(wrapping.kek, bytes(40))]))
    old = at_home(place.path, None).kek
    for _ in range(2):
        with pytest.raises(VerificationFailed, match=f"1 sealed datasets do not open.*{bad.dataset}/1"):
            rekey(place.path, None, nothing)
    assert at_home(place.path, None).kek == old
    assert place.read(good) == b"1"
    place.folder(bad).rename(place.path / "away")
    done = rekey(place.path, None, nothing)
    assert (done.old, done.wrapped) == (old, 1)


def test_what_only_others_can_open_is_counted_and_left_as_it_is(place):
    place.seal(1)
    other = place.seal(2)
    path = place.folder(other) / "key.json"
    wrapping = parse_key_file(path.read_bytes(), other)[0]
    path.write_bytes(print_key_file(other, [type(wrapping)("f" * 32, wrapping.wrapped)]))
    before = path.read_bytes()
    done = rekey(place.path, None, nothing)
    assert (done.wrapped, done.others) == (1, 1)
    assert path.read_bytes() == before


def test_while_something_is_sealed_the_key_stays(place):
    place.seal(1)
    with for_sealing(place.path, None), pytest.raises(Unavailable, match="is being sealed"):
        rekey(place.path, None, nothing)


def test_without_a_key_there_is_nothing_to_replace(place):
    with pytest.raises(NotFound, match="nothing was sealed"):
        rekey(place.path, None, nothing)


def test_the_passphrase_protects_the_new_key_too(place):
    FileKeyring.create(place.path / LOCATION, b"correct horse")
    done = rekey(place.path, b"correct horse", nothing)
    assert done.custody is Custody.FILE_PASSPHRASE
    assert keyfile.custody(place.path / LOCATION) == keyfile.PASSPHRASE


def test_a_key_that_lay_in_the_plain_is_not_put_under_a_passphrase_by_the_way(place):
    """`key protect` does that, for every file."""
    place.seal(1)
    assert rekey(place.path, b"correct horse", nothing).custody is Custody.FILE_PLAIN


@pytest.mark.parametrize(
    ("name", "value"), [("old", None), ("custody", "paper"), ("wrapped", "1"), ("destroyed", "no"), ("more", 1)]
)
def test_a_note_of_what_was_done_that_says_something_else_is_not_stated(place, name, value):
    place.seal(1)
    rekey(place.path, None, nothing)
    note = place.path / DONE
    note.write_bytes(digest.dumps(digest.loads(note.read_bytes()) | {name: value}))
    with pytest.raises(MalformedInput, match="what was rotated"):
        rekey(place.path, None, nothing)
