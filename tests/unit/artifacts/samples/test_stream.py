import copy
import json
import multiprocessing
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.artifacts.samples.formats import Fixed
from ringfence.artifacts.samples.plan import Share
from ringfence.artifacts.samples.stream import Order, Place, SampleItems, SampleStream
from ringfence.kernel.errors import MalformedInput, NotFound, UsageError, VerificationFailed
from ringfence.testing.sealed import SealedWorld, send_all

FILES = {f"train/{name}.txt": "".join(f"{name}{number}\n" for number in range(57)).encode() for name in "abc"}
EVERYTHING = sorted(line for data in FILES.values() for line in data.splitlines())


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return SealedWorld(tmp_path_factory.mktemp("samples"), FILES | {"fixed.bin": bytes(range(200))})


@pytest.fixture
def place(world):
    return Place("sealed://claims/train", world.options)


def test_every_sample_once_in_each_round_in_another_order(place):
    stream = SampleStream(place, order=Order(seed=3, window=10))
    first, second = list(stream), list(stream)
    assert sorted(first) == sorted(second) == EVERYTHING
    assert first != second
    stream.set_epoch(0)
    assert list(stream) == first


def test_without_shuffling_as_the_files_are(place):
    assert list(SampleStream(place, order=Order(shuffle=False))) == EVERYTHING_IN_ORDER


EVERYTHING_IN_ORDER = [line for name in sorted(FILES) for line in FILES[name].splitlines()]


@settings(deadline=None, max_examples=40)
@given(
    stop=st.integers(0, len(EVERYTHING)),
    window=st.integers(1, 70),
    shuffle=st.booleans(),
    workers=st.integers(1, 3),
)
def test_a_stopped_reader_goes_on_with_the_next_sample(world, stop, window, shuffle, workers):
    order, place = Order(5, shuffle, window), Place("sealed://claims/train", world.options)
    for worker in range(workers):
        share = Share(worker=worker, workers=workers)
        whole = list(SampleStream(place, order=order, share=share))
        running = SampleStream(place, order=order, share=share)
        before = list(islice(running, min(stop, len(whole))))
        following = SampleStream(place, order=order, share=share)
        following.load_state_dict(json.loads(json.dumps(running.state_dict())))
        assert before + list(following) == whole


@pytest.mark.parametrize(
    "change",
    [
        *({"turn": -1}, {"part": "1"}, {"given": None}, {"order": {}}, {"share": {"rank": 1}}),
        *({"records": "JsonLines(step=16777216)"}, {"data": None}),
    ],
)
def test_a_state_of_something_else_is_refused(place, change):
    stream = SampleStream(place)
    with pytest.raises(UsageError):
        stream.load_state_dict(stream.state_dict() | change)


def test_the_order_is_the_same_wherever_the_files_lie(tmp_path, world):
    orders = []
    for folder in (tmp_path / "a", tmp_path / "elsewhere" / "b"):
        for name, data in FILES.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        orders.append(list(SampleStream(Place(f"file://{folder}/train"), order=Order(seed=2))))
    urls = ("sealed://claims/train", "sealed://claims@1/train")
    orders += [list(SampleStream(Place(url, world.options), order=Order(seed=2))) for url in urls]
    assert orders == [orders[0]] * 4


def test_a_state_is_of_these_files_and_of_no_later_epoch(tmp_path):
    world = SealedWorld(tmp_path, FILES)
    whole = list(SampleStream(Place("sealed://claims/train", world.options)))
    running = SampleStream(Place("sealed://claims/train", world.options))
    before = list(islice(running, 70))
    state = json.loads(json.dumps(running.state_dict()))
    for name, data in FILES.items():
        (tmp_path / "src" / name).write_bytes(data.upper())  # as long, under the same names
    world.seal()

    def resumed(url):
        stream = SampleStream(Place(url, world.options))
        stream.load_state_dict(state)
        return stream

    with pytest.raises(UsageError, match="other files"):
        next(iter(resumed("sealed://claims/train")))
    assert before + list(resumed("sealed://claims@1/train")) == whole
    later = resumed("sealed://claims/train")
    later.set_epoch(1)  # a new round may read what is newest
    assert len(list(later)) == len(EVERYTHING)


