"""A classification as statements: what may stand in a log for ever, without names and without the profile.

Format: docs/specs/predicates/entity.classification.md and ai.classification.md. Names of systems and the profile
itself go to the side records; the envelope keeps salted digests of them only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringfence.kernel.commitment import commit
from ringfence.kernel.digest import Digest, dumps
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.obligations.scope.answer import UNDETERMINED

ENTITY = PredicateName("entity.classification")
SYSTEM = PredicateName("ai.classification")

# The class that stands for a system with several, the gravest first.
GRAVITY = (
    "prohibited",
    "high_risk_annex_III",
    "high_risk_annex_I",
    "gpai_systemic",
    UNDETERMINED,
    "high_risk_annex_I_section_B",
    "gpai",
    "transparency",
    "minimal",
    "no_gpai_duty",
    "out_of_scope",
)


@dataclass(frozen=True, slots=True)
class Signing:
    """What an installation adds: its tenant, its own secret for opaque ids, and a fresh salt for the profile."""

    tenant: Tenant
    secret: bytes  # 32 bytes, kept by the installation, so that a system keeps its id from one signing to the next
    salt: bytes  # 32 fresh random bytes


def drafts(document: Mapping[str, Any], profile: str, signing: Signing) -> tuple[Draft, ...]:
    """Return one statement about the entity and one about each system; `profile` is the text of the file."""
    entity = descriptor(signing.secret, "entity", signing.tenant)
    systems = [descriptor(signing.secret, "system", name) for name in _names(document)]
    return _drafts(document, profile, signing.salt, Subject(f"entity/{signing.tenant}", entity), systems)


def check_shown(made: Sequence[Draft], document: Mapping[str, Any], profile: str, tenant: Tenant) -> None:
    """Return where drafts that somebody else made say what is shown here; only their salt and opaque ids are theirs.

    Raises:
        Refused: they say anything else.
        MalformedInput: their salt is none.
    """
    ids = [draft.subjects[0].digest for draft in made]
    if len(ids) != 1 + len(_names(document)) or len(set(map(_short, ids))) != len(ids):
        raise Refused("the server does not make one statement about the entity and one about each system")
    entity = Subject(f"entity/{tenant}", ids[0])
    if tuple(made) != _drafts(document, profile, salt_of(made[0].details), entity, ids[1:]):
        raise Refused("the server makes something else of this file than this program; is one of them older?")


def salt_of(details: Mapping[str, Any]) -> bytes:
    """Return the salt with which a profile was committed to; raise `MalformedInput` where there is none."""
    try:
        return bytes.fromhex(details["profileSalt"])
    except (LookupError, TypeError, ValueError) as error:
        raise MalformedInput("the salt of a profile is hexadecimal") from error


def _names(document: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(row["system"] for row in document["ai_act"]))


def _drafts(
    document: Mapping[str, Any], profile: str, salt: bytes, entity: Subject, systems: Sequence[Digest]
) -> tuple[Draft, ...]:
    named = list(zip(_names(document), systems, strict=True))
    rows = {name: [row for row in document["ai_act"] if row["system"] == name] for name, _ in named}
    about = (_system(name, digest, rows[name]) for name, digest in named)
    return (_entity(document, profile, sorted(map(_short, systems)), entity, salt), *about)


def descriptor(secret: bytes, kind: str, name: str) -> Digest:
    """Name a thing that has no digest of its own by the digest of a salted descriptor."""
    return Digest.of(secret + dumps({"kind": kind, "name": name}))


def _short(named: Digest) -> str:
    return named.hex[:12]


def _entity(document: Mapping[str, Any], profile: str, systems: list[str], subject: Subject, salt: bytes) -> Draft:
    sealed = commit({"profile": profile}, salt)
    claims: dict[str, Any] = {
        "category": document["nis2"]["category"],
        "provision": document["nis2"]["provision"],
        "entityTypes": document["nis2"]["types"],
        "jurisdiction": document["jurisdiction"],
        "sizeClass": document["size"],
        "profileDigest": str(sealed.commitment),
        "rulesDigest": document["rules"]["digest"],
        "undetermined": sorted({_impersonal(gap["subject"]) for gap in document["undetermined"]}),
        "systems": systems,
    }
    optional = {
        "binds2690": document["binds_2690"],
        "concerns2690": document["concerns_2690"],
        "supplyChainDutyOnly": document["supply_chain_duty_only"],
        "financialEntity": {"DORA": True, None: False}.get(document["lex_specialis"]),
        "personalData": document["personal_data"],
        "personalDataKind": document["personal_data_kind"],
        "products": _products(document),
    }
    claims |= {name: value for name, value in optional.items() if value is not None}
    return Draft(
        predicate=ENTITY,
        subjects=(subject,),
        claims=claims,
        strength=Strength.DOCUMENTED,
        details={"profile": profile, "profileSalt": salt.hex()},
    )


def _products(document: Mapping[str, Any]) -> list[str] | None:
    """Name role and class of each product, without its name; nothing where the profile does not list them."""
    if any(gap["subject"] == "products" for gap in document["undetermined"]):
        return None
    return sorted({f"{row['role']}:{row['class']}" for row in document["cra"]})


_LISTS = {
    "customer": "customers",
    "system": "ai_systems",
    "product": "products",
    "national": "national law",
    "fines:": "fines",
}


def _impersonal(subject: str) -> str:
    """Keep the kind of a subject and drop the name that the organisation gave it."""
    return _LISTS.get(subject.split(" ", maxsplit=1)[0], subject)


def _system(name: str, named: Digest, rows: Iterable[Mapping[str, Any]]) -> Draft:
    ordered = sorted(rows, key=lambda row: GRAVITY.index(row["class"]))
    gravest = ordered[0]
    claims: dict[str, Any] = {
        "system": _short(named),
        "role": gravest["role"],
        "class": gravest["class"],
        "provision": "; ".join(dict.fromkeys(row["provision"] for row in ordered)),
        "computeEstimated": gravest["compute_estimated"],
    }
    if gravest["applies_from"]:
        claims["appliesFrom"] = gravest["applies_from"]
    if all(UNDETERMINED not in (row["role"], row["class"]) for row in ordered):
        claims["roles"] = sorted({f"{row['role']}:{row['class']}" for row in ordered})
    return Draft(
        predicate=SYSTEM,
        subjects=(Subject(f"system/{_short(named)}", named),),
        claims=claims,
        strength=Strength.DOCUMENTED,
        details={"name": name},
    )
