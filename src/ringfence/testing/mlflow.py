"""Stores of the real MLflow with a few runs in them, in a folder of a test.

store = made(tmp_path / "runs", kind="folder")   # or "sqlite"
run = store.run({"lr": "0.1"}, {"model/weights.bin": b"w"})
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ringfence.workloads.mlflow import store as reading

KINDS = ("folder", "sqlite")


@dataclass(frozen=True, slots=True)
class Store:
    """A store, and MLflow's own client of it."""

    uri: str
    place: Path
    client: Any
    experiment: str

    def run(
        self,
        parameters: Mapping[str, str],
        files: Mapping[str, bytes],
        *,
        tags: Mapping[str, str] | None = None,
        inputs: Mapping[str, Mapping[str, str]] | None = None,
        models: Mapping[str, Mapping[str, bytes]] | None = None,
        status: str = "FINISHED",
    ) -> str:
        """Record a run with artifacts; `inputs` are tags of a dataset by its name. Return its id."""
        made = self.client.create_run(self.experiment, tags=dict(tags or {}), start_time=1_795_000_000_000)
        run = str(made.info.run_id)
        for name, value in parameters.items():
            self.client.log_param(run, name, value)
        self.client.log_metric(run, "loss", 0.25)
        for name, data in files.items():
            target = self.artifacts(run) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        self._name(run, inputs or {})
        for name, content in (models or {}).items():
            self._log(run, name, content)
        self.client.set_terminated(run, status=status, end_time=1_795_000_009_000)
        return run

    def artifacts(self, run: str) -> Path:
        """Return where the artifacts of a run lie."""
        uri = str(self.client.get_run(run).info.artifact_uri)
        return Path(uri.removeprefix("file://"))

    def _log(self, run: str, name: str, files: Mapping[str, bytes]) -> None:
        from mlflow.entities import LoggedModelOutput

        model = self.client.create_logged_model(self.experiment, name=name, source_run_id=run)
        place = Path(str(model.artifact_location).removeprefix("file://"))
        place.mkdir(parents=True, exist_ok=True)
        for path, data in files.items():
            (place / path).write_bytes(data)
        self.client.log_outputs(run, [LoggedModelOutput(model.model_id, 0)])

    def _name(self, run: str, inputs: Mapping[str, Mapping[str, str]]) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        named = [
            DatasetInput(
                Dataset(name, "0123abcd", "local", "{}"), [InputTag(key, value) for key, value in tags.items()]
            )
            for name, tags in inputs.items()
        ]
        if named:
            self.client.log_inputs(run, named)


def made(place: Path, *, kind: str = "folder") -> Store:
    """Make a store with one experiment."""
    place.mkdir(parents=True, exist_ok=True)
    uri = str(place) if kind == "folder" else f"sqlite:///{place / 'store.db'}"
    client = reading.client(f"file://{place}" if kind == "folder" else uri)
    # A store that is a folder takes every folder in it for an experiment.
    where = None if kind == "folder" else str(place / "artifacts")
    return Store(uri, place, client, str(client.create_experiment("lab", artifact_location=where)))
