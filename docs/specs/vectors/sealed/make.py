"""Write the vectors of the sealed dataset format: fixed bytes, made without randomness.

Usage: python docs/specs/vectors/sealed/make.py
"""

import json
from pathlib import Path

from ringfence.artifacts.model import DatasetId
from ringfence.artifacts.sealing import NewSeal, seal_tree
from ringfence.testing.artifacts import Counting, MemoryFolder, MemoryKeyring, MemoryTree

HERE = Path(__file__).parent
CONTENTS = {"a/exact.bin": bytes(range(256)) * 256, "b.txt": b"sealed\n", "empty": b"", "two.bin": b"\xa5" * 65537}
SEED = b"ringfence vectors"


def main() -> None:
    """Seal and write."""
    folder = MemoryFolder()
    new = NewSeal(DatasetId("00112233445566778899aabbccddeeff"), 7, 65536)
    seal_tree(MemoryTree(CONTENTS), folder, new, MemoryKeyring("vectors"), Counting(SEED))
    for name, data in folder.files.items():
        path = HERE / "dataset" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    document = {
        "datasetKey": Counting(SEED)(32).hex(),
        "files": {name: data.hex() if len(data) < 100 else f"{len(data)} bytes" for name, data in CONTENTS.items()},
        "note": "key.json holds a made-up wrapping: use datasetKey. Other plaintexts are in make.py.",
    }
    (HERE / "vector.json").write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    main()
