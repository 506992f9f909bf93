"""Take a model in: copied by digest, held against its own signature, scanned, signed by the operator, and stated.

Nothing is kept of what is refused. What is judged and signed is the copy, which nobody can write to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ringfence.artifacts.models.blobs import model_folder
from ringfence.artifacts.models.keyring import Held
from ringfence.artifacts.models.local import Posting
from ringfence.artifacts.models.methods import SignedFiles
from ringfence.artifacts.models.model import SIGNATURE, Judged, ModelName, Report, Verdict, Weight
from ringfence.artifacts.models.oms import Signer, Trust
from ringfence.artifacts.models.oms import read as read_bundle
from ringfence.artifacts.models.snapshots import Source, source
from ringfence.artifacts.models.statements import Import as Stated
from ringfence.artifacts.models.statements import Signature
from ringfence.artifacts.models.store import Import, Shelf, Signed, scan_folder, sign_folder
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import NotFound, Refused, VerificationFailed


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms a model is taken in."""

    trust: Trust = field(default_factory=Trust)
    signed: bool = False  # it has to be signed by somebody who is trusted
    accept_unknown: bool = False
    left_out: frozenset[str] = field(default=frozenset())


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken in, and what was stated of it."""

    path: Path
    signed: Signed
    report: Report
    origin: Mapping[str, Any]
    statements: Mapping[str, Any]


def take_in(path: Path, name: ModelName, home: Path, held: Held, posting: Posting, terms: Terms) -> Taken:
    """Take in a folder, a file, or a snapshot of a cache, as it is.

    Raises:
        NotFound: nothing is there, or it is not signed and has to be.
        Conflict: a model of this name was taken in already, or the source is being written to.
        VerificationFailed: its signature, or the scan, refuses it.
        Refused: the scan cannot look into every file.
    """
    shelf = Shelf(home)
    with Import.into(home) as taking, shelf.new(name) as staged:
        with source(path, terms.left_out) as opened:
            files, signer = _own_signature(opened, terms)
            found = taking.copy(opened, path, staged, files)
            origin, left_out = opened.origin, tuple(sorted(opened.skipped))
        with model_folder(staged) as copy:
            looked = scan_folder(copy)
            taking.check(found, looked)
            scanned = posting.scanned(name, looked.manifest, looked.report)
            _check(looked.report, terms)
            done = sign_folder(copy, staged, held.key)
        if done.manifest.digest != looked.manifest.digest:
            raise Refused("the copy was changed between its scan and its signature; nothing was imported")
        signature = Signature(done.manifest, done.size, Digest.of(done.bundle), held.key.public, held.custody)
        stated = posting.signed(name, signature)
        known = {"layout": origin.layout.value, "repository": origin.repository, "revision": origin.revision}
        taken = Stated(
            len(done.manifest.files),
            done.size,
            **known,
            left_out=left_out,
            method=files.method.text if files else "",
            signer=signer.key.hint if signer else "",
            subject=signer.subject if signer else "",
            verdict=looked.report.verdict,
        )
        imported = posting.imported(name, done.manifest, taken)
    shown = known | {"left_out": list(left_out), "signed_by": signer.key.hint if signer else ""}
    return Taken(
        shelf.path(name), done, looked.report, shown, {"scan": scanned, "statement": stated, "import": imported}
    )


def _own_signature(opened: Source, terms: Terms) -> tuple[SignedFiles | None, Signer | None]:
    """Return what the signature beside a model says; nothing where there is none and none is asked for."""
    try:
        bundle = opened.signature()
    except NotFound:
        if terms.signed:
            raise
        return None, None
    return read_bundle(bundle, terms.trust, source=SIGNATURE)


def _check(report: Report, terms: Terms) -> None:
    if report.verdict is Verdict.REFUSED:
        raise VerificationFailed(f"the scan refuses this model: {_why(report)}")
    if report.verdict is Verdict.UNKNOWN and not terms.accept_unknown:
        raise Refused(
            "the scan cannot look into every file; read what `ringfence model scan` says, or --accept-unknown"
        )


def _why(report: Report) -> str:
    """Say what refuses a model, and which file can be left out where it is one file's doing."""
    for judged in report.files:
        for finding in judged.findings:
            if finding.weight is Weight.REFUSE:
                alone = f" (to take the model in without it: --leave-out {judged.name})"
                return f"{judged.name}: {finding.text}{alone if _is_beside(judged) else ''}"
    whole = next((finding.text for finding in report.findings if finding.weight is Weight.REFUSE), None)
    return whole or "it has no file"


def _is_beside(judged: Judged) -> bool:
    """Tell whether a file is a program beside the weights, without which they still load."""
    return judged.name.endswith(".py")
