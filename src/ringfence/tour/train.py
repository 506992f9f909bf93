"""Step `train`: a model is trained on the sealed data in a node, and signed; what went in is stated."""

import json
import shutil
import sys
from contextlib import chdir
from importlib import resources, util
from pathlib import Path
from typing import Any

from ringfence.kernel.errors import VerificationFailed
from ringfence.tour.place import no_nodes
from ringfence.tour.seal import NAME
from ringfence.tour.stage import Stage
from ringfence.workloads.runs.running import provenance_beside

SCRIPT = "train_wdbc.py"
MODEL = "model"
SEED = "7"
NEEDED = ("sklearn", "skl2onnx")


def train(stage: Stage) -> dict[str, Any]:
    """Run the training in a node of its own, check what is stated about it, and sign the model."""
    if missing := [name for name in NEEDED if util.find_spec(name) is None]:
        return {"train": f"not played: {' and '.join(missing)} missing; install the extra: ringfence[demo]"}
    script, model = _prepared(stage.work)
    because = no_nodes(stage)
    where, python = ([], sys.executable) if because else (["--class", "namespace", "--code", script.name], "python")
    with chdir(script.parent):
        ran = stage.expect(
            "run", *where, "--dataset", NAME, "--out", str(model), "--seed", SEED, "--", python, script.name,
            by=stage.engineer,
        )  # fmt: skip
    measured = json.loads((model / "metrics.json").read_text(encoding="utf-8"))
    stage.expect("model", "scan", str(model), by=stage.engineer)
    signed = stage.expect("model", "sign", str(model), by=stage.engineer)
    _check(stage, ran, str(signed.get("digest")))
    return {
        "accuracy": f"{measured['right']} of {measured['tested']} rows that it had not seen",
        "rows": measured["rows"],
        "node": f"none: {because}"
        if because
        else f"{ran['node']}, {ran['class']}, {ran['isolation']}, stopped afterwards",
        "input": ", ".join(f"{given['name']}, epoch {given['epoch']}" for given in ran["inputs"]),
        "in_memory": ran["input_place"],
        "model": {output["path"]: output["digest"] for output in ran["outputs"]},
        "outputs_digest": ran["outputs_digest"],
        "run_entry": ran["statement"]["entry"],
        "signed": signed["digest"],
        "provenance": str(provenance_beside(model)),
    }


def _prepared(work: Path) -> tuple[Path, Path]:
    """Put the script where a newcomer can read and change it, and clear what an earlier tour left."""
    folder, model = work / "training", work / MODEL
    folder.mkdir(exist_ok=True)
    script = folder / SCRIPT
    script.write_text((resources.files("ringfence.tour.data") / SCRIPT).read_text(encoding="utf-8"), encoding="utf-8")
    shutil.rmtree(model, ignore_errors=True)
    provenance_beside(model).unlink(missing_ok=True)
    return script, model


def _check(stage: Stage, ran: dict[str, Any], signed: str) -> None:
    """Find the run in the log, with the dataset that the tour sealed, and with the files that were signed."""
    if signed != ran["outputs_digest"]:
        raise VerificationFailed("the model that was signed is not the one that the run left")
    listed = stage.quietly("ledger", "list", "--predicate", "run.manifest", "--limit", "1")["statements"]
    claims = listed[0]["claims"] if listed else {}
    stated = (claims.get("run"), claims.get("outputsDigest"), [given["seal"] for given in claims.get("inputs", [])])
    if stated != (ran["run"], ran["outputs_digest"], [given["seal"] for given in ran["inputs"]]):
        raise VerificationFailed("the log does not say of the training what was seen of it")
