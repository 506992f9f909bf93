"""The small pieces of an OSCAL document: tokens, UUIDs that follow from what they name, properties, metadata.

Nothing here is random and nothing asks the time: the same status gives the same bytes.
"""

import json
import re
import uuid
from datetime import datetime
from typing import Any

from ringfence.exports.kinds import Kind
from ringfence.exports.model import Facts, Json
from ringfence.kernel import digest
from ringfence.kernel.clock import to_text

OSCAL_VERSION = "1.2.1"  # what compliance-trestle 5.2 knows; later ones of the same series add nothing that is used
NAMESPACE = "urn:ringfence:oscal:v1"
TOKEN = re.compile(r"[A-Za-z_][A-Za-z0-9._-]*")  # the part of OSCAL's tokens that is ASCII
_UUIDS = uuid.uuid5(uuid.NAMESPACE_URL, NAMESPACE)


def identify(*names: str) -> str:
    """Return the UUID (version 5) of the thing with these names; other names never run into the same text."""
    return str(uuid.uuid5(_UUIDS, json.dumps(names, ensure_ascii=True)))


def component_uuid(facts: Facts, name: str) -> str:
    """Return the UUID of a component of the security plan."""
    return identify("component", facts.board.tenant, facts.log, name)


def control_id(name: str) -> str:
    """Return a control's id in OSCAL: GOV-01 becomes gov-01."""
    return name.lower()


def statement_id(name: str) -> str:
    """Return the id of the part that says what a control or an obligation asks."""
    return f"{control_id(name)}_smt"


def objective_id(requirement: str) -> str:
    """Return the id of the part that says which evidence shows a part of a control."""
    return f"{requirement}_obj"


def line(text: object) -> str:
    """Return a text on one line, as titles and values of properties have to be."""
    return " ".join(str(text).split())


def prop(name: str, value: object) -> Json:
    """Return a property of ours; booleans and numbers as they stand in JSON."""
    text = value if isinstance(value, str) else json.dumps(value)
    return {"name": name, "ns": NAMESPACE, "value": line(text)}


def props(**values: object) -> list[Json]:
    """Return properties by name, underscores as hyphens; what is None or empty is left out."""
    return [prop(name.replace("_", "-"), value) for name, value in values.items() if value not in (None, "")]


def moment(at: datetime | None) -> str | None:
    """Return a time with its zone, or None."""
    return to_text(at) if at is not None else None


def document(kind: Kind, facts: Facts, title: str, body: Json, remarks: str) -> Json:
    """Return a whole document: its metadata, and a UUID that changes when anything in it does."""
    mark = "DEMO DATA: " if facts.board.demo else ""
    metadata: Json = {
        "title": line(f"{mark}{title}"),
        "last-modified": to_text(facts.board.as_of),
        "version": str(facts.board.rules),
        "oscal-version": OSCAL_VERSION,
        "props": props(
            tenant=facts.board.tenant, log=facts.log, as_of=moment(facts.board.as_of), demo=facts.board.demo
        ),
        "remarks": remarks,
    }
    whole = {"metadata": metadata, **body}
    return {kind.value: {"uuid": identify("document", kind, str(digest.Digest.of(digest.dumps(whole)))), **whole}}


def written(value: Any) -> bytes:
    """Return a document as the bytes of its file."""
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


def selected(facts: Facts) -> Json:
    """Return what is assessed: the controls of which something is asked, and their objectives."""
    controls = [{"control-id": control_id(result.control.id)} for result in facts.assessed]
    objectives = [
        {"objective-id": objective_id(part.requirement.id)} for r in facts.assessed for part in facts.counted(r)
    ]
    return {
        "control-selections": [{"include-controls": controls}],
        "control-objective-selections": [{"include-objectives": objectives}],
    }
