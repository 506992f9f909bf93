"""The two PyTorch datasets, with a real DataLoader; the rest of their logic is tested without torch."""

import pytest

data = pytest.importorskip("torch.utils.data", reason="torch is not installed; it is larger than all else together")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("torch")
    for name in "abcd":
        (made / name).write_bytes(b"".join(b"%s%02d\n" % (name.encode(), number) for number in range(25)))
    return f"file://{made}"


EVERYTHING = sorted(f"{name}{number:02}".encode() for name in "abcd" for number in range(25))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_gives_every_sample_once(folder, workers):
    from ringfence.artifacts.samples.stream import Order
    from ringfence.artifacts.samples.torch import SealedStream

    stream = SealedStream(folder, "lines", Order(seed=1, window=10))
    context = "spawn" if workers else None
    loader = data.DataLoader(stream, batch_size=None, num_workers=workers, multiprocessing_context=context)
    assert sorted(loader) == EVERYTHING


def test_items_go_with_the_loaders_own_samplers(folder):
    from ringfence.artifacts.samples.formats import Fixed
    from ringfence.artifacts.samples.torch import SealedItems

    loader = data.DataLoader(SealedItems(folder, Fixed(4)), batch_size=10, shuffle=True, collate_fn=list)
    assert sorted(record for batch in loader for record in batch) == [sample + b"\n" for sample in EVERYTHING]


def test_a_state_goes_on(folder):
    from ringfence.artifacts.samples.torch import SealedStream

    one, other = SealedStream(folder), SealedStream(folder)
    running = iter(one)
    before = [next(running) for _ in range(37)]
    other.load_state_dict(one.state_dict())
    assert sorted(before + list(other)) == EVERYTHING
