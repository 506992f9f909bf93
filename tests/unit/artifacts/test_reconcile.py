"""The wrappings of an erased key on a real folder; and what is killed in the middle."""

import shutil
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.artifacts.blobs import Home, PlainFolder
from ringfence.artifacts.chunk import HEADER_SIZE, parse_header
from ringfence.artifacts.finishing import Finishing
from ringfence.artifacts.keyring import LOCATION, at_home, for_sealing, move_to_token
from ringfence.artifacts.local import RecordedAccess, SealOrder, Workbench
from ringfence.artifacts.model import DatasetName, Wrapping
from ringfence.artifacts.reconcile import HomeWrappings
from ringfence.artifacts.resuming import alone
from ringfence.artifacts.seal import print_key_file, read_key_file
from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, NotFound, Refused, Unavailable, UsageError, VerificationFailed
from ringfence.rekeying import rekey
from ringfence.storage.turns import replacing
from ringfence.testing.artifacts import Counting, MemoryControl, MemoryFolder, MemoryKeyring

NAME = DatasetName("claims")


class Bench:
    def __init__(self, folder):
        self.home, self.source = folder / "home", folder / "source"
        self.source.mkdir(parents=True)
        (self.source / "a").write_bytes(b"one" * 30_000)
        self.control, self.keyring = MemoryControl(), MemoryKeyring()
        self.work = Workbench(self.control, RecordedAccess(self.control), Home(self.home), Counting(b"work"))
        self.wrappings = HomeWrappings(self.home)

    def seal(self):
        return self.work.seal(SealOrder(NAME, 65536), PlainFolder(self.source), self.keyring)

    def home_made(self):
        (self.home / "datasets").mkdir(parents=True)
        return self.home

    def folder(self, document):
        return self.home / "datasets" / document["dataset"] / str(document["epoch"])

    def open(self, epoch=None):
        self.work.open(NAME, "train", lambda: self.keyring, MemoryFolder(), epoch)

    @property
    def predicates(self):
        return [statement.predicate for statement in self.control.stated]


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def wrapped(folder):
    """Return the wrapped key as it lies there, or nothing."""
    wrappings = read_key_file((folder / "key.json").read_bytes()).wrappings
    return [one.wrapped for one in wrappings]


def test_an_erased_epoch_opens_for_nobody_and_still_verifies(bench):
    first, second = bench.seal(), bench.seal()
    (secret,) = wrapped(bench.folder(first))
    done = bench.work.erase(NAME, "the contract ended", bench.wrappings, 1)
    assert done["wrappings"] == [{"place": "key.json", "kek": bench.keyring.kek, "digest": str(Digest.of(secret))}]
    assert bench.predicates[-2:] == ["dataset.erasure_requested", "dataset.erased"]
    assert bench.control.stated[-1].claims["keyCommitment"] == bench.control.stated[0].claims["keyCommitment"]
    assert wrapped(bench.folder(first)) == []
    with pytest.raises(Refused, match="epoch 1 of claims was erased"):
        bench.open(1)
    with pytest.raises(Refused, match="was erased"):
        bench.work.verify(NAME, lambda: bench.keyring, 1)
    bench.open()
    for epoch in (1, 2):
        assert bench.work.verify(NAME, None, epoch)["failed"] == []
    with pytest.raises(Conflict, match="was erased already"):
        bench.work.erase(NAME, "again", bench.wrappings, 1)
    with pytest.raises(Conflict, match="next epoch of claims is 3"):
        bench.work.seal(SealOrder(NAME, 65536, 1), PlainFolder(bench.source), bench.keyring)
    assert not list((bench.home / "erasing").iterdir())
    assert second["epoch"] == 2


def test_nothing_is_destroyed_before_the_announcement_is_published(bench):
    document = bench.seal()
    bench.control.recorder.unpublished = Unavailable("the log is down")
    with pytest.raises(Unavailable):
        bench.work.erase(NAME, "why", bench.wrappings)
    assert wrapped(bench.folder(document))
    bench.control.recorder.unpublished = None
    (done,) = bench.work.finish_erasures(bench.wrappings)  # it was announced after all
    assert done["epoch"] == 1
    assert wrapped(bench.folder(document)) == []


