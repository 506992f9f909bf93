"""Wrap a dataset's key by another key-encryption key: first beside the old wrapping, later without it. Pure.

The seal, which signed statements name, does not change; nor does the dataset key.
"""

from ringfence.artifacts.journal import MAX_LINE, parse_journal
from ringfence.artifacts.model import DamagedSeal, Failure, Seal, Wrapping
from ringfence.artifacts.opening import unlock
from ringfence.artifacts.ports import Keyring, Vault
from ringfence.artifacts.seal import (
    KEY_FILE,
    MAX_KEY_FILE,
    MAX_SEAL,
    MAX_WRAPPINGS,
    KeyFile,
    parse_key_file,
    parse_seal,
    print_key_file,
    read_key_file,
)
from ringfence.kernel.errors import MalformedInput, NotFound, Refused, UsageError, VerificationFailed

__all__ = ["KEY_FILE", "is_wrapped_by", "unfinished_with_new", "unfinished_without_old", "with_new", "without_old"]


def with_new(vault: Vault, old: Keyring, new: Keyring) -> bytes | None:
    """Return the key file with one more wrapping, by the new key; None where there is nothing to do.

    Raises:
        DamagedSeal: the old key does not open it, so that nobody can wrap it anew.
        Refused: it has as many wrappings as the format allows.
    """
    seal, wrappings = _read(vault)
    known = {wrapping.kek for wrapping in wrappings}
    if new.kek in known or old.kek not in known:
        return None
    if len(wrappings) == MAX_WRAPPINGS:
        raise Refused(f"the key of dataset {seal.dataset} has {MAX_WRAPPINGS} wrappings; remove one that nobody needs")
    key = unlock(vault, seal, old)
    try:
        return print_key_file(seal, [*wrappings, Wrapping(new.kek, new.wrap(key))])
    finally:
        key[:] = bytes(len(key))


def without_old(vault: Vault, old: str, new: Keyring) -> bytes | None:
    """Return the key file without the old key's wrapping, once the new key has opened it; None where it has none."""
    seal, wrappings = _read(vault)
    kept = [wrapping for wrapping in wrappings if wrapping.kek != old]
    if len(kept) == len(wrappings):
        return None
    key = unlock(vault, seal, new)
    key[:] = bytes(len(key))
    return print_key_file(seal, kept)


def unfinished_with_new(vault: Vault, old: Keyring, new: Keyring) -> bytes | None:
    """Do the same for an unfinished seal, which has a journal instead of a seal file; None where it is of no use."""
    found = _unfinished(vault)
    if found is None or new.kek in {one.kek for one in found.wrappings} or len(found.wrappings) == MAX_WRAPPINGS:
        return None
    key = _opened(vault, found, old)
    if key is None:
        return None
    try:
        return print_key_file(found, [*found.wrappings, Wrapping(new.kek, new.wrap(key))])
    finally:
        key[:] = bytes(len(key))


def unfinished_without_old(vault: Vault, old: str, new: Keyring) -> bytes | None:
    """Return its key file without the old key's wrapping, once the new key has opened it; None where it has none."""
    found = _unfinished(vault)
    if found is None or found.by(old) is None:
        return None
    key = _opened(vault, found, new)
    if key is None:
        return None
    key[:] = bytes(len(key))
    return print_key_file(found, [one for one in found.wrappings if one.kek != old])


def _unfinished(vault: Vault) -> KeyFile | None:
    try:
        return read_key_file(vault.read(KEY_FILE, MAX_KEY_FILE))
    except UsageError:
        return None  # the next seal removes it, and says so


def _opened(vault: Vault, found: KeyFile, keyring: Keyring) -> bytearray | None:
    """Return its key if that opens the first line of its journal: nothing else tells that it is the right one."""
    wrapped = found.by(keyring.kek)
    if wrapped is None:
        return None
    head = bytearray(2 * MAX_LINE)
    try:
        with vault.open("journal") as source:
            size = source.read_into(memoryview(head), 0)
        key = keyring.unwrap(wrapped)
    except (NotFound, VerificationFailed):
        return None
    try:
        order = parse_journal(bytes(head[:size]), key).order
    except MalformedInput:
        order = None
    if order is not None and (order.dataset, order.epoch) == (found.dataset, found.epoch):
        return key
    key[:] = bytes(len(key))
    return None


def is_wrapped_by(vault: Vault, kek: str) -> bool | None:
    """Return whether a key has wrapped this dataset's key; None where that was erased."""
    wrappings = _read(vault)[1]
    return any(wrapping.kek == kek for wrapping in wrappings) if wrappings else None


def _read(vault: Vault) -> tuple[Seal, tuple[Wrapping, ...]]:
    try:
        seal = parse_seal(vault.read("seal.json", MAX_SEAL))
        return seal, parse_key_file(vault.read(KEY_FILE, MAX_KEY_FILE), seal)
    except (MalformedInput, UsageError) as error:
        raise DamagedSeal(Failure(KEY_FILE, str(error))) from error
