"""Sealed read path beside bare AES-GCM, Tink and Fernet, on the same bytes, in one run.

Usage: python benchmarks/sealed_read.py [--json] [-n RUNS] [--mib SIZE]. CPU time of this process, file in the page
cache. Ratios are what counts on a shared machine; nothing is asserted.
"""

import argparse
import base64
import io
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ringfence.artifacts.blobs import Home, PlainFolder
from ringfence.artifacts.keyring import FileKeyring
from ringfence.artifacts.model import DatasetId, ReadMode
from ringfence.artifacts.opening import open_dataset
from ringfence.artifacts.seal import print_seal
from ringfence.artifacts.sealing import NewSeal, seal_tree
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import Tenant

CHUNK = 2**20


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


def tink_stream(data: bytes) -> Callable[[], int] | None:
    """Decrypt Tink's streaming AEAD; None where it is not installed."""
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
    sealed = kept.getvalue()

    def run() -> int:
        total = 0
        with primitive.new_decrypting_stream(io.BytesIO(sealed), b"aad") as reader:
            while part := reader.read(CHUNK):
                total += len(part)
        return total

    return run


def fernet(data: bytes) -> Callable[[], int]:
    """Decrypt Fernet tokens of 1 MiB each: what LitData does."""
    cipher = Fernet(base64.urlsafe_b64encode(bytes(32)))
    tokens = [cipher.encrypt(data[at : at + CHUNK]) for at in range(0, len(data), CHUNK)]
    return lambda: sum(len(cipher.decrypt(token)) for token in tokens)


def measured(run: Callable[[], int], runs: int, size: int) -> dict[str, float | int]:
    """Return CPU seconds of each run as n, p50, p95, max, and GB per CPU-second at p50 and at best."""
    times = []
    for _ in range(runs):
        start = time.process_time()
        done = run()
        times.append(time.process_time() - start)
        assert done == size
    times.sort()
    middle = statistics.median(times)
    return {
        "n": runs,
        "p50_ms": round(middle * 1000, 2),
        "p95_ms": round(times[min(runs - 1, int(0.95 * runs))] * 1000, 2),
        "max_ms": round(times[-1] * 1000, 2),
        "gb_per_cpu_s": round(size / middle / 1e9, 2),
        "best_gb_per_cpu_s": round(size / times[0] / 1e9, 2),
    }


def candidates(stack: ExitStack, folder: Path, data: bytes) -> Iterator[tuple[str, Callable[[], int] | None]]:
    """Give every contestant."""
    yield "bare decrypt_into", bare(data)
    yield "sealed, tag", ours(stack, folder, ReadMode.TAG)
    yield "sealed, audit", ours(stack, folder, ReadMode.AUDIT)
    yield "tink AES256_GCM_HKDF_1MB", tink_stream(data)
    yield "fernet 1 MiB", fernet(data)


def measure(runs: int, mib: int) -> dict[str, object]:
    """Run everything."""
    data = os.urandom(mib * 2**20)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "plain").write_bytes(data)
        found = {
            name: measured(run, runs, len(data)) for name, run in candidates(stack, folder, data) if run is not None
        }
    tag = float(found["sealed, tag"]["gb_per_cpu_s"])
    ratios = {name: round(tag / float(row["gb_per_cpu_s"]), 2) for name, row in found.items() if name != "sealed, tag"}
    return {"mib": mib, "chunk": CHUNK, "results": found, "tag_to": ratios}


def main() -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("-n", type=int, default=15, help="runs of each")
    parser.add_argument("--mib", type=int, default=128)
    options = parser.parse_args()
    document = measure(options.n, options.mib)
    if options.json:
        print(json.dumps(document, indent=2))
        return
    print(f"{options.mib} MiB, chunks of 1 MiB, CPU time")
    for name, row in document["results"].items():
        print(f"{name:26}" + "  ".join(f"{key} {value}" for key, value in row.items()))
    for name, ratio in document["tag_to"].items():
        print(f"sealed, tag / {name}: {ratio}")


if __name__ == "__main__":
    main()
