"""Write the vectors of the sealed dataset format: fixed bytes, made without randomness.

Usage: python docs/specs/vectors/sealed/make.py
"""

import json
from pathlib import Path

from ringfence.artifacts.journal import Order, print_finished, print_order
from ringfence.artifacts.large import Binding
from ringfence.artifacts.model import DatasetId, DatasetName, Finished, Identity, NewSeal, ObjectId
from ringfence.artifacts.opening import open_dataset
from ringfence.artifacts.seal import print_key_file
from ringfence.artifacts.sealing import seal_tree
from ringfence.kernel.digest import Digest
from ringfence.testing.artifacts import Counting, MemoryFolder, MemoryKeyring, MemoryTree, MemoryVault

HERE = Path(__file__).parent
CONTENTS = {"a/exact.bin": bytes(range(256)) * 256, "b.txt": b"sealed\n", "empty": b"", "two.bin": b"\xa5" * 65537}
SEED = b"ringfence vectors"
NEW = NewSeal(DatasetId("00112233445566778899aabbccddeeff"), 7, 65536)


def journal_of(folder: MemoryFolder, key: bytes) -> bytes:
    """Return the journal of a seal that was cut off after two files, and in the middle of a line."""
    salts = Counting(SEED + b" journal")
    vault = MemoryVault(folder.files)
    keyring = MemoryKeyring("vectors")
    keyring.wrap(key)
    digest = Digest.of(folder.files["seal.json"])
    lines = [print_order(key, Order(DatasetName("vectors"), NEW.dataset, NEW.epoch, NEW.chunk_size), salts(32))]
    with open_dataset(vault, digest, NEW.epoch, keyring) as opened:
        for number, entry in enumerate(opened.manifest.files[:3]):
            identity = Identity(1, number, entry.size, 1_800_000_000_000_000_000 + number, -1)
            done = Finished(entry, opened.checked.records[entry.object], identity)
            lines.append(print_finished(key, done, salts(32)))
    return b"".join(lines)[:-1]


def large_file(key: bytes) -> dict[str, str | int]:
    """Return how the object of a large file is bound to its content: its name while it is written, and its salt."""
    path, data, identifier = "deep/two.bin", CONTENTS["two.bin"], ObjectId("0123456789abcdef0123456789abcdef")
    binding = Binding(key, NEW)
    salt = binding.salt(identifier, path, len(data), Digest.of(data))
    return {"path": path, "object": identifier, "content": "two.bin", "name": binding.name(path), "salt": salt.hex()}


def main() -> None:
    """Seal and write."""
    folder = MemoryFolder()
    new = NEW
    seal_tree(MemoryTree(CONTENTS), folder, new, MemoryKeyring("vectors"), Counting(SEED))
    for name, data in folder.files.items():
        path = HERE / "dataset" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    erased = HERE / "erased"
    erased.mkdir(exist_ok=True)
    (erased / "key.json").write_bytes(print_key_file(new, []))
    (HERE / "journal").write_bytes(journal_of(folder, Counting(SEED)(32)))
    document = {
        "datasetKey": Counting(SEED)(32).hex(),
        "files": {name: data.hex() if len(data) < 100 else f"{len(data)} bytes" for name, data in CONTENTS.items()},
        "largeFile": large_file(Counting(SEED)(32)),
        "note": "key.json holds a made-up wrapping: use datasetKey. Other plaintexts are in make.py.",
    }
    (HERE / "vector.json").write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
