"""A classification as statements: what may stand in a log for ever, without names and without the profile.

Format: docs/specs/predicates/entity.classification.md and ai.classification.md. Names of systems and the profile
itself go to the side records; the envelope keeps salted digests of them only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ringfence.kernel.commitment import commit
from ringfence.kernel.digest import Digest, dumps
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
    names = dict.fromkeys(row["system"] for row in document["ai_act"])
    named = {name: descriptor(signing.secret, "system", name) for name in names}
    rows = {name: [row for row in document["ai_act"] if row["system"] == name] for name in names}
    systems = (_system(name, named[name], rows[name]) for name in names)
    return (_entity(document, profile, sorted(_short(one) for one in named.values()), signing), *systems)


def descriptor(secret: bytes, kind: str, name: str) -> Digest:
    """Name a thing that has no digest of its own by the digest of a salted descriptor."""
    return Digest.of(secret + dumps({"kind": kind, "name": name}))


def _short(named: Digest) -> str:
    return named.hex[:12]


def _entity(document: Mapping[str, Any], profile: str, systems: list[str], signing: Signing) -> Draft:
    sealed = commit({"profile": profile}, signing.salt)
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
    optional = {"binds2690": document["binds_2690"], "supplyChainDutyOnly": document["supply_chain_duty_only"]}
    claims |= {name: value for name, value in optional.items() if value is not None}
    return Draft(
        predicate=ENTITY,
        subjects=(Subject(f"entity/{signing.tenant}", descriptor(signing.secret, "entity", signing.tenant)),),
        claims=claims,
        strength=Strength.DOCUMENTED,
        details={"profile": profile, "profileSalt": signing.salt.hex()},
    )


_LISTS = {"customer": "customers", "system": "ai_systems", "product": "products", "national": "national law"}


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
    return Draft(
        predicate=SYSTEM,
        subjects=(Subject(f"system/{_short(named)}", named),),
        claims=claims,
        strength=Strength.DOCUMENTED,
        details={"name": name},
    )