def test_a_state_of_plain_files_is_of_their_names_and_sizes(tmp_path):
    for name in "ab":
        (tmp_path / name).write_bytes(b"1\n2\n3\n")
    running = SampleStream(Place(f"file://{tmp_path}"))
    next(iter(running))
    state = running.state_dict()
    (tmp_path / "c").write_bytes(b"4\n")
    following = SampleStream(Place(f"file://{tmp_path}"))
    following.load_state_dict(state)
    with pytest.raises(UsageError, match="other files"):
        next(iter(following))


def test_a_loop_over_rounds_goes_on_in_the_one_that_was_stopped(place):
    running = SampleStream(place, order=Order(seed=3))
    rounds = []
    for turn in range(2):
        running.set_epoch(turn)
        rounds.append(list(running))
    running.set_epoch(1)
    before = list(islice(running, 100))
    following = SampleStream(place, order=Order(seed=3))
    following.load_state_dict(running.state_dict())
    following.set_epoch(1)
    assert before + list(following) == rounds[1]
    following.load_state_dict(running.state_dict())
    following.set_epoch(0)  # another round is another one
    assert list(following) == rounds[0]
    following.set_epoch(1)
    list(islice(following, 5))
    following.set_epoch(1)  # whoever began it here begins it again
    assert list(following) == rounds[1]


def test_a_place_travels_without_its_key(world):
    place = Place("sealed://claims/train", {"home": str(world.home)})
    place._opened = (object(), "x")
    sent = copy.copy(place)  # by the same `__reduce__` that sends it to another process
    assert sent._opened is None
    assert (sent.url, sent.options) == (place.url, place.options)


def test_a_damaged_chunk_ends_the_reading_and_names_it(tmp_path):
    lines = [b"%d" % number for number in range(30_000)]  # three chunks
    world = SealedWorld(tmp_path, {"train/a.txt": b"\n".join(lines[:9]) + b"\n", "train/b.txt": b"\n".join(lines)})
    world.flip_a_bit()
    seen = []
    with pytest.raises(VerificationFailed, match=r"train/b\.txt, chunk 2"):
        seen.extend(SampleStream(Place("sealed://claims/train", world.options), order=Order(shuffle=False)))
    assert seen[9:] == lines[: len(seen) - 9]  # only what stands in chunks that verify


def test_items_by_number(world):
    items = SampleItems(Place("sealed://claims/train", world.options))
    assert len(items) == 3
    assert items[1] == {"path": "claims/train/b.txt", "data": FILES["train/b.txt"]}
    assert items[-1]["path"] == "claims/train/c.txt"
    fixed = SampleItems(Place("sealed://claims/fixed.bin", world.options), Fixed(8))
    assert [fixed[number] for number in range(len(fixed))] == [bytes(range(at, at + 8)) for at in range(0, 200, 8)]
    with pytest.raises(IndexError):
        fixed[25]
    with pytest.raises(UsageError, match="by number"):
        SampleItems(items.place, "jsonl")
    with pytest.raises(MalformedInput):
        len(SampleItems(Place("sealed://claims/fixed.bin", world.options), Fixed(7)))
    with pytest.raises((NotFound, FileNotFoundError)):
        len(SampleItems(Place("sealed://claims/none", world.options)))


def test_decoding_is_part_of_reading(place):
    assert sorted(SampleStream(place, decode=bytes.decode)) == [line.decode() for line in EVERYTHING]


def test_workers_of_a_fork_and_of_a_fresh_process_read_the_same(tmp_path):
    for name, data in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    found = {}
    for method in ("fork", "spawn"):
        context = multiprocessing.get_context(method)
        found[method] = []
        for worker in range(2):
            stream = SampleStream(Place(f"file://{tmp_path}/train"), share=Share(worker=worker, workers=2))
            ours, theirs = context.Pipe()
            process = context.Process(target=send_all, args=(theirs, stream))
            process.start()
            theirs.close()
            found[method] += ours.recv()
            process.join()
    assert found["fork"] == found["spawn"]
    assert sorted(found["fork"]) == EVERYTHING
