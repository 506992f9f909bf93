"""A run as SLSA Provenance v1 in an in-toto Statement v1: for tools that know nothing of Ringfence; pure.

Source: slsa.dev/spec/v1.0/provenance and in-toto/attestation, spec/v1. It names files, so it stays with them and is
not logged; `run.manifest` is what counts here.
"""

import base64
from collections.abc import Callable
from typing import Any

from ringfence.kernel import digest
from ringfence.kernel.clock import to_text
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import PAYLOAD_TYPE, pae
from ringfence.kernel.identifier import KeyId
from ringfence.kernel.statement import STATEMENT_TYPE
from ringfence.workloads.runs.model import CodeKind, Entry, EntryKind, Trace
from ringfence.workloads.runs.surveying import lock_digest

PREDICATE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "urn:ringfence:run:v1"
SUFFIX = ".provenance.intoto.json"


def statement(trace: Trace, *, runner: KeyId, version: str, envelope: Digest | None = None) -> dict[str, Any]:
    """Return the statement; `envelope` points to the entry in the log that says the same."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": file.path, "digest": {"sha256": file.digest.hex}} for file in trace.outputs.files],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "command": list(trace.order.command),
                    "seed": trace.order.seed,
                    "environment": [name for name, _ in trace.order.environment],
                },
                "internalParameters": {
                    "isolation": trace.place.isolation,
                    "nodeClass": trace.place.node_class or "none",
                    "inputPlace": trace.input_place.value,
                    "exitCode": -1 if trace.ended.exit_code is None else trace.ended.exit_code,
                    "outcome": trace.ended.outcome.value,
                    "hardware": {
                        "cpu": trace.machine.cpu,
                        "cores": trace.machine.cores,
                        "memoryMib": trace.machine.memory_mib,
                        "accelerators": list(trace.machine.accelerators),
                    },
                    "privacy": [one.to_claims() for one in trace.privacy],
                },
                "resolvedDependencies": _dependencies(trace),
            },
            "runDetails": {
                "builder": {"id": f"urn:ringfence:operator:{runner}", "version": {"ringfence": version}},
                "metadata": {
                    "invocationId": trace.run,
                    "startedOn": to_text(trace.started_at),
                    "finishedOn": to_text(trace.ended_at),
                },
                "byproducts": []
                if envelope is None
                else [{"name": "run.manifest", "digest": {"sha256": envelope.hex}}],
            },
        },
    }


def _dependencies(trace: Trace) -> list[dict[str, Any]]:
    found = [
        {
            "uri": f"urn:ringfence:dataset:{given.dataset}:{given.epoch}",
            "name": given.name,
            "digest": {"sha256": given.seal.hex},
            "annotations": {
                "ciphertextRoot": str(given.ciphertext_root),
                "plaintextRoot": str(given.plaintext_root),
                "epoch": given.epoch,
            },
        }
        for given in trace.inputs
    ]
    found += [
        {
            "uri": "urn:ringfence:model",
            "name": base.path,
            "digest": {"sha256": base.digest.hex},
            "annotations": {"files": base.files, "changed": trace.base_changed},
        }
        for base in trace.bases
    ]
    if trace.difference.text:
        text = {"sha256": Digest.of(trace.difference.text.encode()).hex}
        found.append({"name": "diff", "digest": text, "mediaType": "text/x-diff"})
    if trace.code.kind is CodeKind.GIT and trace.code.commit:
        kind = "gitCommit"
        found.append({"uri": "urn:ringfence:code", "name": "commit", "digest": {kind: trace.code.commit}})
    named: dict[str, Entry] = {entry.path: entry for entry in (*trace.code.changes, *trace.code.shipped)}
    found += [
        {"name": path, "digest": {"sha256": entry.digest.hex}, "annotations": {"kind": entry.kind.value}}
        for path, entry in sorted(named.items())
        if entry.kind is not EntryKind.DELETED
    ]
    lock = {"name": "environment", "digest": {"sha256": lock_digest(trace.lock).hex}}
    return [*found, lock | {"annotations": {"python": trace.lock.python, "platform": trace.lock.platform}}]


def signed(document: dict[str, Any], *, runner: KeyId, sign: Callable[[bytes], bytes]) -> bytes:
    """Return a DSSE envelope around a statement."""
    payload = digest.dumps(document)
    return digest.dumps(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": runner, "sig": base64.b64encode(sign(pae(payload))).decode()}],
        }
    )
