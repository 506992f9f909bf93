"""Destroy the wrappings of an erased epoch's key on this machine, so that whoever is killed in it goes on.

`erasing/<dataset>-<epoch>.json` in the home lists what is destroyed before anything is, and stays until that is stated.
It lies beside the keys and not where datasets are stored: nothing else tells what was destroyed, and it is stated.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ringfence.artifacts.blobs import STAGING
from ringfence.artifacts.model import Destroyed, Sealed, object_id
from ringfence.artifacts.plain import FOLDER, holding, opened, translated
from ringfence.artifacts.seal import KEY_FILE, MAX_KEY_FILE, print_key_file, read_key_file
from ringfence.artifacts.statements import MAX_DESTROYED
from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, NotFound, UsageError
from ringfence.storage.files import PRIVATE, explained, read_bounded, read_private, sync_directory, write_whole
from ringfence.storage.turns import replacing, using

ERASING = "erasing"
_BUSY = "the key that wraps dataset keys is being replaced; try again when that has ended"


class HomeWrappings:
    """The wrapped keys below one home directory."""

    def __init__(self, home: Path) -> None:
        self._root, self._lists = home / "datasets", home / ERASING

    def destroy(self, sealed: Sealed) -> Sequence[Destroyed]:
        """Overwrite and remove every wrapping of an epoch's key; called again, finish and return the same.

        Nobody wraps it anew meanwhile: a rotation of the key-encryption key waits.
        """
        with using(self._root, _BUSY), self._alone():
            gone = self._noted(sealed)
            places = list(self._places(sealed))
            gone += [one for _, found in places for one in found]
            gone = list(dict.fromkeys(gone))[:MAX_DESTROYED]  # copies of a copy count once
            if places:
                self._note(sealed, gone)
            for path, _ in places:
                self._overwrite(path)
            self._say_erased(sealed)
            return gone

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep out whoever else erases in this home: two would miss each other's half of the list."""
        with explained(self._lists, "make"):
            self._lists.mkdir(mode=0o700, exist_ok=True)
        with replacing(self._lists, "another program is erasing in this home; try again when it has ended"):
            yield

    def forget(self, sealed: Sealed) -> None:
        """Forget what was destroyed."""
        self._list(sealed).unlink(missing_ok=True)

    def _list(self, sealed: Sealed) -> Path:
        return self._lists / f"{sealed.dataset}-{sealed.epoch}.json"

    def _noted(self, sealed: Sealed) -> list[Destroyed]:
        try:
            document: Any = digest.loads(read_private(self._list(sealed)), source=str(self._list(sealed)))
        except NotFound:
            return []
        match document:
            case [*values]:
                return list(map(_destroyed, values))
            case _:
                raise MalformedInput("it does not list wrappings", source=str(self._list(sealed)))

    def _note(self, sealed: Sealed, gone: Sequence[Destroyed]) -> None:
        path = self._list(sealed)
        values = [{"place": one.place, "kek": one.kek, "digest": one.digest.hex} for one in gone]
        write_whole(path, digest.dumps(values), mode=PRIVATE)

    def _places(self, sealed: Sealed) -> Iterator[tuple[Path, list[Destroyed]]]:
        """Give each file with wrappings of this epoch's key, or with what an overwriting left of them."""
        own = self._root / sealed.dataset / str(sealed.epoch) / KEY_FILE
        staging = self._root / STAGING
        torn = set(staging.glob(f".{KEY_FILE}.*"))  # a rotation that was killed while it wrote; none is at work now
        for path in (own, staging / KEY_FILE, *staging.glob(f"*/{KEY_FILE}"), *sorted(torn)):
            try:
                found = read_key_file(read_bounded(path, limit=MAX_KEY_FILE))
            except NotFound:
                continue
            except UsageError:
                if path == own or path in torn:  # whatever it holds, it goes
                    yield path, []
                continue
            if (found.dataset, found.epoch) == (sealed.dataset, sealed.epoch) and found.wrappings:
                place = KEY_FILE if path == own else "staging"
                yield path, [Destroyed(place, one.kek, Digest.of(one.wrapped)) for one in found.wrappings]

    def _overwrite(self, path: Path) -> None:
        """Write zeros over a file in its place, flush them, and remove it."""
        with (
            opened(str(self._root), FOLDER) as root,
            holding(str(path.relative_to(self._root)), root) as (folder, name),
            translated(path),
        ):
            with opened(name, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, folder) as descriptor:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    raise UsageError(f"{path} is not a regular file")
                os.pwrite(descriptor, bytes(status.st_size), 0)
                os.fsync(descriptor)
            os.unlink(name, dir_fd=folder)
            os.fsync(folder)

    def _say_erased(self, sealed: Sealed) -> None:
        """Put a key file without wrappings in the place of the one that is gone."""
        folder = self._root / sealed.dataset / str(sealed.epoch)
        with suppress(UsageError):
            if not read_key_file(read_bounded(folder / KEY_FILE, limit=MAX_KEY_FILE)).wrappings:
                return
        staging = self._root / STAGING / f"{sealed.dataset}-{sealed.epoch}.erased"
        with explained(staging.parent, "make"):
            staging.parent.mkdir(mode=0o700, exist_ok=True)
        write_whole(staging, print_key_file(sealed, []), mode=PRIVATE)
        with explained(folder, "write"):
            staging.replace(folder / KEY_FILE)
            sync_directory(folder)


def _destroyed(value: Any) -> Destroyed:
    match value:
        case {"place": "key.json" | "staging" as place, "kek": str() as kek, "digest": str() as text}:
            return Destroyed(place, object_id(kek), Digest.parse(text))
        case _:
            raise MalformedInput("it does not list wrappings")
