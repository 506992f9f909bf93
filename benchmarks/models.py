"""Signing and verifying a model of 1 GiB beside one pass of hashlib and beside model-signing; and signing it again."""

import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from measurement import Row, timed

from ringfence.artifacts.models import keys
from ringfence.artifacts.models.blobs import model_folder, verified
from ringfence.artifacts.models.methods import Algorithm
from ringfence.artifacts.models.oms import Trust
from ringfence.artifacts.models.store import Stamping, check_model, sign_folder, sign_otherwise

SHARDS, SHARD, SMALL = 8, 128 * 2**20, 8
RUNS = 5
AGAIN = 20


def made(folder: Path) -> Path:
    """Write 1 GiB in shards, and some small files beside them; no holes, so that every byte is read."""
    folder.mkdir()
    for number in range(SHARDS):
        (folder / f"model-{number:05}.safetensors").write_bytes(os.urandom(SHARD))
    for number in range(SMALL):
        (folder / f"config-{number}.json").write_text('{"a": 1}' * 128)
    return folder


def one_pass(folder: Path) -> Callable[[], None]:
    """Hash every file with hashlib, one after the other: the limit of one core."""

    def run() -> None:
        for path in sorted(folder.iterdir()):
            if path.name != "model.sig":
                with path.open("rb") as file:
                    hashlib.file_digest(file, "sha256")

    return run


def theirs(folder: Path, key: keys.SigningKey, beside: Path) -> dict[str, Callable[[], object]]:
    """Return model-signing's sign and verify; nothing where it is not installed."""
    try:
        import model_signing
    except ImportError:
        return {}
    from cryptography.hazmat.primitives import serialization

    private, public, signature = beside / "key.pem", beside / "pub.pem", beside / "theirs.sig"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    private.write_bytes(key.key.private_bytes(*form))
    public.write_text(key.public.pem)
    ignoring = model_signing.hashing.Config().set_ignored_paths(paths=["model.sig"])
    signing = model_signing.signing.Config().use_elliptic_key_signer(private_key=private).set_hashing_config(ignoring)
    checking = model_signing.verifying.Config().use_elliptic_key_verifier(public_key=public)
    return {
        "model-signing sign": lambda: signing.sign(folder, signature),
        "model-signing verify": lambda: checking.verify(folder, signature),
    }


def ours(folder: Path, key: keys.SigningKey) -> dict[str, Callable[[], object]]:
    """Return our sign and verify."""

    def sign() -> None:
        with model_folder(folder) as opened:
            sign_folder(opened, folder, key)

    def verify() -> None:
        with verified(folder, [key.public]) as model:
            model.check()

    def sign_by_blake3() -> None:
        with model_folder(folder) as opened:
            sign_otherwise(opened, folder.with_name("blake3.sig"), key, Algorithm.BLAKE3)

    def verify_by_blake3() -> None:
        check_model(folder, Trust(keys=[key.public]), bundle=folder.with_name("blake3.sig").read_bytes())

    return {"sign": sign, "verify": verify, "sign by BLAKE3": sign_by_blake3, "verify by BLAKE3": verify_by_blake3}


def of_what_is_used(folder: Path, key: keys.SigningKey) -> list[float]:
    """Verify one small file of the signed gigabyte; return the milliseconds."""

    def run() -> None:
        check_model(folder, Trust(keys=[key.public]), only=["config-1.json"])

    return [timed(run) for _ in range(AGAIN)]


def again(folder: Path, key: keys.SigningKey, kept: Path) -> list[float]:
    """Change 1 KB, sign again; return the milliseconds."""
    stamping, spent = Stamping(kept), []
    for number in range(AGAIN + 1):
        (folder / "config-0.json").write_bytes(os.urandom(512).hex().encode())
        start = time.perf_counter()
        with model_folder(folder) as opened:
            sign_folder(opened, folder, key, stamping)
        spent.append((time.perf_counter() - start) * 1000)
        if number == 0:
            time.sleep(1.1)  # what was written within the last second is hashed again
    return spent[1:]


def measure() -> list[Row]:
    """Run everybody in turn, so that all of them see the same machine; CPU time, since two cores are shared."""
    with tempfile.TemporaryDirectory() as place:
        beside = Path(place)
        folder, key = made(beside / "model"), keys.from_scalar(keys.new_scalar(os.urandom(48)))
        running = {"one pass of hashlib": one_pass(folder), **ours(folder, key), **theirs(folder, key, beside)}
        times: dict[str, list[float]] = {name: [] for name in running}
        wall: dict[str, list[float]] = {name: [] for name in running}
        for _ in range(RUNS):
            for name, run in running.items():
                wall[name].append(timed(run))
                times[name].append(timed(run, clock=time.process_time))
        repeated = again(folder, key, beside / "stamps.json")
        used = of_what_is_used(folder, key)
    limit, least = "one pass of hashlib", 1 / 1.15
    note = f"{SHARDS * SHARD // 2**20} MiB in {SHARDS + SMALL} files, page cache; files are hashed in threads"
    rows = []
    for name in ("sign", "verify"):
        rows.append(
            Row(f"{name} 1 GiB", ">= 0.87", times[name], "ms CPU", limit, times[limit], least, note=note),
        )
        rows.append(Row(f"{name} 1 GiB, by the clock", "printed", wall[name], "ms", limit, wall[limit]))
        peer = f"model-signing {name}"
        if peer in times:
            rows.append(Row(f"{name} 1 GiB, beside", "printed", times[name], "ms CPU", peer, times[peer]))
    rows += [
        Row(f"{name}, 1 GiB", "printed", times[name], "ms CPU", limit, times[limit])
        for name in ("sign by BLAKE3", "verify by BLAKE3")
    ]
    rows.append(Row("verify one small file of 1 GiB", "printed", used, "ms"))
    return [*rows, Row("sign again after 1 KB changed", "< 100 ms", repeated, "ms", limit=100.0)]
