"""Replace the key that wraps dataset keys: each dataset key is wrapped anew, then the old key is destroyed.

Each step is durable before the next, every dataset opens in between, and what was begun is finished by the next call:

kek.json       the key in use
kek.next.json  the new key, until every dataset key is wrapped by it too
kek.old.json   the old key, from then on until no dataset key is wrapped by it
kek.done.json  what was done, until that is stated
"""

import os
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ringfence.artifacts.blobs import JOURNAL, STAGING, DirectoryVault, directory_vault
from ringfence.artifacts.keyring import LOCATION, NEXT, OLD, FileKeyring, TokenKeyring, at, at_home, changing
from ringfence.artifacts.model import Custody, DamagedSeal, Rewrapped
from ringfence.artifacts.rewrapping import (
    KEY_FILE,
    is_wrapped_by,
    unfinished_with_new,
    unfinished_without_old,
    with_new,
    without_old,
)
from ringfence.kernel import digest
from ringfence.kernel.errors import MalformedInput, NotFound, Refused, Unavailable, VerificationFailed
from ringfence.storage import keyfile
from ringfence.storage.files import PRIVATE, explained, read_private, sync_directory, write_whole
from ringfence.storage.tokens import Token, read_place

DONE = "kek.done.json"
_SHOWN = 5  # damaged datasets that an error names
Step = Callable[[str, int, int], None]  # what was done, how much of it, of how much


@dataclass(frozen=True, slots=True)
class _Places:
    """Where everything lies, and how it is opened."""

    home: Path
    passphrase: bytes | None
    step: Step

    @property
    def used(self) -> Path:
        return self.home / LOCATION

    @property
    def next(self) -> Path:
        return self.home / NEXT

    @property
    def old(self) -> Path:
        return self.home / OLD

    @property
    def done(self) -> Path:
        return self.home / DONE

    def folders(self) -> list[Path]:
        """Return the folder of every sealed epoch, of every tenant."""
        return sorted(path.parent for path in (self.home / "datasets").glob(f"[0-9a-f]*/*/{KEY_FILE}"))

    def unfinished(self) -> list[Path]:
        """Return the folder of every seal that somebody may go on with."""
        found = (path.parent for path in (self.home / "datasets" / STAGING).glob(f"*/{JOURNAL}"))
        return sorted(path for path in found if not path.is_symlink())


def rekey(home: Path, passphrase: bytes | None, step: Step) -> Rewrapped:
    """Replace the key of a home, or finish that; who has stated what is returned calls `stated`.

    Raises:
        NotFound: there is no key yet.
        Unavailable: a dataset is being sealed.
        VerificationFailed: a dataset does not open, so that the old key is kept.
    """
    places = _Places(home, passphrase, step)
    with changing(home):
        if not places.done.exists():
            if places.next.exists() or not places.old.exists():
                _wrap_anew(places)
            _retire(places)
        places.old.unlink(missing_ok=True)
        sync_directory(home)
        return _read(places.done)


def stated(home: Path) -> None:
    """Forget what was done: it is stated."""
    (home / DONE).unlink(missing_ok=True)


def _wrap_anew(places: _Places) -> None:
    """Wrap every dataset key by a new key too, and use that one from then on."""
    with closing(at_home(places.home, places.passphrase)) as old, closing(_new(places)) as new:
        places.step("new key made", 1, 1)
        _each(places, "wrapped anew", places.folders(), partial(with_new, old=old, new=new))
        _each(places, "unfinished seals", places.unfinished(), partial(unfinished_with_new, old=old, new=new))
    with explained(places.used, "replace"):
        if not places.old.exists():
            os.link(places.used, places.old)
            sync_directory(places.home)
        places.step("old key set aside", 1, 1)
        places.next.replace(places.used)
        sync_directory(places.home)
    places.step("new key in use", 1, 1)


def _new(places: _Places) -> FileKeyring | TokenKeyring:
    """Make the new key where the old one is: in the same token, or under the same passphrase."""
    custody = keyfile.custody(places.used)
    if custody == keyfile.TOKEN:
        return TokenKeyring.make(places.next, beside=places.used)
    if places.next.exists():
        return at(places.next, places.passphrase)
    return FileKeyring.create(places.next, places.passphrase if custody == keyfile.PASSPHRASE else None)


def _retire(places: _Places) -> None:
    """Remove every wrapping by the old key, and destroy that."""
    with closing(at(places.old, places.passphrase)) as old, closing(at_home(places.home, places.passphrase)) as new:
        _each(places, "old wrapping removed", places.folders(), partial(without_old, old=old.kek, new=new))
        _each(places, "unfinished seals", places.unfinished(), partial(unfinished_without_old, old=old.kek, new=new))
    mine = [found for folder in places.folders() if (found := _look(folder, new.kek)) is not None]
    destroyed = _destroyed(places.old)
    places.step("old key destroyed", 1, 1)
    done = Rewrapped(old.kek, old.custody, new.kek, new.custody, sum(mine), len(mine) - sum(mine), destroyed)
    write_whole(places.done, digest.dumps(asdict(done)) + b"\n", mode=PRIVATE)
    places.step("noted", 1, 1)


def _look(folder: Path, kek: str) -> bool | None:
    with directory_vault(folder) as vault:
        return is_wrapped_by(vault, kek)


def _each(
    places: _Places, what: str, folders: Sequence[Path], change: Callable[[DirectoryVault], bytes | None]
) -> None:
    """Change the key file of every dataset; raise `VerificationFailed` where some cannot be, after all the others."""
    damaged = []
    for number, folder in enumerate(folders, 1):
        try:
            with directory_vault(folder) as vault:
                data = change(vault)
        except DamagedSeal as error:
            damaged.append(f"{folder.parent.name}/{folder.name} ({error})")
            continue
        if data is not None:
            _put(places.home / "datasets" / STAGING, folder, data)
        places.step(what, number, len(folders))
    if damaged:
        raise VerificationFailed(
            f"{len(damaged)} sealed datasets do not open, so that the old key is kept: {'; '.join(damaged[:_SHOWN])}. "
            "Put their files back from a backup, or move them away; then rotate again"
        )


def _put(staging: Path, folder: Path, data: bytes) -> None:
    """Replace a key file in one step; nothing else ever lies in the folder of a dataset."""
    with explained(staging, "make"):
        staging.mkdir(mode=0o700, exist_ok=True)
    write_whole(staging / KEY_FILE, data, mode=PRIVATE)
    with explained(folder, "write"):
        (staging / KEY_FILE).replace(folder / KEY_FILE)
        sync_directory(folder)


def _destroyed(old: Path) -> bool:
    """Destroy the old key in its token; return False where the token does not allow it. A file is removed later."""
    if keyfile.custody(old) != keyfile.TOKEN:
        return True
    try:
        Token(read_place(old)[0]).forget()
    except NotFound:
        return True  # before we were killed
    except (Refused, Unavailable):
        return False
    return True


def _read(path: Path) -> Rewrapped:
    document: Any = digest.loads(read_private(path), source=str(path))
    with suppress(KeyError, TypeError, ValueError):
        done = Rewrapped(**{name: kind(document[name]) for name, kind in _DONE.items()})
        if asdict(done) == document:
            return done
    raise MalformedInput("it does not say what was rotated", source=str(path))


_DONE: dict[str, Callable[[Any], Any]] = {
    "old": str,
    "old_custody": Custody,
    "new": str,
    "custody": Custody,
    "wrapped": int,
    "others": int,
    "destroyed": bool,
}