def test_what_nobody_announced_is_not_destroyed(bench):
    document = bench.seal()
    for because in ("", "x" * 1001):
        with pytest.raises(UsageError, match="say why"):
            bench.work.erase(NAME, because, bench.wrappings)
    assert bench.work.finish_erasures(bench.wrappings) == []
    assert wrapped(bench.folder(document))


def test_a_key_that_lies_elsewhere_is_not_promised_to_be_destroyed(bench):
    document = bench.seal()
    bench.folder(document).rename(bench.home / "away")
    with pytest.raises(NotFound, match="not on this machine"):
        bench.work.erase(NAME, "why", bench.wrappings)
    assert bench.predicates == ["dataset.sealed"]


def test_every_wrapping_goes_with_the_key_also_those_for_recovery_and_in_unfinished_copies(bench):
    document = bench.seal()
    path, other = bench.folder(document) / "key.json", MemoryKeyring("recovery")
    found = read_key_file(path.read_bytes())
    both = print_key_file(found, [*found.wrappings, type(found.wrappings[0])(other.kek, b"w" * 40)])
    path.write_bytes(both)
    staging = bench.home / "datasets" / ".staging"
    (staging / "0123").mkdir()
    for copy in (staging / "key.json", staging / "0123" / "key.json"):
        copy.write_bytes(both)
    linked = bench.home / "linked"
    linked.hardlink_to(path)
    done = bench.work.erase(NAME, "why", bench.wrappings)
    assert sorted((one["place"], one["kek"]) for one in done["wrappings"]) == sorted(
        (place, kek) for place in ("key.json", "staging") for kek in (bench.keyring.kek, other.kek)
    )
    assert linked.read_bytes() == bytes(len(both))  # written over in its place, under whatever name
    assert not list(staging.rglob("key.json"))


def test_the_copies_of_other_epochs_stay(bench):
    bench.seal()
    second = bench.seal()
    copy = bench.home / "datasets" / ".staging" / "key.json"
    copy.write_bytes((bench.folder(second) / "key.json").read_bytes())
    bench.work.erase(NAME, "why", bench.wrappings, 1)
    assert copy.exists()
    bench.open(2)


def test_a_key_file_that_was_replaced_by_a_link_is_not_followed(bench):
    document = bench.seal()
    precious = bench.home / "precious"
    precious.write_bytes(b"precious")
    (bench.folder(document) / "key.json").unlink()
    (bench.folder(document) / "key.json").symlink_to(precious)
    with pytest.raises(UsageError):
        bench.work.erase(NAME, "why", bench.wrappings)
    assert precious.read_bytes() == b"precious"


class Killed(BaseException):
    """Stands for the end of the process."""


class Dying(HomeWrappings):
    """Ends after so many steps."""

    def __init__(self, home, steps):
        super().__init__(home)
        self.steps = steps

    def _step(self):
        if self.steps == 0:
            raise Killed
        self.steps -= 1

    def _note(self, sealed, gone):
        self._step()
        super()._note(sealed, gone)
        self._step()

    def _overwrite(self, path):
        self._step()
        super()._overwrite(path)
        self._step()

    def _say_erased(self, sealed):
        super()._say_erased(sealed)
        self._step()

    def forget(self, sealed):
        self._step()
        super().forget(sealed)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 7), max_size=4))
def test_whenever_it_is_killed_it_is_finished_later_and_states_the_same(tmp_path_factory, deaths):
    folder = tmp_path_factory.mktemp("erase")
    bench = Bench(folder)
    document = bench.seal()
    expected = [str(Digest.of(one)) for one in wrapped(bench.folder(document))]
    try:
        bench.work.erase(NAME, "why", Dying(bench.home, deaths[0] if deaths else 99))
    except Killed:
        for steps in deaths[1:]:
            try:
                bench.work.finish_erasures(Dying(bench.home, steps))
            except Killed:
                with pytest.raises(Refused):
                    bench.open()
    bench.work.finish_erasures(bench.wrappings)
    (stated,) = [one for one in bench.control.stated if one.predicate == "dataset.erased"]
    assert [one["digest"] for one in stated.claims["wrappings"]] == expected
    assert wrapped(bench.folder(document)) == []
    assert bench.work.verify(NAME, None)["failed"] == []
    shutil.rmtree(folder)


