"""The trust file: strict, bounded, and a fingerprint that can be read over the telephone."""

import json
from typing import Any

import pytest

from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.ledger import note, trust
from ringfence.ledger.model import Trust
from ringfence.ledger.tree import EMPTY_ROOT
from ringfence.testing.anchors import LabAuthority, witness_keys
from ringfence.testing.keys import ORIGIN, ed25519, head, log_keys, public

ROOT = public(ed25519(9))
HEADS = (head(7, bytes(32)).note, head(0, EMPTY_ROOT).note)
HELD = Trust(ORIGIN, ROOT, log_keys(), HEADS)
DOCUMENT: dict[str, Any] = json.loads(trust.to_text(HELD))


def test_a_trust_file_reads_back() -> None:
    assert trust.parse(trust.to_text(HELD)) == HELD
    assert trust.parse(trust.to_text(HELD).encode()) == HELD
    assert {
        "format": "urn:ringfence:trust:v1",
        "log": ORIGIN,
        "root": note.encode_base64(ROOT),
        "logKeys": list(log_keys()),
        "heads": list(HEADS),
    } == DOCUMENT


def test_heads_are_opened_smallest_first() -> None:
    assert [signed.checkpoint.size for signed in trust.open_heads(HELD)] == [0, 7]
    assert trust.open_heads(Trust(ORIGIN, ROOT, log_keys(), ())) == ()


def test_a_head_by_another_log_is_refused_when_it_is_opened() -> None:
    with pytest.raises(VerificationFailed):
        trust.open_heads(Trust(ORIGIN, ROOT, log_keys(), (head(7, bytes(32), seed=2).note,)))


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "urn:ringfence:trust:v2"},
        {"witnesses": [], "timestampAuthorities": [], "quorum": 0},
        {"format": None},
        {"log": "Not an origin"},
        {"log": "example.eu/other"},
        {"root": "AAAA"},
        {"root": note.encode_base64(ROOT).rstrip("=")},
        {"root": 7},
        {"logKeys": list(log_keys())[:1]},
        {"logKeys": list(reversed(log_keys()))},
        {"logKeys": [*log_keys(), log_keys()[0]]},
        {"logKeys": [1, 2]},
        {"heads": None},
        {"heads": [7]},
        {"heads": ["no checkpoint"]},
        {"heads": [HEADS[0]] * (trust.MAX_HEADS + 1)},
        {"heads": ["\ud800"]},
        {"more": True},
    ],
)
def test_any_other_document_is_refused_with_its_source(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedInput, match=r"^trust\.json"):
        trust.parse(json.dumps({**DOCUMENT, **changes}), source="trust.json")


@pytest.mark.parametrize("missing", sorted(DOCUMENT))
def test_every_field_is_required(missing: str) -> None:
    with pytest.raises(MalformedInput, match="not a trust file"):
        trust.parse(json.dumps({name: value for name, value in DOCUMENT.items() if name != missing}))


@pytest.mark.parametrize("data", [b"", b"[]", b"\xff", b'{"format":1,"format":2}', b" " * (trust.MAX_TRUST + 1)])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        trust.parse(data)


def test_the_fingerprint_is_the_digest_of_the_root_key_and_can_be_read_aloud() -> None:
    full, spoken = trust.fingerprint(ROOT), trust.spoken_fingerprint(ROOT)
    assert full == "sha256:" + full.removeprefix("sha256:")
    assert len(full) == 71
    assert [len(group) for group in spoken.split(" ")] == [4] * 6
    assert full.removeprefix("sha256:").startswith(spoken.replace(" ", ""))


# Version 2: witnesses, time-stamping authorities, a quorum

KEYS = [str(key.public) for key in witness_keys()]
WITNESSES = [{"vkey": KEYS[0], "party": "Auditor GmbH"}, {"vkey": KEYS[1], "party": "Auditor GmbH"}]
NEWER = {**DOCUMENT, "format": "urn:ringfence:trust:v2", "witnesses": WITNESSES, "quorum": 1}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    return note.encode_base64(LabAuthority.make(tmp_path_factory.mktemp("tsa") / "lab").certificate)


@pytest.fixture(scope="module")
def newer(certificate: str) -> dict[str, Any]:
    return {**NEWER, "timestampAuthorities": [{"certificate": certificate, "party": "Stamps AG"}]}


def test_version_2_reads_back(newer: dict[str, Any]) -> None:
    found = trust.parse(json.dumps(newer))
    assert [(each.name, each.vkey, each.party) for each in found.witnesses] == [
        ("witness.example/w1", vkey, "Auditor GmbH") for vkey in KEYS
    ]
    assert [each.party for each in found.authorities] == ["Stamps AG"]
    assert found.quorum == 1
    assert trust.parse(trust.to_text(found)) == found
    assert json.loads(trust.to_text(found)) == newer


def test_a_file_that_names_nobody_stays_one_of_version_1() -> None:
    assert json.loads(trust.to_text(trust.parse(trust.to_text(HELD))))["format"] == "urn:ringfence:trust:v1"


@pytest.mark.parametrize(
    "changes",
    [
        {"witnesses": WITNESSES * 2},
        {"witnesses": [*WITNESSES, {"vkey": log_keys()[1], "party": "Another"}]},  # the log's own ML-DSA-44 key
        {"witnesses": [{"vkey": log_keys()[0], "party": "Another"}]},
        {"witnesses": [{"vkey": KEYS[0]}]},
        {"witnesses": [{"vkey": KEYS[0], "party": "A", "more": 1}]},
        {"witnesses": [{"vkey": KEYS[0], "party": ""}]},
        {"witnesses": [{"vkey": KEYS[0], "party": "Operator"}]},  # it would count as somebody else
        {"witnesses": [{"vkey": KEYS[0], "party": "A GmbH"}, {"vkey": KEYS[1], "party": "a  gmbh"}]},
        {"witnesses": [{"vkey": KEYS[0], "party": "A\n"}]},
        {"witnesses": [{"vkey": KEYS[0], "party": "A" * 65}]},
        {"witnesses": [{"vkey": 7, "party": "A"}]},
        {"witnesses": {}},
        {"quorum": -1},
        {"quorum": True},
        {"quorum": "1"},
        {"quorum": 2},  # one other party is named
        {"witnesses": [{"vkey": KEYS[0], "party": "operator"}]},  # the operator meets no quorum
        {"timestampAuthorities": [{"certificate": "AAAA", "party": "A"}]},
        {"timestampAuthorities": [{"party": "A"}]},
        {"timestampAuthorities": [7]},
        {"format": "urn:ringfence:trust:v1"},
        {"more": True},
    ],
)
def test_any_other_version_2_is_refused(newer: dict[str, Any], changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedInput, match=r"^trust\.json"):
        trust.parse(json.dumps({**newer, **changes}), source="trust.json")


def test_one_key_under_two_names_is_refused(newer: dict[str, Any]) -> None:
    """Else one key, named twice, would be a quorum of two."""
    again = [{"vkey": str(key.public), "party": "Another"} for key in witness_keys("w.example/again")]
    with pytest.raises(MalformedInput, match="named twice"):
        trust.parse(json.dumps({**newer, "witnesses": [*WITNESSES, *again]}))


@pytest.mark.parametrize("missing", ["witnesses", "timestampAuthorities", "quorum"])
def test_version_2_has_all_its_fields(newer: dict[str, Any], missing: str) -> None:
    with pytest.raises(MalformedInput, match="not a trust file"):
        trust.parse(json.dumps({name: value for name, value in newer.items() if name != missing}))
