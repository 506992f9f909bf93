import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.artifacts.journal import Order
from ringfence.artifacts.model import DatasetId, DatasetName, NewSeal
from ringfence.artifacts.resuming import alone, is_of, order_of, resumed, seal_files
from ringfence.artifacts.seal import print_key_file, read_key_file
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, Unavailable, UsageError, VerificationFailed
from ringfence.testing.artifacts import Counting, MemoryKeyring, MemoryTree, MemoryWork
from ringfence.testing.unfinished import NAME, Unfinished

CHUNK = 2**16
NEW = NewSeal(DatasetId("a" * 32), 1, CHUNK)
ORDER = Order(NAME, NEW.dataset, 1, CHUNK)
CONTENTS = {"a": b"1" * (2 * CHUNK + 5), "b/c": b"", "b/d": b"2" * CHUNK, "e": b"3"}


class Seal(Unfinished):
    """One seal of small files."""

    def __init__(self, contents=CONTENTS):
        super().__init__(NEW, contents)

    def objects(self):
        return {name: data for name, data in self.work.files.items() if name.startswith("objects/")}


def stopped(sealing, writes):
    with pytest.raises(Unavailable):
        sealing.run(writes)


def test_a_seal_that_nobody_stops():
    sealing = Seal()
    sealing.check(sealing.run())
    assert sealing.moved == sum(map(len, CONTENTS.values()))  # what progress counts: the manifest is none of it


def test_the_key_is_wrapped_before_anything_is_sealed_and_nothing_shows_it():
    sealing = Seal()
    key = Counting()(32)
    stopped(sealing, 3)
    assert "key.json" in sealing.work.files
    assert all(key not in data and key.hex().encode() not in data for data in sealing.work.files.values())


def test_it_goes_on_where_it_stopped():
    sealing = Seal()
    stopped(sealing, 9)
    before = sealing.objects()
    assert len(before) > 1
    sealing.check(sealing.run())
    kept = before.keys() & sealing.objects().keys()
    assert sealing.plans[1].finished == len(kept) == len(before) - 1  # the one that was half written has another id


def test_a_file_that_changed_meanwhile_is_sealed_anew_and_one_that_went_is_dropped():
    sealing = Seal()
    stopped(sealing, 12)
    before = set(sealing.objects())
    sealing.contents["a"] = b"other" * 99
    sealing.contents["new"] = b"new"
    del sealing.contents["b/c"]
    sealing.check(sealing.run())
    assert len(before & sealing.objects().keys()) == 1  # b/d, or e


@pytest.mark.parametrize("change", ["flip", "cut", "grow", "header", "gone", "hashes", "no hashes"])
def test_a_finished_object_that_does_not_read_as_it_should_is_sealed_anew(change):
    sealing = Seal({"a": CONTENTS["a"]})
    sealing.run()
    (hashes,) = (name for name in sealing.work.sinks if name.startswith("chunks/"))
    name = hashes.replace("chunks/", "objects/")
    data = sealing.work.sinks[name].data
    match change:
        case "flip":
            data[70_000] ^= 1
        case "cut":
            del data[-1:]
        case "grow":
            data += b"\0"
        case "header":
            data[100] ^= 1
        case "gone":
            del sealing.work.sinks[name]
        case "hashes":
            sealing.work.sinks[hashes].data[3] ^= 1
        case "no hashes":
            del sealing.work.sinks[hashes]
    sealing.check(sealing.run())
    assert name not in sealing.work.sinks
    assert hashes not in sealing.work.sinks


def test_a_file_that_changes_while_it_is_read_ends_the_seal_and_the_others_are_kept():
    sealing = Seal()
    with pytest.raises(Conflict, match="e changed"):
        sealing.run(tree=MemoryTree(sealing.contents, frozenset({"e"})))
    sealing.check(sealing.run())
    assert sealing.plans[1].finished == 3


def test_what_cannot_be_sealed():
    with pytest.raises(UsageError, match="no file"):
        Seal({}).run()
    with pytest.raises(MalformedInput):
        Seal({"a\n": b""}).run()


def test_an_unfinished_seal_says_what_it_is():
    sealing = Seal()
    stopped(sealing, 9)
    assert order_of(sealing.work, sealing.keyring) == ORDER
    assert resumed(sealing.work, NewSeal(DatasetId("b" * 32), 1, CHUNK)) == NEW
    assert resumed(MemoryWork(), NEW) == NEW
    assert is_of(sealing.work, sealing.keyring, ORDER)
    assert is_of(sealing.work, sealing.keyring, Order(NAME, DatasetId("b" * 32), 1, CHUNK))  # drawn for nothing
    assert is_of(sealing.work, sealing.keyring, Order(DatasetName("other"), NEW.dataset, 1, CHUNK)) is False


