"""A rule as a person signs it, and as it is read back from the log. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from ringfence.attestation.model import Family
from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, UsageError
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Statement, Strength, Subject
from ringfence.keyrelease.model import MAX_LIST, PlaceKind, Rule, minutes

ALLOWED = PredicateName("key.release_allowed")
STRENGTH = Strength.DOCUMENTED
DEFAULT_MINUTES = 15
_DATASET = re.compile(r"[0-9a-f]{32}")
_PURPOSE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_CLASS = re.compile(r"[a-z][a-z-]{0,15}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_KEY = re.compile(r"[0-9a-f]{64}")


def draft(rule: Rule) -> Draft:
    """State who may get the key of a dataset; it takes the place of the rule before."""
    claims = {
        "dataset": dataset(rule.dataset),
        "purposes": sorted(map(purpose, rule.purposes)),
        "workloads": sorted(map(str, rule.workloads)),
        "classes": sorted(map(node_class, rule.classes)),
        "families": sorted(map(family, rule.families)),
        "places": sorted(map(country, rule.places)),
        "placeKinds": sorted(kind.value for kind in rule.place_kinds),
        "references": sorted(map(str, rule.references)),
        "registers": sorted(map(register_key, rule.registers)),
        "softwareTpm": rule.software_tpm,
        "minutes": minutes(rule.minutes),
    }
    return Draft(ALLOWED, (subject(rule.dataset),), claims, STRENGTH)


def subject(name: str) -> Subject:
    """Return how rules name their dataset, whatever its epoch."""
    return Subject(f"dataset/{name}", Digest.of(digest.dumps({"dataset": name})))


def read(statement: Statement) -> Rule:
    """Return what a `key.release_allowed` statement says, or raise `MalformedInput`."""
    if statement.predicate != ALLOWED or statement.issuance.strength is not STRENGTH:
        raise MalformedInput(f"a rule is a statement {ALLOWED} of the strength {STRENGTH.text}")
    claims = statement.claims
    if claims.keys() != _SHAPE.keys():
        raise MalformedInput(f"the claims of {ALLOWED} are {', '.join(_SHAPE)}")
    found = {name: _checked(name, check, claims[name]) for name, check in _SHAPE.items()}
    if statement.subjects != (subject(found["dataset"]),):
        raise MalformedInput("a rule has one subject: its dataset")
    return Rule(
        dataset=found["dataset"],
        purposes=found["purposes"],
        workloads=found["workloads"],
        classes=found["classes"],
        families=found["families"],
        places=found["places"],
        place_kinds=found["placeKinds"],
        references=found["references"],
        registers=found["registers"],
        software_tpm=found["softwareTpm"],
        minutes=found["minutes"],
    )


def _checked(name: str, check: Callable[[object], Any], value: object) -> Any:
    try:
        return check(value)
    except UsageError as error:
        raise MalformedInput(f"claim {name}: {error}") from error


def _matched(pattern: re.Pattern[str], text: object, what: str) -> str:
    if not isinstance(text, str) or not pattern.fullmatch(text):
        raise MalformedInput(f"{str(text)[:80]!r} is not {what}")
    return text


def dataset(text: object) -> str:
    """Parse a dataset's id."""
    return _matched(_DATASET, text, "a dataset id (32 hexadecimal digits)")


def purpose(text: object) -> str:
    """Parse the short code that says what a key is for."""
    return _matched(_PURPOSE, text, "a purpose code (lower-case letters, digits, hyphens, at most 32)")


def node_class(text: object) -> str:
    """Parse the name of a class of node."""
    return _matched(_CLASS, text, "a class of node")


def country(text: object) -> str:
    """Parse a country's code."""
    return _matched(_COUNTRY, text, "a country code of two capital letters (ISO 3166-1), such as DE")


def register_key(text: object) -> str:
    """Parse the public key of a site register."""
    return _matched(_KEY, text, "an Ed25519 public key (64 hexadecimal digits)")


def family(text: object) -> str:
    """Parse a kind of evidence."""
    if text not in {known.value for known in Family}:
        raise MalformedInput(f"a kind of evidence is one of {', '.join(known.value for known in Family)}")
    return str(text)


def _kind(text: object) -> PlaceKind:
    if text not in {PlaceKind.DECLARED.value, PlaceKind.PROVIDER_SIGNED.value}:
        raise MalformedInput("a kind of place is declared or provider-signed; no device attests a place")
    return PlaceKind(str(text))


def _workload(text: object) -> Digest:
    found = Digest.parse(text)
    if str(found) != text:
        raise MalformedInput("it is written sha256:<hex>")
    return found


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise MalformedInput("it is true or false")
    return value


def _several(one: Callable[[object], Any]) -> Callable[[object], frozenset[Any]]:
    def check(value: object) -> frozenset[Any]:
        if not isinstance(value, list) or len(value) > MAX_LIST:
            raise MalformedInput(f"it is a list of at most {MAX_LIST}")
        found = [one(item) for item in value]
        if list(value) != sorted(set(value)):
            raise MalformedInput("it is sorted, and names nothing twice")
        return frozenset(found)

    return check


_SHAPE: Mapping[str, Callable[[object], Any]] = {
    "dataset": dataset,
    "purposes": _several(purpose),
    "workloads": _several(_workload),
    "classes": _several(node_class),
    "families": _several(family),
    "places": _several(country),
    "placeKinds": _several(_kind),
    "references": _several(_workload),
    "registers": _several(register_key),
    "softwareTpm": _flag,
    "minutes": minutes,
}
