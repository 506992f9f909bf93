import os
import secrets
import signal
from dataclasses import dataclass

import pytest

from ringfence.artifacts.blobs import Home, directory_vault
from ringfence.artifacts.journal import Order
from ringfence.artifacts.keyring import LOCATION, FileKeyring, at_home, for_sealing, move_to_token
from ringfence.artifacts.model import Custody, DatasetId, DatasetName
from ringfence.artifacts.opening import open_dataset
from ringfence.artifacts.resuming import alone, is_of, seal_files
from ringfence.artifacts.seal import parse_key_file, print_key_file, print_seal, read_key_file
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


def unfinished(place, number=7):
    """Leave a seal that was stopped after its first file; return its tree and how many bytes of it are sealed."""
    tree, new = MemoryTree({"a": b"1" * 70_000, "b": b"2"}), NewSeal(DatasetId(f"{number:032x}"), 1, 65536)

    def stops(*given):
        yield next(alone(secrets.token_bytes)(*given))
        raise Unavailable("stopped")

    with pytest.raises(Unavailable, match="stopped"):
        go_on(place, tree, new, stops)
    return tree, new


def go_on(place, tree, new, crew):
    plans, order = [], Order(DatasetName("claims"), new.dataset, 1, 65536)

    def planned(plan):
        plans.append(plan)
        return lambda _size: None

    with for_sealing(place.path, None) as keyring:
        mine = lambda work: is_of(work, keyring, order)  # noqa: E731
        with Home(place.path).working(TENANT, {}, mine) as work:
            seal = seal_files(order.name, tree, work, new, keyring, secrets.token_bytes, crew, planned)
            work.publish(new.dataset, 1)
            work.settle(None)
    return seal, plans[0]


def test_an_unfinished_seal_goes_on_after_a_rotation(sealed):
    place, seals = sealed
    tree, new = unfinished(place)
    done = rekey(place.path, None, nothing)
    check_rotated(place, seals, done)
    (path,) = (place.path / "datasets" / ".staging").glob("*/key.json")
    assert [one.kek for one in read_key_file(path.read_bytes()).wrappings] == [done.new]
    seal, plan = go_on(place, tree, new, alone(secrets.token_bytes))
    assert plan.finished == 1
    assert place.read(seal) == b"1" * 70_000


@pytest.mark.parametrize("steps", range(1, 7))
def test_after_any_kill_of_a_rotation_an_unfinished_seal_goes_on(place, steps):
    FileKeyring.create(place.path / LOCATION, None)
    tree, new = unfinished(place)

    def dies(*_):
        nonlocal steps
        steps -= 1
        if steps == 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rekey(place.path, None, dies)
    rekey(place.path, None, nothing)
    assert go_on(place, tree, new, alone(secrets.token_bytes))[1].finished == 1


@pytest.mark.parametrize("damage", ["key.json", "journal", "of another dataset"])
def test_an_unfinished_seal_that_is_damaged_keeps_no_rotation_from_its_end(place, damage):
    good = place.seal(1)
    unfinished(place)
    (folder,) = (path.parent for path in (place.path / "datasets" / ".staging").glob("*/journal"))
    if damage == "of another dataset":
        found = read_key_file((folder / "key.json").read_bytes())
        other = NewSeal(DatasetId("f" * 32), 1, 65536)
        (folder / "key.json").write_bytes(print_key_file(other, found.wrappings))
    else:
        (folder / damage).write_bytes(b"{}")
    before = (folder / "key.json").read_bytes()
    done = rekey(place.path, None, nothing)
    assert place.wrappings(good) == [done.new]
    assert (folder / "key.json").read_bytes() == before
