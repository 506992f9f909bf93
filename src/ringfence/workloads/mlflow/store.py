"""A store of MLflow on this machine: a folder of runs, or a SQLite file; nothing is fetched, and a store may lie.

MLflow itself reads the records, from a copy of a database, since it would change the layout of an older one. Artifacts
are read by us, below the store alone: a run says where its artifacts lie, and may say `/etc`.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from ringfence.artifacts.model import DatasetId, dataset_id, epoch_number
from ringfence.kernel.clock import from_millis
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, NotFound, Refused, RingfenceError, Unavailable, UsageError
from ringfence.workloads.mlflow.model import (
    DATASET_TAG,
    EPOCH_TAG,
    MAX_FOLDERS,
    MAX_INPUTS,
    SEAL_TAG,
    STATUSES,
    ForeignRun,
    Used,
    run_id,
    shown,
    texts,
)
from ringfence.workloads.runs import outputs
from ringfence.workloads.runs.manifest import folder
from ringfence.workloads.runs.model import Output, Outputs

T = TypeVar("T")

MAX_DATABASE = 2 * 2**30
MAX_RECORDS = 20_000  # files of one run's record in a folder store
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ALLOW_FILE_STORE": "true",
}


def client(uri: str) -> Any:
    """Return MLflow's own client, which calls nobody.

    Raises:
        Unavailable: MLflow is not installed.
    """
    os.environ.update(_QUIET)  # it is read as MLflow is imported
    try:
        import logging

        from mlflow.tracking import MlflowClient
    except ImportError as error:
        raise Unavailable("MLflow is not installed here: pip install mlflow-skinny") from error
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    return MlflowClient(tracking_uri=uri)


def version() -> str:
    """Return the version of MLflow that reads."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as of

    for name in ("mlflow-skinny", "mlflow"):
        try:
            return of(name)
        except PackageNotFoundError:
            continue
    return "unknown"


def place_of(uri: str) -> Path:
    """Return the folder or the database that a tracking URI names; raise `Refused` where it is not on this machine."""
    split = urlsplit(uri)
    if split.scheme == "sqlite" and uri.startswith("sqlite:///"):
        place = Path(uri.removeprefix("sqlite:///"))
    elif split.scheme in ("", "file") and not split.netloc and not split.query:
        place = Path(unquote(split.path))
    else:
        raise Refused(f"a store of MLflow is a folder or sqlite:///FILE on this machine, not {uri[:80]!r}")
    if not place.exists():
        raise NotFound(
            f"there is no store of MLflow at {place}; name the one that MLflow writes to, or make the folder"
        )
    if place.is_dir() == (split.scheme == "sqlite"):
        raise UsageError(f"{place} is not what its address says: a folder, or sqlite:///FILE")
    return place.resolve()


@contextmanager
def _readable(place: Path) -> Iterator[str]:
    if place.is_dir():
        yield f"file://{place}"
        return
    if place.stat().st_size > MAX_DATABASE:
        raise UsageError(f"{place} is larger than {MAX_DATABASE} bytes")
    with tempfile.TemporaryDirectory(prefix="ringfence-mlflow-") as folder:
        copy = Path(folder) / "store.db"
        shutil.copyfile(place, copy)
        yield f"sqlite:///{copy}"


def read(uri: str, run: str) -> ForeignRun:
    """Read one run with the digests of its artifacts.

    Raises:
        NotFound: there is no such run.
        Refused: the store, or the run's artifacts, do not lie on this machine, or not below the store.
        MalformedInput: the record is none.
    """
    wanted, place = run_id(run), place_of(uri)
    if place.is_dir():
        _check_plain(place, wanted)
    with _readable(place) as address:
        asked = _client(address)
        found = _answered(wanted, lambda: asked.get_run(wanted))
        logged = _answered(wanted, lambda: _logged(asked, found))
    try:
        return _read(found, wanted, place, logged)
    except MalformedInput as error:
        raise MalformedInput(str(error), source=f"run {wanted}") from error


def _client(address: str) -> Any:
    return _answered("", lambda: client(address))


def _logged(asked: Any, found: Any) -> list[str]:
    """Return where the models lie that a run logged beside its artifacts, as MLflow 3 keeps them."""
    outputs = getattr(found, "outputs", None)
    named = [str(one.model_id) for one in (outputs.model_outputs if outputs else ())]
    if len(named) > MAX_FOLDERS:
        raise MalformedInput(f"the run names {len(named)} models; the limit is {MAX_FOLDERS}")
    return [str(asked.get_logged_model(model).artifact_location or "") for model in named]


