"""OCSF documents, held against the schema's own files."""

import hashlib
import io
import json
import os
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ringfence.kernel.errors import UsageError
from ringfence.soc.model import Event
from ringfence.soc.sources.auth import AuthLog
from ringfence.soc.sources.flow import FlowLog
from ringfence.soc.sources.gateway import GatewayLog
from ringfence.soc.sources.lines import decoded, encoded
from ringfence.soc.sources.ocsf import document
from ringfence.testing.accesses import STRANGER, access

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SCHEMA = "schemas/ocsf-schema-1.9.0-dev.tar.gz"
LINES = (
    "2026-03-07T01:02:03Z Failed password for invalid user \udcff from 192.0.2.1 port 22022 ssh2",
    "2026-03-07T01:02:03Z Accepted publickey for root from 192.0.2.1 port 22022 ssh2: RSA SHA256:" + "a" * 43,
    "Mar  7 01:02:03 a sshd[7]: Unable to negotiate with 2001:db8::1 port 22: no matching MAC found. Their offer: x",
    "Mar  7 01:02:03 a sshd[7]: Failed password for root from a.example port 22022 ssh2",
)
FLOW = (
    '{"source_node": "n-0000000a", "source": "10.9.0.2", "target": "10.9.0.6", "protocol": "tcp", "port": 22,'
    ' "packets": 1, "bytes": 60, "verdict": "denied"}'
)
MADE = {"category_uid", "class_uid", "type_uid"}  # their enums are made by the schema compiler
TYPES = {"integer_t": int, "long_t": int, "timestamp_t": int, "port_t": int, "boolean_t": bool, "json_t": object}


def events() -> list[Event]:
    found = [AuthLog("n-0000000a").read(line, NOW, "file:1") for line in LINES]
    found += [AuthLog().read(LINES[3], NOW), FlowLog().read(FLOW, NOW)]
    found += [
        GatewayLog().read(line, NOW)
        for line in (access(guard=["reveal.en"]), access(**STRANGER), access(route="models"))
    ]
    return [event for event in found if event is not None]


class Schema:
    """As much of OCSF's source form as judges a document: inheritance, profiles, required, enums, types."""

    def __init__(self, archive: Path) -> None:
        with tarfile.open(archive) as tar:
            self.files = {
                each.name.removeprefix("./"): json.load(io.TextIOWrapper(tar.extractfile(each) or io.BytesIO(b"{}")))
                for each in tar
                if each.isfile() and each.name.endswith(".json")
            }
        self.named = {
            (kind, each["name"]): each
            for path, each in self.files.items()
            for kind in ("events", "objects")
            if path.startswith(f"{kind}/") and "name" in each
        }
        self.dictionary = self.files["dictionary.json"]["attributes"]

    def definition(self, kind: str, name: str, profiles: list[str]) -> tuple[dict[str, Any], dict[str, Any]]:
        own = self.named[(kind, name)]
        attributes, constraints = self.definition(kind, own["extends"], profiles) if "extends" in own else ({}, {})
        attributes = dict(attributes)
        given = dict(own.get("attributes", {}))
        for path in given.pop("$include", []):
            profile = self.files[path]
            if profile.get("meta") != "profile" or profile["name"] in profiles:
                given = {**profile["attributes"], **given}
        for attribute, told in given.items():
            attributes[attribute] = {**attributes.get(attribute, {}), **told}
        return attributes, {**constraints, **own.get("constraints", {})}

    def faults(self, kind: str, name: str, value: dict[str, Any], profiles: list[str], where: str) -> list[str]:
        attributes, constraints = self.definition(kind, name, profiles)
        found = [f"{where}.{each}: not in {name}" for each in value if each not in attributes]
        found += [
            f"{where}.{each}: required"
            for each, told in attributes.items()
            if told.get("requirement") == "required" and each not in value
        ]
        if any(not set(some) & set(value) for rule, some in constraints.items() if rule == "at_least_one"):
            found.append(f"{where}: at least one of {constraints['at_least_one']}")
        for each, given in value.items():
            found += self.attribute(
                each, {**self.dictionary.get(each, {}), **attributes.get(each, {})}, given, profiles, where
            )
        return found

    def attribute(self, name: str, told: dict[str, Any], value: Any, profiles: list[str], where: str) -> list[str]:
        place, kind = f"{where}.{name}", told.get("type", "")
        enum = {**self.dictionary.get(name, {}).get("enum", {}), **told.get("enum", {})}
        if enum and name not in MADE and str(value) not in enum:
            return [f"{place}: {value!r} is not in the enum"]
        if kind in {"object_t", ""} or ("objects", kind) in self.named:
            target = told.get("object_type", kind)
            if target in {"object", ""}:
                return [] if isinstance(value, dict) else [f"{place}: no object"]
            return (
                self.faults("objects", target, value, profiles, place)
                if isinstance(value, dict)
                else [f"{place}: no object"]
            )
        wanted = TYPES.get(kind, str)
        given = value if told.get("is_array") else [value]
        return [f"{place}: {value!r} is no {kind}" for each in given if not isinstance(each, wanted)]


@pytest.fixture(scope="module")
def schema() -> Schema:
    folder = os.environ.get("RINGFENCE_DATA", "")
    path = Path(folder, SCHEMA)
    if not folder or not path.exists():
        pytest.skip(f"RINGFENCE_DATA names no folder with {SCHEMA}")
    return Schema(path)


def test_documents_follow_the_schema(schema: Schema) -> None:
    found = [document(event) for event in events()]
    assert len(found) == 9
    for each in found:
        name = {3002: "authentication", 4001: "network_activity", 6003: "api_activity"}[each["class_uid"]]
        own = schema.named[("events", name)]["uid"]
        assert each["class_uid"] == each["category_uid"] * 1000 + own
        assert each["type_uid"] == each["class_uid"] * 100 + each["activity_id"]
        assert schema.faults("events", name, each, each["metadata"]["profiles"], name) == []


@pytest.mark.parametrize(
    "change", [{"activity_id": 44}, {"nonsense": 1}, {"user": {}}, {"time": "now"}, {"severity_id": None}]
)
def test_the_check_sees_faults(schema: Schema, change: dict[str, object]) -> None:
    broken = {**document(events()[0]), **change}
    if broken["severity_id"] is None:
        del broken["severity_id"]
    assert schema.faults("events", "authentication", broken, ["host"], "authentication") != []


def test_raw_is_kept_byte_by_byte() -> None:
    raw = LINES[0].encode("utf-8", "surrogateescape")
    event = AuthLog("n").read(decoded(raw), NOW)
    assert event is not None
    assert encoded(event.raw) == raw
    told = document(event)
    assert told["raw_data_hash"]["value"] == hashlib.sha256(raw).hexdigest()
    assert told["raw_data_size"] == len(raw)
    assert json.dumps(told).encode()


def test_an_unknown_source_has_no_class() -> None:
    with pytest.raises(UsageError, match="no OCSF class"):
        document(Event(NOW, NOW, "smoke", None, {}, ""))