@pytest.mark.parametrize(
    "order", [Order(NAME, NEW.dataset, 2, CHUNK), Order(NAME, NEW.dataset, 1, 2 * CHUNK)], ids=["epoch", "chunk size"]
)
def test_nobody_goes_on_with_another_epoch_or_chunk_size(order):
    sealing = Seal()
    stopped(sealing, 9)
    assert is_of(sealing.work, sealing.keyring, order) is None


def test_a_journal_that_the_key_did_not_write_is_of_no_use():
    sealing = Seal()
    stopped(sealing, 9)
    assert is_of(sealing.work, MemoryKeyring("two"), ORDER) is None
    sealing.work.sinks["journal"].data[40] ^= 1
    assert is_of(sealing.work, sealing.keyring, ORDER) is None
    with pytest.raises(VerificationFailed, match="another key"):
        order_of(sealing.work, MemoryKeyring("two"))


sizes = st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
trees = st.dictionaries(st.sampled_from("abcdef"), st.tuples(sizes, st.integers(0, 3)), min_size=1, max_size=6)


@settings(max_examples=120)
@given(st.lists(st.tuples(trees, st.integers(0, 40), st.booleans()), max_size=5), trees)
def test_however_often_it_is_stopped_no_key_meets_a_nonce_twice(attempts, last):
    """The files change in between, the last line of the journal may be torn, and the end is as if nothing happened."""
    sealing = Seal()
    for tree, writes, torn in [*attempts, (last, 2**40, False)]:
        sealing.contents = {path: bytes([value]) * size for path, (size, value) in tree.items()}
        try:
            seal = sealing.run(writes)
        except Unavailable:
            seal = None
            if torn and len(sealing.work.journal) > 300:
                del sealing.work.sinks["journal"].data[-1:]
            if not sealing.work.journal:  # the machine went down before there was a key file
                sealing.work.discard()
    assert len({place[:2] for place in sealing.work.used}) == len(sealing.work.used)
    sealing.check(seal)


def test_a_file_that_changes_between_listing_and_opening_is_not_taken_for_the_one_that_was_sealed():
    sealing = Seal()
    stopped(sealing, 12)
    before = set(sealing.objects())

    class Late(MemoryTree):
        def listed(self):
            yield from MemoryTree(CONTENTS).listed()

    sealing.contents = CONTENTS | {"a": b"other" * 99}
    tree, crew = Late(sealing.contents), alone(sealing.random)
    sealing.work.writes = 2**40
    seal = seal_files(NAME, tree, sealing.work, NEW, sealing.keyring, sealing.random, crew, lambda _plan: sealing.heard)
    sealing.check(seal)
    assert len(before & sealing.objects().keys()) == len(before) - 2  # `a`, and what was half written


@pytest.mark.parametrize(("dataset", "epoch"), [("b" * 32, 1), ("a" * 32, 2)])
def test_a_key_file_of_another_dataset_than_the_journal_is_no_place_to_go_on(dataset, epoch):
    """The key file is not authenticated: who writes to the disk could have objects of one dataset sealed as another."""
    sealing, reasons = Seal(), []
    stopped(sealing, 9)
    found = read_key_file(sealing.work.key_file)
    moved = NewSeal(DatasetId(dataset), epoch, CHUNK)
    sealing.work.sinks["key.json"].data[:] = print_key_file(moved, found.wrappings)
    assert is_of(sealing.work, sealing.keyring, ORDER, reasons.append) is None
    assert reasons == ["its key file speaks of another dataset than its journal"]
    with pytest.raises(VerificationFailed, match="another dataset"):
        sealing.run()


def test_it_is_said_why_nobody_goes_on():
    sealing, reasons = Seal(), []
    stopped(sealing, 9)
    is_of(sealing.work, MemoryKeyring("two"), ORDER, reasons.append)
    is_of(sealing.work, sealing.keyring, Order(NAME, NEW.dataset, 1, 2 * CHUNK), reasons.append)
    assert reasons == [
        "another key-encryption key wraps its key",
        "it was to be epoch 1 of claims, in chunks of 65536 bytes",
    ]


def test_a_key_that_cannot_be_reached_drops_nothing():
    sealing = Seal()
    stopped(sealing, 9)

    class Away(MemoryKeyring):
        def unwrap(self, wrapped):
            raise NotFound(f"the token holds no key for {len(wrapped)} bytes")

    with pytest.raises(NotFound):
        is_of(sealing.work, Away(), ORDER)


def test_a_journal_that_cannot_be_read_ends_no_later_seal():
    sealing, reasons = Seal(), []
    stopped(sealing, 9)

    class Linked(type(sealing.work)):
        @property
        def journal(self):
            raise UsageError("journal is a symbolic link; links are not followed")

    sealing.work.__class__ = Linked
    assert is_of(sealing.work, sealing.keyring, ORDER, reasons.append) is None
    assert "symbolic link" in reasons[0]