def _answered(run: str, ask: Callable[[], T]) -> T:
    try:
        return ask()
    except RingfenceError:
        raise
    except Exception as error:  # a hostile record fails inside MLflow in any way
        kind = type(error).__name__
        if "does not exist" in str(error) or "not found" in str(error).lower():
            raise NotFound(f"the store has no run {run}") from error
        raise MalformedInput(f"MLflow cannot read the record ({kind})", source=f"run {run}") from error


def _check_plain(place: Path, run: str) -> None:
    """Refuse a run whose record holds a link: it would show us a file of somebody else's as a parameter."""
    seen = 0
    for record in place.glob(f"*/{run}"):
        for where, folders, names in os.walk(record):
            folders[:] = [name for name in folders if name != "artifacts" or Path(where) != record]
            seen += len(names)
            if seen > MAX_RECORDS:
                raise MalformedInput(f"the record of run {run} has more than {MAX_RECORDS} files")
            if any((Path(where) / name).is_symlink() for name in (*folders, *names)):
                raise Refused(f"the record of run {run} holds a link")


def _read(found: Any, run: str, place: Path, logged: Sequence[str]) -> ForeignRun:
    info, data = found.info, found.data
    status = STATUSES.get(str(info.status))
    if status is None or info.run_id != run or not isinstance(info.start_time, int):
        raise MalformedInput("the run has no state, another id, or no beginning")
    used = list(found.inputs.dataset_inputs) if found.inputs else []
    if len(used) > MAX_INPUTS:
        raise MalformedInput(f"the run names {len(used)} datasets; the limit is {MAX_INPUTS}")
    left = _artifacts(str(info.artifact_uri or ""), place)
    models = [model for uri in logged if (model := folder(_artifacts(uri, place).files))]
    return ForeignRun(
        run,
        version(),
        status,
        from_millis(info.start_time),
        from_millis(info.end_time) if isinstance(info.end_time, int) else None,
        texts(data.params, "parameters"),
        texts({name: repr(value) for name, value in data.metrics.items()}, "metrics"),
        texts(data.tags, "tags"),
        tuple(map(_used, used)),
        left,
        tuple(sorted({*models, *_folders(left)}))[:MAX_FOLDERS],
    )


def _folders(left: Outputs) -> Iterator[Digest]:
    """Yield the digest of each folder among the artifacts, by which a signature of that folder alone names it."""
    below: dict[str, list[Output]] = {}
    for file in left.files:
        top, slash, rest = file.path.partition("/")
        if slash:
            below.setdefault(top, []).append(Output(rest, file.size, file.digest))
    for files in below.values():
        if found := folder(files):
            yield found


def _used(found: Any) -> Used:
    tags = {str(tag.key): str(tag.value) for tag in found.tags}
    one = found.dataset
    seal, dataset, epoch = _ours(tags)
    context = shown(tags.get("mlflow.data.context", ""))
    return Used(shown(one.name), shown(one.digest), shown(one.source_type), context, seal, dataset, epoch)


def _ours(tags: dict[str, str]) -> tuple[Digest | None, DatasetId | None, int]:
    try:
        text = tags[EPOCH_TAG]
        epoch = epoch_number(int(text) if text.isascii() and text.isdecimal() and len(text) < 11 else 0)
        return Digest.parse(tags[SEAL_TAG]), dataset_id(tags[DATASET_TAG]), epoch
    except (KeyError, MalformedInput):
        return None, None, 0


def _artifacts(uri: str, place: Path) -> Outputs:
    """Digest the files below a run's artifacts, without following a link; none where the folder was never made."""
    found = folder_of(uri, place)
    return outputs.read(found) if found.is_dir() else Outputs()


def folder_of(uri: str, place: Path) -> Path:
    """Return where a run's artifacts lie; raise `Refused` where that is not below the store."""
    split = urlsplit(uri)
    if split.scheme not in ("", "file") or split.netloc or split.query or not split.path.startswith("/"):
        raise Refused(f"the run's artifacts lie elsewhere, and nothing is fetched: {uri[:80]!r}")
    below = place if place.is_dir() else place.parent
    found = Path(unquote(split.path)).resolve()
    if not found.is_relative_to(below):
        raise Refused(f"the run says that its artifacts lie in {str(found)[:80]!r}, which is not below {below}")
    return found
