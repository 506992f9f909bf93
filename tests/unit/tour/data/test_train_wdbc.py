"""The tour's training gives the same file for the same seed, and a model that others can run."""

import csv
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import ringfence.tour.data

SCRIPT = Path(ringfence.tour.data.__file__).with_name("train_wdbc.py")
pytest.importorskip("sklearn")
pytest.importorskip("skl2onnx")
onnxruntime = pytest.importorskip("onnxruntime")


def trained(folder, name, seed):
    (folder / name).mkdir()
    places = {"RINGFENCE_INPUTS": str(folder), "RINGFENCE_OUTPUTS": str(folder / name), "RINGFENCE_SEED": seed}
    environment = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": seed} | places
    subprocess.run([sys.executable, str(SCRIPT)], env=environment, check=True, capture_output=True, timeout=120)
    return folder / name


def test_the_same_seed_gives_the_same_bytes_and_the_model_is_right(tmp_path):
    (tmp_path / "wdbc").mkdir()
    with (tmp_path / "wdbc" / "wdbc.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b", "target"])
        writer.writerows([row % 7, 10 * (row % 2) + row % 3, row % 2] for row in range(80))
    first, again = trained(tmp_path, "one", "7"), trained(tmp_path, "two", "7")
    assert {path.name for path in first.iterdir()} == {"model.onnx", "metrics.json"}
    digests = [hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest() for folder in (first, again)]
    assert digests[0] == digests[1]
    measured = json.loads((first / "metrics.json").read_text())
    assert measured == {"features": 2, "right": 20, "rows": 80, "seed": 7, "tested": 20}
    session = onnxruntime.InferenceSession(first / "model.onnx", providers=["CPUExecutionProvider"])
    labels, _ = session.run(None, {session.get_inputs()[0].name: [[0.0, 1.0], [0.0, 11.0]]})
    assert list(labels) == [0, 1]
