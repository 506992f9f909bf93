"""Step `seal`: a real dataset is sealed, opened, damaged by one bit, and refused with the chunk named."""

from pathlib import Path
from typing import Any

from ringfence.kernel.errors import InternalError, VerificationFailed
from ringfence.tour.stage import Stage
from ringfence.workloads.console.samples import write_dataset

NAME = "wdbc"
CHUNK = 65536

PROVENANCE = """\
# Where the tour's dataset comes from, as scikit-learn documents it.
source: Breast Cancer Wisconsin (Diagnostic), UCI Machine Learning Repository, shipped with scikit-learn
licence: CC-BY-4.0
collection: features computed from digitised images of fine-needle aspirates, University of Wisconsin, 1995
steps:
  - loaded with sklearn.datasets.load_breast_cancer
  - written as one CSV file, one row per sample, target last
rights: none reserved
"""


def seal(stage: Stage) -> dict[str, Any]:
    """Seal, open, compare, flip one bit, see it refused, restore, verify."""
    source = _write_source(stage.work / "dataset")
    provenance = stage.work / "provenance.yaml"
    provenance.write_text(PROVENANCE, encoding="utf-8")
    sealed = stage.expect(
        "dataset", "seal", str(source), NAME, "--chunk-size", str(CHUNK), "--provenance", str(provenance),
        by=stage.engineer,
    )  # fmt: skip
    opened = _fresh(stage.work / "opened")
    stage.expect("dataset", "open", NAME, str(opened), "--purpose", "tour", by=stage.engineer)
    same = (opened / "wdbc.csv").read_bytes() == (source / "wdbc.csv").read_bytes()
    if not same:
        raise VerificationFailed("the opened dataset differs from the one that was sealed")
    refusal, failed = _damage(stage, sealed)
    verified = stage.expect("dataset", "verify", NAME, by=stage.engineer)
    return {
        "dataset": sealed["dataset"],
        "epoch": sealed["epoch"],
        "rows": sum(1 for _ in (source / "wdbc.csv").open(encoding="utf-8")) - 1,
        "bytes": sealed["bytes"],
        "opened_equals_source": same,
        "flipped_bit_refused": refusal,
        "verify_named": failed,
        "restored": verified["result"],
    }


def _damage(stage: Stage, sealed: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """Flip one bit in the second chunk of the largest object; undo it whatever happens."""
    folder = stage.home / "datasets" / sealed["dataset"] / str(sealed["epoch"]) / "objects"
    target = max(folder.iterdir(), key=lambda path: path.stat().st_size)
    position = CHUNK + 4096  # inside chunk 1: header and chunk 0 end before
    stage.show(f"flip one bit at byte {position} of objects/{target.name}")
    _flip(target, position)
    try:
        again = _fresh(stage.work / "refused")
        refused = stage.refused("dataset", "open", NAME, str(again), "--purpose", "tour", by=stage.engineer)
        if again.exists():
            raise VerificationFailed("a refused dataset left plaintext behind")
        failed = stage.refused("dataset", "verify", NAME, by=stage.engineer).document["failed"]
    finally:
        _flip(target, position)
    if "chunk 1" not in refused.said or [item["chunk"] for item in failed] != [1]:
        raise VerificationFailed(f"the refusal should name chunk 1; it said: {refused.said}")
    return refused.said.removeprefix("ringfence: "), failed


def _flip(path: Path, position: int) -> None:
    with path.open("r+b") as file:
        file.seek(position)
        byte = file.read(1)
        file.seek(position)
        file.write(bytes([byte[0] ^ 1]))


def _write_source(folder: Path) -> Path:
    write_dataset(folder)
    if (folder / "wdbc.csv").stat().st_size <= CHUNK + 4096:
        raise InternalError("the tour's dataset is expected to fill more than one chunk")
    return folder


def _fresh(path: Path) -> Path:
    if path.exists():
        for item in path.iterdir():
            item.unlink()
        path.rmdir()
    return path
