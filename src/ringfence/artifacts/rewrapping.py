"""Wrap a dataset's key by another key-encryption key: first beside the old wrapping, later without it. Pure.

The seal, which signed statements name, does not change; nor does the dataset key.
"""

from ringfence.artifacts.model import DamagedSeal, Failure, Seal, Wrapping
from ringfence.artifacts.opening import unlock
from ringfence.artifacts.ports import Keyring, Vault
from ringfence.artifacts.seal import MAX_KEY_FILE, MAX_SEAL, MAX_WRAPPINGS, parse_key_file, parse_seal, print_key_file
from ringfence.kernel.errors import MalformedInput, Refused, UsageError

KEY_FILE = "key.json"


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


def is_wrapped_by(vault: Vault, kek: str) -> bool:
    """Return whether a key has wrapped this dataset's key."""
    return any(wrapping.kek == kek for wrapping in _read(vault)[1])


def _read(vault: Vault) -> tuple[Seal, tuple[Wrapping, ...]]:
    try:
        seal = parse_seal(vault.read("seal.json", MAX_SEAL))
        return seal, parse_key_file(vault.read(KEY_FILE, MAX_KEY_FILE), seal)
    except (MalformedInput, UsageError) as error:
        raise DamagedSeal(Failure(KEY_FILE, str(error))) from error
