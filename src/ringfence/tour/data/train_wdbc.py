"""Train a classifier on the sealed dataset `wdbc`, and write it as ONNX: run by `ringfence run`, not by Ringfence.

Inputs are below $RINGFENCE_INPUTS, outputs go to $RINGFENCE_OUTPUTS; the same seed gives the same bytes.
"""

import csv
import json
import os
import sys
from pathlib import Path

import numpy as np
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

OPSET = 17  # fixed, so that another version of the converter does not give another file unseen


def main() -> None:
    """Train, measure on rows that were not trained on, and write model and numbers."""
    seed = int(os.environ["RINGFENCE_SEED"])
    inputs, outputs = Path(os.environ["RINGFENCE_INPUTS"], "wdbc"), Path(os.environ["RINGFENCE_OUTPUTS"])
    with (inputs / "wdbc.csv").open(newline="", encoding="utf-8") as file:
        _, *rows = csv.reader(file)
    values = np.array([row[:-1] for row in rows], dtype=np.float32)
    labels = np.array([row[-1] for row in rows], dtype=np.int64)
    train, test, known, held_back = train_test_split(values, labels, test_size=0.25, random_state=seed, stratify=labels)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(train, known)
    right = int((model.predict(test) == held_back).sum())
    exported = to_onnx(model, values[:1], name="wdbc", options={"zipmap": False}, target_opset=OPSET)
    (outputs / "model.onnx").write_bytes(exported.SerializeToString())
    measured = {"rows": len(rows), "features": values.shape[1], "tested": len(test), "right": right, "seed": seed}
    (outputs / "metrics.json").write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{right} of {len(test)} rows that it had not seen are right\n")


if __name__ == "__main__":
    main()