def test_a_wrapped_key_that_came_back_is_a_finding(bench, tmp_path):
    document = bench.seal()
    shutil.copy(bench.folder(document) / "key.json", tmp_path / "backup")
    bench.work.erase(NAME, "why", bench.wrappings)
    shutil.copy(tmp_path / "backup", bench.folder(document) / "key.json")
    (failure,) = bench.work.verify(NAME, None)["failed"]
    assert failure["reason"] == "it holds a wrapped key, although that was erased"


def test_a_key_that_somebody_emptied_is_a_finding_and_not_an_erasure(bench):
    document = bench.seal()
    path = bench.folder(document) / "key.json"
    path.write_bytes(print_key_file(read_key_file(path.read_bytes()), []))
    (failure,) = bench.work.verify(NAME, None)["failed"]
    assert failure["reason"] == "it holds no wrapped key, and nobody erased it"
    assert path.stat().st_size < 200


def test_what_a_killed_rotation_left_half_written_goes_too(bench):
    document = bench.seal()
    data, staging = (bench.folder(document) / "key.json").read_bytes(), bench.home / "datasets" / ".staging"
    whole, torn = staging / ".key.json.12.34.tmp", staging / ".key.json.12.35.tmp"
    whole.write_bytes(data)
    torn.write_bytes(data[:-3])
    done = bench.work.erase(NAME, "why", bench.wrappings)
    assert {one["place"] for one in done["wrappings"]} == {"key.json", "staging"}
    assert not whole.exists()
    assert not torn.exists()


def test_planted_copies_cannot_make_the_list_too_long_to_be_stated(bench):
    document = bench.seal()
    found = read_key_file((bench.folder(document) / "key.json").read_bytes())
    for number in range(90):
        folder = bench.home / "datasets" / ".staging" / f"{number}"
        folder.mkdir()
        junk = type(found.wrappings[0])(f"{number:032x}", b"w" * 40)
        (folder / "key.json").write_bytes(print_key_file(found, [junk]))
    done = bench.work.erase(NAME, "why", bench.wrappings)
    assert len(done["wrappings"]) == 64
    assert done["wrappings"][0]["place"] == "key.json"
    assert not list((bench.home / "datasets" / ".staging").rglob("key.json"))


def test_damage_elsewhere_does_not_keep_an_erasure_from_being_stated(bench):
    document = bench.seal()
    (bench.folder(document) / "index").write_bytes(b"damaged")
    bench.work.erase(NAME, "why", bench.wrappings)
    assert bench.predicates[-1] == "dataset.erased"


def test_two_who_erase_at_once_wait_for_each_other(bench):
    bench.seal()
    (bench.home / "erasing").mkdir()
    with replacing(bench.home / "erasing", "taken"), pytest.raises(Unavailable, match="another program"):
        bench.work.erase(NAME, "why", bench.wrappings)
    bench.work.finish_erasures(bench.wrappings)
    assert bench.predicates[-1] == "dataset.erased"


PLANTED = digest.dumps([{"place": "key.json", "kek": "f" * 32, "digest": "f" * 64}])


@pytest.mark.parametrize("text", [PLANTED, b"{}", b"\xff"], ids=["false", "no list", "no text"])
def test_a_list_that_was_planted_with_the_datasets_is_not_stated(bench, text):
    document = bench.seal()
    (secret,) = wrapped(bench.folder(document))
    planted = bench.home / "datasets" / ".erasing" / f"{document['dataset']}-1.json"
    planted.parent.mkdir()
    planted.write_bytes(text)
    planted.chmod(0o600)
    done = bench.work.erase(NAME, "why", bench.wrappings)
    assert done["wrappings"] == [{"place": "key.json", "kek": bench.keyring.kek, "digest": str(Digest.of(secret))}]


