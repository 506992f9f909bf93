"""What is stated about models from outside, and how it is read back (docs/specs/predicates/model.quarantined.md)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ringfence.artifacts.models.model import Manifest, ModelId, ModelName, model_id
from ringfence.artifacts.provenance import licence
from ringfence.artifacts.statements import count, one_of, shaped, tagged
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput, Refused
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import MAX_SUBJECTS, Draft, Statement, Strength, Subject
from ringfence.workloads.intake.model import Intake, Source, State, Told, country_code

QUARANTINED = PredicateName("model.quarantined")
DECIDED = PredicateName("model.intake_decided")
MOST_FILES = MAX_SUBJECTS - 1  # each file is a subject, so that its bytes are known again under any name
LONGEST = 2000  # characters of a reason, an owner, an address
DECISIONS = {"accept": State.ACCEPTED, "refuse": State.REFUSED}
_STRENGTHS = {QUARANTINED: Strength.OBSERVED, DECIDED: Strength.DOCUMENTED}


def quarantined(
    model: ModelId, name: ModelName, manifest: Manifest, size: int, source: Source, told: Told, policy: Digest
) -> Draft:
    """State that a model lies in quarantine; owner, address and name go into the erasable details."""
    digests = sorted({one.digest.hex for one in manifest.files})
    if len(digests) > MOST_FILES:
        raise MalformedInput(f"a model from outside has at most {MOST_FILES} files; this one has {len(digests)}")
    files = [Subject(f"file/{number}", Digest.parse(found)) for number, found in enumerate(digests)]
    claims = {
        "model": model,
        "files": len(manifest.files),
        "bytes": size,
        "source": source.value,
        "expected": str(told.expected),
        "licence": told.licence,
        "country": told.country,
        "policy": str(policy),
    }
    details = {"name": name, "owner": told.owner, "from": told.origin}
    subjects = (Subject(f"model/{model}", manifest.digest), *files)
    key = f"model.quarantined/{Digest.of(repr((manifest.digest, claims, details)).encode()).hex[:48]}"
    return Draft(QUARANTINED, subjects, claims, Strength.OBSERVED, details, key)


def decided(intake: Intake, decision: str, reason: str, policy: Digest) -> Draft:
    """State a person's decision about a model in quarantine; the reason goes into the details."""
    claims = {
        "model": intake.model,
        "intake": f"sha256:{intake.id}",
        "decision": decision,
        "policy": str(policy),
    }
    subject = Subject(f"model/{intake.model}", intake.digest)
    return Draft(DECIDED, (subject,), claims, Strength.DOCUMENTED, {"name": intake.name, "reason": reason})


_SHAPES: Mapping[PredicateName, Mapping[str, Callable[[object], object]]] = {
    QUARANTINED: {
        "model": model_id,
        "files": count,
        "bytes": count,
        "source": one_of(*(one.value for one in Source)),
        "expected": tagged,
        "licence": licence,
        "country": country_code,
        "policy": tagged,
    },
    DECIDED: {"model": model_id, "intake": tagged, "decision": one_of(*DECISIONS), "policy": tagged},
}


def claims_of(statement: Statement, expected: PredicateName) -> Mapping[str, Any]:
    """Return the claims of a statement if it is one of ours; raise `MalformedInput` or `Refused`."""
    if statement.predicate != expected:
        raise MalformedInput(f"this address takes {expected}, not {statement.predicate}")
    strength = _STRENGTHS[expected]
    if statement.issuance.strength is not strength:
        raise Refused(f"{expected} has strength {strength.text}, not {statement.issuance.strength.text}")
    claims = shaped(statement, _SHAPES[expected])
    names = [subject.name for subject in statement.subjects]
    files = [f"file/{number}" for number in range(len(names) - 1)]
    if names != [f"model/{claims['model']}", *files] or (files and expected == DECIDED):
        raise MalformedInput("the first subject is the model that the claims name; others are its files")
    if expected == QUARANTINED and not 1 <= len(files) <= claims["files"]:
        raise MalformedInput("every file of a model in quarantine is a subject, bytes that are equal once")
    return claims


def text_of(details: Mapping[str, Any], *names: str) -> Sequence[str]:
    """Return texts of a side record; raise `MalformedInput` where one is missing, empty or too long."""
    return [_text(details.get(name), name) for name in names]


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST or not _printable(value):
        raise MalformedInput(f"{name} is a text of at most {LONGEST} characters")
    return value


def _printable(characters: Iterable[str]) -> bool:
    return all(one.isprintable() or one == "\n" for one in characters)
