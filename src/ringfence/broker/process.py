"""The broker's process: close itself against neighbours, check one release, wrap one key, end."""

import argparse
import base64
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from ringfence.artifacts.blobs import Home as Vaults
from ringfence.artifacts.keyring import FileKeyring, TokenKeyring, at_home
from ringfence.artifacts.model import dataset_id
from ringfence.artifacts.opening import check, unlock
from ringfence.broker.checking import MAX_ORDER, Entitled, Order, entitled, parse_order
from ringfence.kernel import digest
from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import MalformedInput, NotFound, RingfenceError, Unavailable, VerificationFailed
from ringfence.keyrelease import wrapping
from ringfence.ledger import trust as trust_files
from ringfence.ledger.model import Trust
from ringfence.settings import Settings
from ringfence.signing.process import WallClock, harden
from ringfence.storage.files import read_bounded

TRUST = "trust.json"


def main(arguments: Sequence[str]) -> int:
    """Serve the one order on standard input; the line on standard output is the sealed key, or why there is none."""
    try:
        harden()
        sealed = wrapped(_home(arguments), _order(sys.stdin.buffer), WallClock())
    except RingfenceError as error:
        _say({"because": str(error), "kind": error.slug})
        return error.exit_code
    _say({"sealed": base64.b64encode(sealed).decode()})
    return 0


def _home(arguments: Sequence[str]) -> Path:
    parser = argparse.ArgumentParser(prog="ringfence.broker", description=__doc__)
    parser.add_argument("home", type=Path)
    return Path(parser.parse_args(arguments).home)


def wrapped(home: Path, order: Order, clock: Clock) -> bytes:
    """Return the key of a published release, wrapped for the node that it names; nothing else is ever unwrapped.

    Raises:
        VerificationFailed: the release is not published, or not what is asked for.
        DamagedSeal: the seal on disk is another one, or its key does not fit.
    """
    found = entitled(order, _trust(home), clock.now())
    key = _unlocked(home, found)
    try:
        return wrapping.seal(key, found.terms, order.node_key, order.secret)
    finally:
        key[:] = bytes(len(key))


def _unlocked(home: Path, found: Entitled) -> bytearray:
    terms = found.terms
    with Vaults(home).vault(dataset_id(terms.dataset), terms.epoch) as vault:
        seal = check(vault, found.seal, terms.epoch).seal
        if (seal.dataset, seal.epoch) != (terms.dataset, terms.epoch):
            raise VerificationFailed("the seal is of another dataset or epoch than the release")
        keyring = _keyring(home)
        try:
            return unlock(vault, seal, keyring)
        finally:
            keyring.close()


def _trust(home: Path) -> Trust:
    try:
        return trust_files.parse(read_bounded(home / TRUST, limit=trust_files.MAX_TRUST), source=TRUST)
    except NotFound as error:
        raise Unavailable(
            f"{home / TRUST} is missing: put this log's trust file there; the broker believes it alone"
        ) from error


def _keyring(home: Path) -> FileKeyring | TokenKeyring:
    settings = Settings.from_environment({**os.environ, "RINGFENCE_HOME": str(home)})
    return at_home(home, settings.passphrase())


def _order(stream: BinaryIO) -> Order:
    data = stream.read(MAX_ORDER + 1)
    if len(data) > MAX_ORDER:
        raise MalformedInput(f"an order has at most {MAX_ORDER} bytes")
    return parse_order(data)


def _say(line: dict[str, object]) -> None:
    sys.stdout.buffer.write(digest.dumps(line) + b"\n")
    sys.stdout.flush()
