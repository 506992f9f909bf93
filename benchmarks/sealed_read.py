"""Sealed read path beside bare AES-GCM, Tink and Fernet, on the same bytes, in one run."""

import base64
import hashlib
import io
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from measurement import Row

from ringfence.artifacts.blobs import Home, PlainFolder
from ringfence.artifacts.keyring import FileKeyring
from ringfence.artifacts.model import DatasetId, ReadMode
from ringfence.artifacts.opening import open_dataset
from ringfence.artifacts.seal import print_seal
from ringfence.artifacts.sealing import NewSeal, seal_tree
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import Tenant

CHUNK = 2**20
SIZE = 128 * 2**20
RUNS = 15


def bare(data: bytes) -> Callable[[], int]:
    """Decrypt the same chunks from memory into one buffer: the limit."""
    aead, aad, out = AESGCM(bytes(32)), bytes(133), bytearray(CHUNK)
    parts = [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)]
    sealed = [aead.encrypt(number.to_bytes(12, "big"), part, aad) for number, part in enumerate(parts)]

    def run() -> int:
        total = 0
        for number, part in enumerate(sealed):
            total += aead.decrypt_into(number.to_bytes(12, "big"), part, aad, memoryview(out)[: len(part) - 16])
        return total

    return run


def ours(stack: ExitStack, folder: Path, mode: ReadMode) -> Callable[[], int]:
    """Read a sealed file from the page cache, chunk by chunk."""
    home, keyring, dataset = Home(folder), FileKeyring(bytes(32), "external"), DatasetId(os.urandom(16).hex())
    with home.staging(Tenant("bench"), {}) as staged:
        seal = seal_tree(PlainFolder(folder / "plain"), staged, NewSeal(dataset, 1, CHUNK), keyring, os.urandom)
        staged.publish(dataset, 1)
        staged.settle(None)
    vault = stack.enter_context(home.vault(dataset, 1))
    opened = stack.enter_context(open_dataset(vault, Digest.of(print_seal(seal)), 1, keyring))

    def run() -> int:
        with opened.reader("plain", mode) as reader:
            return sum(len(part) for part in reader.chunks())

    return run


def tink_stream(folder: Path, data: bytes) -> Callable[[], int] | None:
    """Decrypt Tink's streaming AEAD from a file in the page cache, as ours is; None where it is not installed."""
    try:
        import tink
        from tink import streaming_aead
    except ImportError:
        return None
    streaming_aead.register()
    handle = tink.new_keyset_handle(streaming_aead.streaming_aead_key_templates.AES256_GCM_HKDF_1MB)
    primitive = handle.primitive(streaming_aead.StreamingAead)
    kept = io.BytesIO()
    kept.close = lambda: None  # type: ignore[method-assign]  # Tink closes what it wrote to
    with primitive.new_encrypting_stream(kept, b"aad") as writer:
        writer.write(data)
    sealed = folder / "tink"
    sealed.write_bytes(kept.getvalue())

    def run() -> int:
        total = 0
        with primitive.new_decrypting_stream(sealed.open("rb"), b"aad") as reader:
            while part := reader.read(CHUNK):
                total += len(part)
        return total

    return run


def fernet(data: bytes) -> Callable[[], int]:
    """Decrypt Fernet tokens of 1 MiB each: what LitData does."""
    cipher = Fernet(base64.urlsafe_b64encode(bytes(32)))
    tokens = [cipher.encrypt(data[at : at + CHUNK]) for at in range(0, len(data), CHUNK)]
    return lambda: sum(len(cipher.decrypt(token)) for token in tokens)


def hashing(folder: Path) -> Callable[[], int]:
    """Read the plain file into one buffer and hash it chunk by chunk: what `audit` cannot do without."""
    buffer = memoryview(bytearray(CHUNK))

    def run() -> int:
        total = 0
        with (folder / "plain").open("rb", buffering=0) as file:
            while count := file.readinto(buffer):
                hashlib.sha256(buffer[:count]).digest()
                total += count
        return total

    return run


def contestants(stack: ExitStack, folder: Path, data: bytes) -> dict[str, Callable[[], int]]:
    """Return everything that reads the same bytes."""
    tink = tink_stream(folder, data)
    return {
        "tag": ours(stack, folder, ReadMode.TAG),
        "audit": ours(stack, folder, ReadMode.AUDIT),
        "bare AES-GCM decrypt_into": bare(data),
        "SHA-256 of the file": hashing(folder),
        "Fernet, 1 MiB": fernet(data),
    } | ({"Tink AES256_GCM_HKDF_1MB": tink} if tink else {})


def cpu(run: Callable[[], int], size: int) -> float:
    """Return the CPU milliseconds of one run that reads all of `size` bytes."""
    start = time.process_time()
    done = run()
    spent = (time.process_time() - start) * 1000
    assert done == size
    return spent


def measure() -> list[Row]:
    """Run everybody in turn, so that all of them see the same machine."""
    data = os.urandom(SIZE)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "plain").write_bytes(data)
        running = contestants(stack, folder, data)
        times: dict[str, list[float]] = {name: [] for name in running}
        for _ in range(RUNS):
            for name, run in running.items():
                times[name].append(cpu(run, len(data)))
    note = f"{SIZE // 2**20} MiB in chunks of 1 MiB, file in the page cache"
    targets = {"bare AES-GCM decrypt_into": 0.6, "Tink AES256_GCM_HKDF_1MB": 2.0, "Fernet, 1 MiB": 10.0}
    rows = [
        Row(f"sealed read, tag mode, beside {index}", f">= {least}", times["tag"], "ms CPU", peer, times[peer], least)
        for (peer, least), index in zip(targets.items(), ("its limit", "Tink", "Fernet"), strict=True)
        if peer in times
    ]
    audit = times["audit"]
    for peer, least in (("bare AES-GCM decrypt_into", None), ("SHA-256 of the file", 0.85)):
        target = "printed" if least is None else f">= {least}"
        what = f"sealed read, audit mode, beside {peer}"
        rows.append(Row(what, target, audit, "ms CPU", peer, times[peer], least, note=note))
    return rows
