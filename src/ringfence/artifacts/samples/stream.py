"""Read samples one after the other, or by number, from `sealed://` or any other place that fsspec knows.

What is read was verified chunk by chunk; a damaged chunk ends the reading with an error that names it, and nothing of
it is handed out. The position is plain data: a run that was stopped goes on with the next sample.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any, BinaryIO

import fsspec

from ringfence.artifacts.samples.formats import Fixed, Format, Whole, named
from ringfence.artifacts.samples.plan import Draws, Part, Share, shared
from ringfence.kernel.errors import NotFound, UsageError

WINDOW = 1024  # samples that are shuffled among themselves in memory

Decode = Callable[[Any], Any]


def as_it_is(record: Any) -> Any:
    """Return a record unchanged."""
    return record


@dataclass(slots=True)
class Place:
    """A folder or file behind a URL; each process opens it for itself, at its first use.

    A copy that travels to another process carries the URL and the options, never a key.
    """

    url: str
    options: Mapping[str, Any] = field(default_factory=dict)
    _opened: tuple[Any, str] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave out what is open."""
        return Place, (self.url, dict(self.options))

    def _root(self) -> tuple[Any, str]:
        if self._opened is None:
            self._opened = fsspec.core.url_to_fs(self.url, **self.options)
        return self._opened

    def files(self) -> list[tuple[str, int]]:
        """Return path and size of every file below, by path; raise `NotFound` where there is none."""
        filesystem, root = self._root()
        found = filesystem.find(root, detail=True)
        if not found:
            raise NotFound(f"there is no file below {self.url}")
        return sorted((path, entry["size"]) for path, entry in found.items())

    def identity(self, files: Sequence[tuple[str, int]]) -> str:
        """Return what tells these files from others: names and sizes, and of sealed ones what they hold, too."""
        filesystem, _ = self._root()
        sealed = filesystem.protocol == "sealed"
        named = ((self.name(path), size, filesystem.ukey(path) if sealed else "") for path, size in files)
        return hashlib.sha256("\n".join(map(repr, named)).encode()).hexdigest()

    def name(self, path: str) -> str:
        """Return how a file is called below the folder, wherever that lies and by whichever epoch it is named."""
        return path.removeprefix(self._root()[1])

    def open(self, path: str) -> BinaryIO:
        """Open one file for reading."""
        opened: BinaryIO = self._root()[0].open(path, "rb")
        return opened

    def close(self) -> None:
        """Forget what is open; a sealed place overwrites its key."""
        if self._opened is not None:
            getattr(self._opened[0], "close", lambda: None)()
            self._opened = None


@dataclass(frozen=True, slots=True)
class Position:
    """Where a reader stands: in which round, in which of its parts, in which window of that, behind how many of it."""

    turn: int = 0
    part: int = 0
    window: int = 0  # where the window starts, as the format counts
    given: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """What makes the order of samples; two readers with equal orders and shares give out the same."""

    seed: int = 0
    shuffle: bool = True
    window: int = WINDOW

    def __post_init__(self) -> None:
        """Refuse a window that holds nothing."""
        if self.window < 1:
            raise UsageError("a window holds at least one sample")


