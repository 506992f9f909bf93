"""Our runs in a store of MLflow: our digests stand there as tags, for people who look there first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ringfence.kernel.errors import NotFound
from ringfence.workloads.mlflow.model import (
    COMMIT_TAG,
    DATASET_TAG,
    EPOCH_TAG,
    OUTPUTS_TAG,
    RUN_TAG,
    SEAL_TAG,
    STATEMENT_TAG,
)

ENDS: Mapping[str, str] = {"completed": "FINISHED", "failed": "FAILED", "interrupted": "KILLED", "lost": "FAILED"}


@dataclass(frozen=True, slots=True)
class Exported:
    """What is written of one run."""

    run: str
    status: str
    started_at: str
    tags: Mapping[str, str]
    parameters: Mapping[str, str]
    inputs: tuple[Mapping[str, str], ...]


def exported(document: Mapping[str, Any]) -> Exported:
    """Return what to write, from the document of a run's lineage; raise `NotFound` for another thing."""
    things = {thing["thing"]: thing for thing in document["things"]}
    run = things.get(document["start"])
    marks = [mark for mark in run["statements"] if mark["role"] == "ran"] if run and run["kind"] == "run" else []
    if run is None or not marks:
        raise NotFound("this is no run that was stated here")
    facts = run["facts"]
    left = [link["target"] for link in document["links"] if link["source"] == document["start"]]
    digests = sorted(things[target]["digest"] for target in left if target in things)
    tags = {
        RUN_TAG: str(facts.get("run", "")),
        STATEMENT_TAG: marks[-1]["envelope"],
        "ringfence.entry": str(marks[-1]["entry"]),
        "ringfence.strength": marks[-1]["strength"],
        "ringfence.environment": str(facts.get("environment", "")),
        "ringfence.lineage.closed": str(document["closed"]).lower(),
        "ringfence.gaps": ",".join(sorted({gap["kind"] for gap in document["gaps"]})),
    }
    tags |= {OUTPUTS_TAG: digests[0]} if digests else {}
    tags |= {COMMIT_TAG: str(facts["commit"])} if facts.get("commit") else {}
    inputs = tuple(
        {
            "name": root["label"],
            SEAL_TAG: root["seal"],
            DATASET_TAG: root["dataset"],
            EPOCH_TAG: str(root["epoch"]),
            "ringfence.plaintext_root": root["plaintextRoot"],
        }
        for root in document["roots"]
        if any(
            link["source"] == f"dataset:{root['seal'][7:]}"
            for link in document["links"]
            if link["target"] == run["thing"]
        )
    )
    status = ENDS.get(str(facts.get("outcome")), "FAILED")
    started = str(facts.get("startedAt", ""))
    return Exported(tags[RUN_TAG], status, started, tags, {"seed": str(facts.get("seed", ""))}, inputs)


def write(client: Any, one: Exported, experiment: str, started_millis: int) -> str:
    """Write a run, and return its id there; one that was written before is found again, and left as it is."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    known = client.get_experiment_by_name(experiment)
    place = known.experiment_id if known else client.create_experiment(experiment)
    found = client.search_runs([place], filter_string=f"tags.`{RUN_TAG}` = '{one.run}'", max_results=1)
    if found:
        return str(found[0].info.run_id)
    made = client.create_run(place, start_time=started_millis, tags=dict(one.tags), run_name=f"ringfence-{one.run[:8]}")
    for name, value in one.parameters.items():
        client.log_param(made.info.run_id, name, value)
    inputs = [
        DatasetInput(
            Dataset(row["name"], row[SEAL_TAG][7:43], "ringfence", f"sealed:{row[DATASET_TAG]}"),
            [InputTag(name, value) for name, value in row.items() if name != "name"],
        )
        for row in one.inputs
    ]
    if inputs:
        client.log_inputs(made.info.run_id, inputs)
    client.set_terminated(made.info.run_id, status=one.status)
    return str(made.info.run_id)
