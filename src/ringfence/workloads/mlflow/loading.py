"""Load a model of MLflow only where its files have the digest that was signed, and no file of it could run.

MLflow opens models by name, again and again. What it is given here is a copy in memory, made in the same read that was
hashed, in a folder that only this user can enter: whoever changes the source afterwards changes nothing.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ringfence.artifacts.models import oms, scan
from ringfence.artifacts.models.blobs import FileContent, model_folder
from ringfence.artifacts.models.model import Verdict
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Unavailable, VerificationFailed
from ringfence.storage.files import explained, memory


@contextmanager
def verified(folder: Path, digest: Digest) -> Iterator[Path]:
    """Give a private copy of a model folder whose manifest has this digest, to be loaded while the context lasts.

        with verified(Path("mlruns/1/…/artifacts/model"), Digest.parse("sha256:…")) as path:
            model = mlflow.onnx.load_model(str(path))

    Raises:
        VerificationFailed: a file differs, is missing, is one too many, or the scan refuses it: pickles above all.
        Unavailable: memory has no room for it.
    """
    with tempfile.TemporaryDirectory(prefix="ringfence-model-", dir=memory()) as place:
        copy = Path(place) / "model"
        copy.mkdir(mode=0o700)
        files: dict[str, Digest] = {}
        with model_folder(folder) as opened:
            sizes = {name: opened.size(name) for name in opened.names()}
            _check_room(copy, sum(sizes.values()))
            for name in sizes:
                with opened.content(name) as content:
                    files[name] = _copied(content, copy / name)
        found = oms.manifest_of(folder.name, files).digest
        if found != digest:
            raise VerificationFailed(f"the model's files are {found}, and not {digest}; nothing is loaded")
        _check_scan(copy)
        yield copy


def digest_of(folder: Path) -> Digest:
    """Return the digest of a folder's files, by which a signature names them."""
    with model_folder(folder) as opened:
        return oms.manifest_of(folder.name, {name: one.digest for name, one in opened.hashed().items()}).digest


def _copied(content: FileContent, target: Path) -> Digest:
    running = hashlib.sha256()
    with explained(target, "write"):
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with target.open("xb") as file:
            for part in content.chunks():
                running.update(part)
                file.write(part)
        target.chmod(0o400)
    return Digest(running.digest())


def _check_room(place: Path, size: int) -> None:
    free = shutil.disk_usage(place).free
    if size > free:
        raise Unavailable(f"the model needs {size} bytes of memory, and {free} are free in {os.fspath(place)}")


def _check_scan(copy: Path) -> None:
    with model_folder(copy) as opened:
        report = scan.scan(opened.names(), opened.content)
    if report.verdict is Verdict.REFUSED:
        first = next(iter(report.all_findings))
        raise VerificationFailed(f"the scan refuses this model: {first.text}; nothing is loaded")
