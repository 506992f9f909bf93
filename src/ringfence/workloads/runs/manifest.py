"""What is stated about a run, and how it is read back (docs/specs/predicates/run.manifest.md); pure."""

from collections.abc import Iterable, Sequence
from typing import Any

from ringfence.artifacts.models.model import Manifest, Resource
from ringfence.kernel import digest
from ringfence.kernel.clock import to_millis, to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.workloads.runs.model import (
    CodeKind,
    Entry,
    Output,
    Trace,
)
from ringfence.workloads.runs.surveying import lock_digest

MANIFEST = PredicateName("run.manifest")
STRENGTH = Strength.OBSERVED  # the runner saw it; what a node says of itself is named on the predicate's page
NOT_NAMED = Digest(bytes(32))  # OMS's own root binds no names and is not asked for here


def folder(outputs: Iterable[Output]) -> Digest | None:
    """Return the digest of a folder's names and files, None where it is empty.

    It is the one by which a signed model of the same files is named, so that the two find each other. The files have
    no subjects of their own: beside their digests, this one would confirm whoever guesses a name.
    """
    files = tuple(Resource(file.path, file.digest) for file in outputs)
    return Manifest("", files, NOT_NAMED).digest if files else None


def committed(entries: Sequence[Entry], salt: bytes) -> str:
    """Return the commitment to a list of paths and digests; empty for none, since names may be personal."""
    listed = [[entry.path, entry.kind.value, entry.digest.hex] for entry in entries]
    return str(Digest.of(salt + digest.dumps(listed))) if entries else ""


def committed_text(text: str, salt: bytes) -> str:
    """Return the commitment to a text; empty for none."""
    return str(Digest.of(salt + b"text\n" + text.encode())) if text else ""


def claims(trace: Trace, salt: bytes) -> dict[str, Any]:
    """Return what is said in the open."""
    code, ended = trace.code, trace.ended
    return {
        "run": trace.run,
        "node": trace.place.node,
        "nodeClass": trace.place.node_class,
        "isolation": trace.place.isolation,
        "inputs": [
            {
                "dataset": given.dataset,
                "epoch": given.epoch,
                "seal": str(given.seal),
                "ciphertextRoot": str(given.ciphertext_root),
                "plaintextRoot": str(given.plaintext_root),
            }
            for given in sorted(trace.inputs, key=lambda given: given.dataset)
        ],
        "models": [
            {"digest": str(base.digest), "files": base.files}
            for base in sorted(trace.bases, key=lambda base: base.digest)
        ],
        "baseChanged": trace.base_changed,
        "inputPlace": trace.input_place.value,
        "swapPossible": trace.swappable,
        "code": code.kind.value,
        "commit": code.commit,
        "dirty": code.dirty,
        "changes": len(code.changes),
        "changesCommitment": committed(code.changes, salt),
        "diffBytes": len(trace.difference.text.encode()),
        "diffCommitment": committed_text(trace.difference.text, salt),
        "diffLeftOut": trace.difference.left_out,
        "shipped": len(code.shipped),
        "shippedCommitment": committed(code.shipped, salt),
        "codeChanged": trace.code_changed,
        "environment": str(lock_digest(trace.lock)),
        "packages": len(trace.lock.packages),
        "python": trace.lock.python,
        "platform": trace.lock.platform,
        "seed": trace.order.seed,
        "cpu": trace.machine.cpu,
        "cores": trace.machine.cores,
        "memoryMib": trace.machine.memory_mib,
        "accelerators": list(trace.machine.accelerators),
        "startedAt": to_text(trace.started_at),
        "endedAt": to_text(trace.ended_at),
        "outcome": ended.outcome.value,
        "exitCode": -1 if ended.exit_code is None else ended.exit_code,
        "signal": ended.signal,
        "outputs": len(trace.outputs.files),
        "outputBytes": trace.outputs.size,
        "outputsSkipped": trace.outputs.skipped,
        "outputsDigest": str(folder(trace.outputs.files) or ""),
        "privacy": [one.to_claims() for one in trace.privacy],
    }


def details(trace: Trace, salt: bytes) -> dict[str, Any]:
    """Return what is kept beside the log, and can be erased: words that a person chose."""
    return {
        "salt": salt.hex(),
        "command": [word.encode("utf-8", "replace").decode() for word in trace.order.command],
        "environment": [name for name, _ in trace.order.environment],
        "packages": list(trace.lock.packages),
        "changes": [[entry.path, entry.kind.value, entry.digest.hex] for entry in trace.code.changes],
        "shipped": [[entry.path, entry.kind.value, entry.digest.hex] for entry in trace.code.shipped],
        "diff": trace.difference.text,
        "bases": [[base.path, base.digest.hex] for base in trace.bases],
        "outputs": [[file.path, file.size, file.digest.hex] for file in trace.outputs.files],
    }


def subjects(trace: Trace, salt: bytes) -> tuple[Subject, ...]:
    """Return the run, named by a nonce, and the folder that it left."""
    run = Subject(f"run/{trace.run}", Digest.of(salt + trace.run.encode("ascii")))
    left = folder(trace.outputs.files)
    return (run, Subject(f"outputs/{trace.run}", left)) if left else (run,)


def draft(trace: Trace, salt: bytes) -> Draft:
    """State a run; posted twice, it records once."""
    return Draft(
        MANIFEST,
        subjects(trace, salt),
        claims(trace, salt),
        STRENGTH,
        details(trace, salt),
        f"run.manifest/{trace.run}",
    )


def shown(trace: Trace) -> dict[str, Any]:
    """Return what a front end shows of a run before it is recorded."""
    code, ended = trace.code, trace.ended
    changed = f", {len(code.changes)} files differ" if code.changes else ""
    named = {
        CodeKind.GIT: f"commit {code.commit[:12] or 'none'}{changed}",
        CodeKind.FILES: f"{len(code.changes) + len(code.shipped)} files",
        CodeKind.NONE: "unknown: no repository, and no file is named",
    }
    return {
        "run": trace.run,
        "outcome": ended.outcome.value,
        "exit_code": ended.exit_code,
        "signal": ended.signal,
        "node": trace.place.node,
        "class": trace.place.node_class,
        "isolation": trace.place.isolation,
        "inputs": [{"name": i.name, "epoch": i.epoch, "seal": str(i.seal)} for i in trace.inputs],
        "bases": [{"path": base.path, "digest": str(base.digest), "files": base.files} for base in trace.bases],
        "base_changed": trace.base_changed,
        "diff_bytes": len(trace.difference.text.encode()),
        "diff_left_out": trace.difference.left_out,
        "privacy": [one.to_claims() | {"not_stated": list(one.missing)} for one in trace.privacy],
        "input_place": trace.input_place.value,
        "code": named[code.kind] + (", changed while it ran" if trace.code_changed else ""),
        "commit": code.commit,
        "dirty": code.dirty,
        "environment": str(lock_digest(trace.lock)),
        "seed": trace.order.seed,
        "milliseconds": to_millis(trace.ended_at) - to_millis(trace.started_at),
        "outputs": [{"path": o.path, "size": o.size, "digest": str(o.digest)} for o in trace.outputs.files],
        "output_bytes": trace.outputs.size,
        "outputs_skipped": trace.outputs.skipped,
        "outputs_digest": str(folder(trace.outputs.files) or ""),
        "provenance": "",
    }
