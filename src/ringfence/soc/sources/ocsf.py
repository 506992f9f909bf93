"""Events as OCSF 1.9 documents: Authentication (3002), Network (4001) and API Activity (6003), and the raw line."""

import hashlib
from typing import Any

from ringfence.kernel.errors import UsageError
from ringfence.soc.model import Event
from ringfence.soc.sources.lines import encoded

VERSION = "1.9.0-dev"
PRODUCT = {"name": "Ringfence", "vendor_name": "Ringfence"}
_STATUS = {"Success": 1, "Failure": 2}
_DISPOSITION = {"Allowed": (1, 1), "Blocked": (2, 2)}  # action_id, disposition_id


def document(event: Event) -> dict[str, Any]:
    """Return an event as OCSF names it.

    Raw bytes that are no UTF-8 cannot stand in JSON: `raw_data` then has escapes, and the hash is of the true bytes.
    """
    makers = {"sshd": _authentication, "flow": _network, "gateway": _api}
    maker = makers.get(event.source)
    if maker is None:
        raise UsageError(f"there is no OCSF class for the source {event.source[:40]!r}")
    raw = encoded(event.raw)
    return {
        **_common(event),
        **maker(event),
        "count": event.repeats,
        "raw_data": raw.decode("utf-8", "backslashreplace"),
        "raw_data_hash": {"algorithm_id": 3, "algorithm": "SHA-256", "value": hashlib.sha256(raw).hexdigest()},
        "raw_data_size": len(raw),
    }


def _common(event: Event) -> dict[str, Any]:
    fields = event.fields
    status = str(fields.get("status", ""))
    return {
        "time": _milliseconds(event.at),
        "severity_id": 1 if status == "Success" else 2,
        "severity": "Informational" if status == "Success" else "Low",
        "status": status,
        "status_id": _STATUS.get(status, 0),
        "src_endpoint": _part(fields, "src_endpoint."),
        "device": {"hostname": str(fields.get("device.hostname") or "unknown"), "type_id": 0, "type": "Unknown"},
        "unmapped": _unmapped(event),
    }


def _unmapped(event: Event) -> dict[str, Any]:
    found = _part(event.fields, "unmapped.")
    pid = event.fields.get("process.pid")
    return {**found, "reported_by_transport": event.node is not None, **({"pid": str(pid)} if pid else {})}


def _authentication(event: Event) -> dict[str, Any]:
    method = str(event.fields.get("auth_protocol") or "")
    return {
        "category_uid": 3,
        "class_uid": 3002,
        "activity_id": 1,
        "activity_name": "Logon",
        "type_uid": 300201,
        "user": {"name": str(event.fields.get("user.name") or "unknown").encode("utf-8", "replace").decode("utf-8")},
        "service": {"name": "sshd"},
        "auth_protocol_id": 99 if method else 0,
        "auth_protocol": method or "Unknown",
        "metadata": _metadata(event, ["host"]),
    }


def _network(event: Event) -> dict[str, Any]:
    fields = event.fields
    disposition = str(fields.get("disposition"))
    action, number = _DISPOSITION.get(disposition, (0, 0))
    return {
        "category_uid": 4,
        "class_uid": 4001,
        "activity_id": 1,
        "activity_name": "Open",
        "type_uid": 400101,
        "dst_endpoint": _part(fields, "dst_endpoint."),
        "connection_info": {**_part(fields, "connection_info."), "direction_id": 0},
        "traffic": _part(fields, "traffic."),
        "action_id": action,
        "disposition_id": number,
        "disposition": disposition,
        "metadata": _metadata(event, ["host", "security_control"]),
    }


def _api(event: Event) -> dict[str, Any]:
    fields = event.fields
    created = fields.get("activity_name") == "Create"
    key = str(fields.get("actor.user.uid") or "unknown")
    return {
        "category_uid": 6,
        "class_uid": 6003,
        "activity_id": 1 if created else 2,
        "activity_name": "Create" if created else "Read",
        "type_uid": 600301 if created else 600302,
        "actor": {"user": {"uid": key, "name": key, "type_id": 0, "type": "Unknown"}},
        "api": {"operation": str(fields.get("api.operation")), "service": {"name": "gateway"}},
        "http_request": _part(fields, "http_request."),
        "http_response": _part(fields, "http_response."),
        "metadata": _metadata(event, ["host"]),
    }


def _metadata(event: Event, profiles: list[str]) -> dict[str, Any]:
    return {
        **_part(event.fields, "metadata."),
        "version": VERSION,
        "product": PRODUCT,
        "profiles": profiles,
        "log_name": event.source,
        "logged_time": _milliseconds(event.received_at),
    }


def _part(fields: Any, prefix: str) -> dict[str, Any]:
    """Return the attributes of one object; a port that nobody named is left out."""
    found = {name[len(prefix) :]: value for name, value in fields.items() if name.startswith(prefix)}
    return {name: value for name, value in found.items() if value not in ("", None) and (name, value) != ("port", 0)}


def _milliseconds(at: Any) -> int:
    return int(at.timestamp() * 1000)