class SampleStream:
    """The samples of one reader, round after round; each iteration is a round, or the rest of one."""

    def __init__(
        self,
        place: Place,
        records: str | Format = "lines",
        order: Order | None = None,
        *,
        share: Share | None = None,
        decode: Decode = as_it_is,
    ) -> None:
        """Prepare; nothing is opened yet.

        Args:
            place: where the files are.
            records: `lines`, `jsonl`, `csv`, `tsv`, `parquet`, `files`, or a format with options of its own.
            order: seed, whether to shuffle, and how many samples at a time.
            share: which reader this is; all alone by default.
            decode: makes a sample of a record; runs in the process that reads.
        """
        self.place, self.format, self.order = place, named(records), order or Order()
        self.share, self._decode, self._position = share or Share(), decode, Position()
        self._data = ""  # what the position is a place in; empty before anything was read
        self._resumed = False  # whether the position was loaded and nothing was read since

    def set_epoch(self, turn: int) -> None:
        """Begin a round: its number decides the order together with the seed.

        A round that `load_state_dict` is in the middle of goes on, so that a loop over rounds needs no case for it.
        """
        if not (self._resumed and turn == self._position.turn):
            self._position, self._data = Position(turn), ""
        self._resumed = False

    def parts(self) -> list[Part]:
        """Return what this reader reads in this round."""
        return self._mine(self.place.files())

    def _mine(self, files: Sequence[tuple[str, int]]) -> list[Part]:
        cut = [part for path, size in files for part in self.format.parts(path, size, partial(self.place.open, path))]
        return shared(cut, self.share, seed=self.order.seed, turn=self._position.turn, shuffle=self.order.shuffle)

    def __iter__(self) -> Iterator[Any]:
        """Give the samples of this round that were not given yet; afterwards the next round is due.

        Raises:
            UsageError: the position was loaded, and the files are others than those that it is a place in.
        """
        files = self.place.files()
        found = self.place.identity(files)
        if self._data not in {"", found}:
            raise UsageError(
                "the state is of other files than these; name the epoch that it was read from: sealed://NAME@EPOCH"
            )
        self._data, self._resumed = found, False
        mine = self._mine(files)
        while self._position.part < len(mine):
            yield from self._part(mine[self._position.part])
            self._position = Position(self._position.turn, self._position.part + 1)
        self._position, self._data = Position(self._position.turn + 1), ""

    def _part(self, part: Part) -> Iterator[Any]:
        with closing(self.place.open(part.path)) as file:
            records = self.format.records(file, part, self._position.window)
            while window := list(islice(records, self.order.window)):
                skipped = self._position.given
                for number, (record, _) in enumerate(self._shuffled(window, part)):
                    if number >= skipped:
                        self._position = replace(self._position, given=number + 1)
                        yield self._decode(record)
                self._position = replace(self._position, window=window[-1][1], given=0)

    def _shuffled(self, window: list[tuple[Any, int]], part: Part) -> list[tuple[Any, int]]:
        if not self.order.shuffle:
            return window
        at = self._position
        name = self.place.name(part.path)
        return Draws(self.order.seed, "window", at.turn, name, part.start, at.window).permuted(window)

    def state_dict(self) -> dict[str, Any]:
        """Return where this reader stands, as plain data."""
        return asdict(self._position) | self._setting | {"data": self._data}

    @property
    def _setting(self) -> dict[str, Any]:
        """Return what a position has no meaning without."""
        known = repr(self.format) if hasattr(self.format, "__dataclass_fields__") else type(self.format).__qualname__
        return {"order": asdict(self.order), "share": asdict(self.share), "records": known}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another reader of the same share, order and format stood; raise `UsageError` for any other.

        Whether the files are still those is seen when the reading begins.
        """
        known = asdict(self._position)
        if any(state.get(name) != value for name, value in self._setting.items()):
            raise UsageError(
                "the state is of another seed, window, format, rank or number of workers; it names no place here"
            )
        if any(type(state.get(name)) is not int or state[name] < 0 for name in known):
            raise UsageError("the state does not say where the reader stood")
        if not isinstance(state.get("data"), str):
            raise UsageError("the state does not say in which files the reader stood")
        self._position = Position(**{name: state[name] for name in known})
        self._data, self._resumed = state["data"], True


class SampleItems:
    """Samples by number: whole files, or records of one size. The list is made once, at the first use."""

    def __init__(self, place: Place, records: str | Format = "files", *, decode: Decode = as_it_is) -> None:
        """Prepare; nothing is opened yet.

        Args:
            place: where the files are.
            records: `files`, or `Fixed(size)`: other formats have no number without being read.
            decode: makes a sample of a record.
        """
        self.place, self.format, self._decode = place, named(records), decode
        if not isinstance(self.format, Fixed | Whole):
            raise UsageError("only whole files and records of one size can be read by number; stream the others")
        self._files: list[tuple[str, int, int]] | None = None  # path, size, number of the first item

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave the list out: each process makes its own."""
        return partial(SampleItems, records=self.format, decode=self._decode), (self.place,)

    def _listed(self) -> list[tuple[str, int, int]]:
        if self._files is None:
            listed, first = [], 0
            for path, size in self.place.files():
                self.format.parts(path, size, partial(self.place.open, path))  # refuses what does not fit
                listed.append((path, size, first))
                first += self._count(size)
            self._files = listed
        return self._files

    def _count(self, size: int) -> int:
        return size // self.format.size if isinstance(self.format, Fixed) else 1

    def __len__(self) -> int:
        """Return how many samples there are."""
        _, size, first = self._listed()[-1]
        return first + self._count(size)

    def __getitem__(self, number: int) -> Any:
        """Return one sample; only the chunks that hold it are decrypted."""
        total = len(self)
        if not -total <= number < total:
            raise IndexError(f"there are {total} samples; number {number} is none of them")
        number %= total
        path, size, first = self._holding(number)
        start = (number - first) * self.format.size if isinstance(self.format, Fixed) else 0
        end = start + self.format.size if isinstance(self.format, Fixed) else size
        with closing(self.place.open(path)) as file:
            return self._decode(next(self.format.records(file, Part(path, start, end), 0))[0])

    def _holding(self, number: int) -> tuple[str, int, int]:
        files, low, high = self._listed(), 0, len(self._listed())
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if files[middle][2] <= number else (low, middle)
        return files[low]
