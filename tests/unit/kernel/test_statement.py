import copy

import pytest

from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.kernel.statement import MAX_SUBJECTS, KeyRole, Strength, Subject, parse_payload, to_payload
from ringfence.testing import keys

SIGNED = keys.state(keys.ed25519(7), "dataset.sealed", {"objects": 3}, Subject("dataset/a", Digest.of(b"a")))
DOCUMENT = digest.loads(SIGNED.payload)
SUBJECT = DOCUMENT["subject"][0]


def with_value(path, value):
    document = copy.deepcopy(DOCUMENT)
    place = document
    for name in path[:-1]:
        place = place[name]
    if value is KeyError:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return digest.dumps(document)


ISSUANCE = ("predicate", "issuance")
BAD = [
    (("_type",), "https://in-toto.io/Statement/v0.1"),
    (("_type",), KeyError),
    (("extra",), 1),
    (("subject",), []),
    (("subject",), [SUBJECT] * (MAX_SUBJECTS + 1)),
    (("subject",), [{**SUBJECT, "uri": "x"}]),
    (("subject",), [{"name": "", "digest": SUBJECT["digest"]}]),
    (("subject",), [{"name": "a" * 257, "digest": SUBJECT["digest"]}]),
    (("subject",), [{"name": "a\u001b[2J", "digest": SUBJECT["digest"]}]),
    (("subject",), [{"name": "dätä", "digest": SUBJECT["digest"]}]),
    (("subject",), [{"name": "a", "digest": {}}]),
    (("subject",), [{"name": "a", "digest": {**SUBJECT["digest"], "md5": "0"}}]),
    (("subject",), [{"name": "a", "digest": {"sha256": "0"}}]),
    (("subject",), ["a"]),
    (("predicateType",), "https://slsa.dev/provenance/v1"),
    (("predicate", "claims"), []),
    (("predicate", "claims"), KeyError),
    (("predicate", "extra"), 1),
    (("predicate", "details"), "no digest"),
    ((*ISSUANCE, "sequence"), 0),
    ((*ISSUANCE, "sequence"), -1),
    ((*ISSUANCE, "sequence"), True),
    ((*ISSUANCE, "sequence"), "1"),
    ((*ISSUANCE, "nonce"), "0" * 31),
    ((*ISSUANCE, "nonce"), "G" * 32),
    ((*ISSUANCE, "idempotencyKey"), ""),
    ((*ISSUANCE, "idempotencyKey"), "a" * 129),
    ((*ISSUANCE, "strength"), "strong"),
    ((*ISSUANCE, "strength"), 3),
    ((*ISSUANCE, "issuedAt"), "2026-11-22"),
    ((*ISSUANCE, "demo"), False),
    ((*ISSUANCE, "late"), 1),
    ((*ISSUANCE, "other"), 1),
    ((*ISSUANCE, "tenant"), "../x"),
    ((*ISSUANCE, "issuer"), KeyError),
]


@pytest.mark.parametrize(("path", "value"), BAD, ids=lambda value: str(value)[:40])
def test_what_is_no_statement_is_refused_with_its_source(path, value):
    with pytest.raises(MalformedInput, match=r"^here"):
        parse_payload(with_value(path, value), source="here")


def test_marks_are_read():
    demo = parse_payload(with_value((*ISSUANCE, "demo"), True))
    late = parse_payload(with_value((*ISSUANCE, "late"), True))
    assert (demo.issuance.demo, demo.issuance.late) == (True, False)
    assert (late.issuance.demo, late.issuance.late) == (False, True)


def test_what_cannot_be_read_back_is_never_printed():
    statement = SIGNED.statement
    with pytest.raises(MalformedInput):
        to_payload(type(statement)(statement.predicate, statement.subjects, {"ratio": 0.5}, statement.issuance))
    with pytest.raises(MalformedInput):
        to_payload(type(statement)(statement.predicate, (), statement.claims, statement.issuance))


@pytest.mark.parametrize("role", KeyRole)
def test_no_key_of_ours_is_another_partys_and_one_alone_passes_on_what_hardware_says(role):
    claimed = {strength for strength in Strength if role.may_claim(strength)}
    own = {Strength.DECLARED, Strength.DOCUMENTED, Strength.OBSERVED}
    more = {Strength.LAB_ATTESTED, Strength.ATTESTED} if role is KeyRole.CONTROL_PLANE else set()
    assert claimed == own | more


def test_the_strengths_are_ordered_and_named():
    names = ["declared", "documented", "observed", "countersigned", "lab-attested", "attested"]
    assert [strength.text for strength in sorted(Strength)] == names
    assert [Strength.parse(name) for name in names] == sorted(Strength)
