"""What another system says of a run; all of it is its word. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ringfence.artifacts.model import DatasetId
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.text import printable
from ringfence.workloads.runs.model import Outputs

SYSTEM = "mlflow"
MAX_ENTRIES = 2000  # parameters, metrics or tags of one run
MAX_INPUTS = 64
MAX_FOLDERS = 32  # of models among the artifacts, and of models that the run logged
MAX_TEXT = 500  # characters of a value; MLflow's own limits are 250 to 8000
_RUN = re.compile(r"[0-9a-f]{32}")

# Tags by which our digests travel; MLflow's own digest of a dataset has at most 36 characters.
RUN_TAG = "ringfence.run"
STATEMENT_TAG = "ringfence.statement"
OUTPUTS_TAG = "ringfence.outputs_digest"
SEAL_TAG, DATASET_TAG, EPOCH_TAG = "ringfence.seal", "ringfence.dataset", "ringfence.epoch"
COMMIT_TAG = "mlflow.source.git.commit"


class Status(StrEnum):
    """How a run of MLflow ended, in our words."""

    COMPLETED = "completed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    UNFINISHED = "unfinished"


STATUSES: Mapping[str, Status] = {
    "FINISHED": Status.COMPLETED,
    "FAILED": Status.FAILED,
    "KILLED": Status.INTERRUPTED,
    "RUNNING": Status.UNFINISHED,
    "SCHEDULED": Status.UNFINISHED,
}


@dataclass(frozen=True, slots=True)
class Used:
    """A dataset that a run says it used."""

    name: str
    digest: str  # in the other system's form: short, and of what it chose to hash
    source_type: str
    context: str
    seal: Digest | None = None  # ours, where the run carries it
    dataset: DatasetId | None = None
    epoch: int = 0

    @property
    def ours(self) -> bool:
        """Tell whether it names an epoch that we may know."""
        return self.seal is not None and self.dataset is not None and self.epoch > 0


@dataclass(frozen=True, slots=True)
class ForeignRun:
    """One run, as the other system has it."""

    run: str  # its own id, 32 hexadecimal digits
    version: str
    status: Status
    started_at: datetime
    ended_at: datetime | None
    parameters: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)  # the last value of each, as decimal text
    tags: Mapping[str, str] = field(default_factory=dict)
    used: tuple[Used, ...] = ()
    outputs: Outputs = field(default_factory=Outputs)
    folders: tuple[Digest, ...] = ()  # of each folder that may be a model, by the digest that a signature of it has

    @property
    def commit(self) -> str:
        """Return the commit that the run names; empty where it names none."""
        found = self.tags.get(COMMIT_TAG, "")
        return found if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", found) else ""


def run_id(text: object) -> str:
    """Parse the id of a run of MLflow."""
    if not isinstance(text, str) or not _RUN.fullmatch(text):
        raise MalformedInput(f"{str(text)[:60]!r} is not the id of a run of MLflow: 32 hexadecimal digits")
    return text


def texts(found: Mapping[str, object], what: str) -> dict[str, str]:
    """Return names and values as printable text, sorted; raise `MalformedInput` where there are too many."""
    if len(found) > MAX_ENTRIES:
        raise MalformedInput(f"the run has {len(found)} {what}; the limit is {MAX_ENTRIES}")
    return {shown(name): shown(found[name]) for name in sorted(found, key=str)}


def shown(value: object) -> str:
    """Return a value of the other system as one printable line."""
    return printable(str(value), MAX_TEXT)