def test_what_is_put_back_after_the_key_is_gone_takes_nothing_out_of_the_list(bench):
    document = bench.seal()
    path = bench.folder(document) / "key.json"
    found = read_key_file(path.read_bytes())
    with pytest.raises(Killed):
        bench.work.erase(NAME, "why", Dying(bench.home, 4))
    other = Wrapping("e" * 32, b"w" * 40)
    path.write_bytes(print_key_file(found, [other]))
    (done,) = bench.work.finish_erasures(bench.wrappings)
    secrets = [found.wrappings[0].wrapped, other.wrapped]
    assert [one["digest"] for one in done["wrappings"]] == [str(Digest.of(one)) for one in secrets]


def test_nothing_that_lies_with_the_datasets_tells_what_was_destroyed(bench):
    """Whoever writes to the storage finds no list to change once the key is gone and that is not stated yet."""
    document = bench.seal()
    (secret,) = wrapped(bench.folder(document))
    with pytest.raises(Killed):
        bench.work.erase(NAME, "why", Dying(bench.home, 4))
    assert wrapped(bench.folder(document)) == []
    kept = [path.read_bytes() for path in (bench.home / "datasets").rglob("*") if path.is_file()]
    assert not any(Digest.of(secret).hex.encode() in data for data in kept)
    (done,) = bench.work.finish_erasures(bench.wrappings)
    assert [one["digest"] for one in done["wrappings"]] == [str(Digest.of(secret))]


@pytest.mark.parametrize("end", ["killed", "goes on"])
def test_an_unfinished_seal_of_the_next_epoch_outlives_an_erasure(bench, end):
    """With what was begun of it: another epoch has another key, and its folder is not one to look into."""
    order = SealOrder(NAME, 65536, large=0)
    bench.seal()
    (bench.source / "a").write_bytes(b"two" * 100_000)
    stopping = Stopping(bench.work.random)
    with pytest.raises(Unavailable, match="stopped"):
        replace(bench.work, crew=stopping).seal(order, PlainFolder(bench.source), bench.keyring)
    (begun,) = (bench.home / "datasets" / ".staging").glob("*/partial/*")
    before = begun.read_bytes()
    if end == "killed":
        with pytest.raises(Killed):
            bench.work.erase(NAME, "why", Dying(bench.home, 3), 1)
        bench.work.finish_erasures(bench.wrappings)
    else:
        bench.work.erase(NAME, "why", bench.wrappings, 1)
    assert begun.read_bytes() == before
    stopping.at = 2**40
    second = replace(bench.work, crew=stopping).seal(order, PlainFolder(bench.source), bench.keyring)
    assert (bench.folder(second) / "objects" / parse_header(before[:HEADER_SIZE]).object).exists()
    assert second["epoch"] == 2
    bench.open(2)


class Stopping:
    """Seals in this process until so many bytes have moved."""

    def __init__(self, random):
        self.random, self.at = random, 250_000

    def __call__(self, files, work, new, key, tasks, moved):
        def heard(size):
            self.at -= size
            if self.at < 0:
                raise Unavailable("stopped")
            moved(size)

        yield from alone(self.random)(files, work, new, key, tasks, heard)


class Hold:
    """A hold that is placed and released."""

    placed = False

    def check(self, tenant, sealed, envelope):
        if self.placed:
            raise Refused(f"{tenant} holds {sealed.name} ({envelope})")


def cut_off(bench):
    """Announce an erasure, and be killed before anything is destroyed."""
    with pytest.raises(Killed):
        bench.work.erase(NAME, "why", Dying(bench.home, 0))


def finishing(bench):
    return Finishing(bench.control.service, Home(bench.home), bench.wrappings, lambda: [bench.control.tenant])


def test_a_hold_that_comes_before_the_end_of_an_erasure_keeps_the_key(bench):
    document, hold = bench.seal(), Hold()
    bench.control.service = replace(bench.control.service, holds=hold)
    cut_off(bench)
    hold.placed = True
    assert bench.control.get("/api/v1/datasets")["datasets"][0]["erasure"]["state"] == "held"
    with pytest.raises(Refused, match="a legal hold covers epoch 1 of claims by now"):
        bench.work.finish_erasures(bench.wrappings)
    with pytest.raises(Refused, match="holds claims"):
        bench.work.erase(NAME, "again", bench.wrappings)
    assert finishing(bench)() == 0
    assert wrapped(bench.folder(document))
    with pytest.raises(Refused, match="is being erased"):
        bench.open()
    hold.placed = False
    assert finishing(bench)() == 1
    assert wrapped(bench.folder(document)) == []


