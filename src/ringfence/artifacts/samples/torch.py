"""The same samples as PyTorch's two kinds of dataset. Needs torch, which nothing else of Ringfence uses."""

from collections.abc import Iterator, Mapping
from typing import Any

from ringfence.artifacts.samples.formats import Format
from ringfence.artifacts.samples.plan import Share
from ringfence.artifacts.samples.stream import Decode, Order, Place, SampleItems, SampleStream, as_it_is
from ringfence.kernel.errors import Unavailable

try:
    from torch import distributed
    from torch.utils.data import Dataset, IterableDataset, get_worker_info
except ImportError as problem:  # pragma: no cover - where torch is not
    raise Unavailable(f"PyTorch datasets need torch: pip install 'ringfence[torch]' ({problem})") from problem


def this_share() -> Share:
    """Return which reader this process is, as torch has it: the worker of a data loader, the rank of a group."""
    group = distributed.is_available() and distributed.is_initialized()
    rank, ranks = (distributed.get_rank(), distributed.get_world_size()) if group else (0, 1)
    worker = get_worker_info()
    return Share(rank, ranks, worker.id, worker.num_workers) if worker else Share(rank, ranks)


class SealedStream(IterableDataset[Any]):  # type: ignore[misc]  # torch is not there where types are checked
    """Samples one after the other, each given to exactly one worker of one rank.

    `DataLoader(SealedStream("sealed://claims/train", "jsonl"), batch_size=None, num_workers=2)`; with shuffling inside,
    leave the loader's own off. Call `set_epoch` before each round, as with torch's own samplers.
    """

    def __init__(
        self,
        url: str,
        records: str | Format = "lines",
        order: Order | None = None,
        *,
        decode: Decode = as_it_is,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            url: `sealed://NAME/folder`, or any other place that fsspec knows.
            records: as in `SampleStream`.
            order: seed, whether to shuffle, and how many samples at a time.
            decode: makes a sample of a record; it travels to the workers, so it must be a function of a module.
            options: of the file system: `purpose_code`, `mode`, `home`.
        """
        super().__init__()
        self._stream = SampleStream(Place(url, dict(options or {})), records, order, decode=decode)

    def set_epoch(self, turn: int) -> None:
        """Begin a round in this process and in workers that are started from now on."""
        self._stream.set_epoch(turn)

    def __iter__(self) -> Iterator[Any]:
        """Give what this worker is to read."""
        self._stream.share = this_share()
        return iter(self._stream)

    def state_dict(self) -> dict[str, Any]:
        """Return where this worker stands: for torchdata's `StatefulDataLoader`."""
        return self._stream.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where a worker of the same number stood."""
        self._stream.share = this_share()
        self._stream.load_state_dict(state)


class SealedItems(Dataset[Any]):  # type: ignore[misc]  # the same
    """Samples by number, for torch's own samplers: whole files, or records of one size."""

    def __init__(
        self,
        url: str,
        records: str | Format = "files",
        *,
        decode: Decode = as_it_is,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """Prepare; nothing is opened yet. Arguments as in `SealedStream`."""
        super().__init__()
        self._items = SampleItems(Place(url, dict(options or {})), records, decode=decode)

    def __len__(self) -> int:
        """Return how many samples there are."""
        return len(self._items)

    def __getitem__(self, number: int) -> Any:
        """Return one sample."""
        return self._items[number]
