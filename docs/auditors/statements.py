"""Read signed statements strictly: called by verify_pack.py beside it, for the header and every record in full.

Form: docs/specs/statement.md, and docs/specs/predicates/key.enrolled.md of the claim `tenantTag`. Needs Python 3.11,
nothing else. Take this file from where you took verify_pack.py. Shown: every reader of these bytes reads the same.
"""

import json
import re

TYPE, MOST, PAYLOAD = "https://in-toto.io/Statement/v1", 1024, 256 * 2**10
ISSUANCE = {"idempotencyKey", "issuedAt", "issuer", "log", "nonce", "sequence", "strength", "tenant"}
STRENGTHS = {"declared", "documented", "observed", "countersigned", "lab-attested", "attested"}
HEX, WHOLE = "[0-9a-f]{64}", 2**53
DIGEST = re.compile(f"(?:sha256:)?{HEX}")
ORIGIN, RECORDS, STAMPS = "[a-z0-9][a-z0-9./-]{2,126}[a-z0-9]", 250_000, 16_384
PREDICATE = re.compile(r"urn:ringfence:(?=.{3,128}:v1$)[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+:v1")
NOTE = (
    "NOTE: no enrolment here names the numbering that the root signed for: a second one of the same tenant, kept from "
    "its first day on, is not excluded; compare tenantSalt with that of other packs"
)


def ensure(holds, reason, value=None):
    if not holds:
        raise ValueError(reason)
    return value


def once(pairs):
    return ensure(len(dict(pairs)) == len(pairs), "a name stands twice", dict(pairs))


def whole(text):  # int() refuses a fraction and NaN
    return ensure(abs(int(text)) <= WHOLE, "a number is too large", int(text))


def strictly(data):
    """Return what JSON says that can be read in one way only: no name twice, whole numbers."""
    return json.loads(data, object_pairs_hook=once, parse_int=whole, parse_float=whole, parse_constant=whole)


def is_subject(subject):
    known = subject.keys() == {"digest", "name"} and subject["digest"].keys() == {"sha256"}
    return known and re.fullmatch("[ -~]{1,256}", subject["name"]) and DIGEST.fullmatch(subject["digest"]["sha256"])


def parse(payload):
    """Return a signed statement that has exactly the fields of one, each of its form."""
    statement = strictly(payload)
    form = statement.keys() == {"_type", "predicate", "predicateType", "subject"} and len(payload) <= PAYLOAD
    predicate, subjects = statement["predicate"], statement["subject"]
    issuance, claims = predicate["issuance"], predicate["claims"]
    form = form and predicate.keys() - {"details"} == {"claims", "issuance"} and type(claims) is dict
    form = form and ("details" not in predicate or DIGEST.fullmatch(predicate["details"]))
    form = form and statement["_type"] == TYPE and PREDICATE.fullmatch(statement["predicateType"])
    form = form and type(subjects) is list and 1 <= len(subjects) <= MOST and all(map(is_subject, subjects))
    form = form and issuance.keys() - {"demo", "late"} == ISSUANCE and issuance["strength"] in STRENGTHS
    form = form and all(issuance.get(flag, True) is True for flag in ("demo", "late"))
    form = form and re.fullmatch("[0-9a-f]{32}", issuance["nonce"]) and type(issuance["idempotencyKey"]) is str
    form = form and 1 <= len(issuance["idempotencyKey"]) <= 128
    form = form and type(issuance["sequence"]) is int and issuance["sequence"] >= 1
    form = form and (not is_enrolment(statement) or re.fullmatch(HEX, claims.get("tenantTag", "0" * 64)))
    return ensure(form, "it is no statement of ours", statement)


def is_pinned(statement, tag):
    """Tell whether an enrolment is for the numbering under this tag; anything else is for every one."""
    named = statement["predicate"]["claims"].get("tenantTag")
    return not is_enrolment(statement) or named is None or (tag is not None and named == tag.hex())


def is_enrolment(statement):
    return statement["predicateType"] == "urn:ringfence:key.enrolled:v1"


def check_header(header):
    named = re.fullmatch("[a-z][a-z0-9-]{0,31}", header["tenant"]) and re.fullmatch(ORIGIN, header["log"])
    scope = {"controls": [], "predicates": ["all"]} if header["scope"] is None else header["scope"]
    whole = scope.keys() == {"controls", "predicates"} and scope["predicates"] and header["records"] <= RECORDS
    ensure(named and whole and header["tenantSalt"] != "" and type(header["openings"]) is str, "bad header")


def told(records, trust, heads):
    """Return how many records there are; say what is not excluded by what the reader holds, and by the root's word."""
    stamps = sum(len(tokens) for line in heads if type(tokens := line.get("timestamps")) is list)
    ensure(stamps <= STAMPS, "a pack holds fewer time stamps")
    if not trust["heads"]:
        print("NOTE: rebuild or rollback not excluded: the trust file holds no head that was kept outside")
    if not any(record.name == "key.enrolled" and "tenantTag" in record.claims for record in records):
        print(NOTE)
    digests = sum(not record.name for record in records)
    return f"{len(records)} records" + f" ({digests} as digests: ask for what they say)" * bool(digests)


def read_trust(data):
    """Return a trust file."""
    trust = strictly(data)
    return ensure(re.fullmatch("urn:ringfence:trust:v[12]", trust["format"]), "no trust file", trust)