def test_one_that_cannot_be_finished_keeps_no_other_from_it(bench):
    first, second = bench.seal(), bench.seal()
    for epoch in (1, 2):
        with pytest.raises(Killed):
            bench.work.erase(NAME, "why", Dying(bench.home, 0), epoch)
    (bench.folder(first) / "seal.json").write_bytes(b"")
    with pytest.raises(VerificationFailed, match=r"seal\.json"):
        bench.work.finish_erasures(bench.wrappings)
    assert bench.predicates.count("dataset.erased") == 1
    assert wrapped(bench.folder(first)) == wrapped(bench.folder(second)) == []


def test_a_turn_of_up_destroys_what_was_cut_off_and_leaves_the_word_to_a_person(bench):
    document = bench.seal()
    expected = [str(Digest.of(one)) for one in wrapped(bench.folder(document))]
    turn = finishing(bench)
    assert turn() == 0
    cut_off(bench)
    assert turn() == turn() == 1
    assert wrapped(bench.folder(document)) == []
    assert "dataset.erased" not in bench.predicates
    (late,) = bench.control.service.epochs(bench.control.tenant)  # as a turn sees it that began before the end
    (done,) = bench.work.finish_erasures(bench.wrappings)
    assert [one["digest"] for one in done["wrappings"]] == expected
    assert turn() == 0
    bench.wrappings.destroy(late)
    assert not list((bench.home / "erasing").iterdir())


def test_a_turn_destroys_nothing_before_the_announcement_is_published(bench):
    document = bench.seal()
    cut_off(bench)
    bench.control.recorder.unpublished = Unavailable("the log is down")
    with pytest.raises(Unavailable):
        finishing(bench)()
    assert wrapped(bench.folder(document))


def test_a_turn_leaves_alone_what_lies_in_another_home(bench):
    document = bench.seal()
    cut_off(bench)
    bench.folder(document).rename(bench.home / "away")
    assert finishing(bench)() == 0


def test_with_the_key_in_a_token_an_erasure_and_a_rotation_leave_a_backup_worth_nothing(bench, software_token):
    """SoftHSM stands for the token: what an erasure alone does not reach, `_NOT_SHOWN` says, the rotation does."""
    with for_sealing(bench.home_made(), None) as keyring:
        bench.keyring = keyring
        first = bench.seal()
    place = software_token
    move_to_token(bench.home / LOCATION, None, place.module, place.label, place.pin_file)
    bench.keyring = at_home(bench.home, None)
    second = bench.seal()
    (secret,) = wrapped(bench.folder(first))
    done = bench.work.erase(NAME, "why", bench.wrappings, 1)
    assert done["wrappings"] == [{"place": "key.json", "kek": bench.keyring.kek, "digest": str(Digest.of(secret))}]
    with pytest.raises(Refused, match="was erased"):
        bench.open(1)
    bench.open(2)
    assert len(bench.keyring.unwrap(secret)) == 32  # a copy of key.json, with the token: the statement says so
    before = bench.keyring
    assert rekey(bench.home, None, lambda *_: None).destroyed
    with pytest.raises(NotFound, match="holds no key"):
        before.unwrap(secret)
    bench.keyring = at_home(bench.home, None)
    with pytest.raises(VerificationFailed):
        bench.keyring.unwrap(secret)
    bench.open(2)
    assert wrapped(bench.folder(first)) == []
    assert second["epoch"] == 2


def test_between_announcement_and_end_a_key_that_is_there_and_one_that_is_gone_are_no_findings(bench):
    bench.seal()
    cut_off(bench)
    assert bench.work.verify(NAME, None)["failed"] == []
    finishing(bench)()
    assert bench.work.verify(NAME, None)["failed"] == []
