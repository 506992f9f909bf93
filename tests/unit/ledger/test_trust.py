"""The trust file: strict, bounded, and a fingerprint that can be read over the telephone."""

import json
from typing import Any

import pytest

from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.ledger import note, trust
from ringfence.ledger.model import Trust
from ringfence.ledger.tree import EMPTY_ROOT
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
