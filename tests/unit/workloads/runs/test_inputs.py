from contextlib import ExitStack

import pytest

from ringfence.artifacts.model import DamagedSeal, dataset_name
from ringfence.kernel.errors import Conflict, NotFound, Unavailable
from ringfence.testing.artifacts import MemoryFolder
from ringfence.testing.runs import CONTENTS, bench
from ringfence.workloads.runs import inputs, model


def order(*datasets):
    return model.order(["true"], datasets=list(datasets), seed=0, environment=[], code=[])


@pytest.fixture
def made():
    return bench()


def test_every_opening_is_recorded_and_the_keys_are_gone_at_the_end(made):
    given, held = made
    with ExitStack() as stack:
        [opened] = inputs.open_all(given.sources, order("claims@1"), stack)
        key = opened.content.key
        assert any(key)
        folder = MemoryFolder()
        inputs.write((opened,), folder)
    assert held.recorded == ["claims run"]
    assert folder.files == {f"claims/{name}": data for name, data in CONTENTS.items()}
    assert not any(key)
    assert (opened.input.name, opened.input.epoch, opened.input.seal) == (dataset_name("claims"), 1, held.sealed.digest)


def test_nothing_is_recorded_where_one_is_unknown(made):
    given, held = made
    for wanted, error in ((("claims", "other"), NotFound), (("claims@2",), Conflict)):
        with ExitStack() as stack, pytest.raises(error):
            inputs.open_all(given.sources, order(*wanted), stack)
    assert held.recorded == []


def test_without_a_recorded_opening_no_key_is_used(made):
    given, held = made
    held.unpublished = True
    with ExitStack() as stack, pytest.raises(Unavailable):
        inputs.open_all(given.sources, order("claims"), stack)


def test_a_memory_that_is_too_small_is_said_as_such(made):
    given, _ = made
    with ExitStack() as stack:
        opened = inputs.open_all(given.sources, order("claims"), stack)
        with pytest.raises(Unavailable, match="does not fit into memory"):
            inputs.write(opened, MemoryFolder(room=100))


def test_streams_give_the_same_bytes(made):
    given, _ = made
    with ExitStack() as stack:
        opened = inputs.open_all(given.sources, order("claims"), stack)
        found = {name: b"".join(pieces) for name, _, _, pieces in inputs.streams(opened)}
    assert found == {f"inputs/claims/{name}": data for name, data in CONTENTS.items()}


def test_a_damaged_chunk_ends_the_stream(made):
    given, held = made
    files = held.sealed.vault.files
    big = max((name for name in files if name.startswith("objects/")), key=lambda name: len(files[name]))
    data = bytearray(files[big])
    data[-20] ^= 1
    files[big] = bytes(data)
    with ExitStack() as stack:
        opened = inputs.open_all(given.sources, order("claims"), stack)
        with pytest.raises(DamagedSeal):
            b"".join(piece for _, _, _, pieces in inputs.streams(opened) for piece in pieces)
