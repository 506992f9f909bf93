"""The tenant's rules for models from outside, as the API shows them, read back."""

from dataclasses import dataclass
from typing import Any

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import MalformedInput
from ringfence.workloads.gatefile import IntakeRules


@dataclass(frozen=True, slots=True)
class Rules:
    """What is asked, and the digest of the file that says so."""

    intake: IntakeRules
    digest: Digest


def rules_of(document: Any) -> Rules:
    """Read them; raise `MalformedInput` where this is no answer of the API."""
    match document:
        case {
            "rules": {
                "policy": str() as policy,
                "origins": list() as origins,
                "licences": list() as licences,
                "countries": list() as countries,
                "largest": int() as largest,
                "accept_unknown": bool() as unknown,
                "apart": bool() as apart,
            }
        }:
            rules = IntakeRules(
                frozenset(map(str, origins)),
                frozenset(map(str, licences)),
                frozenset(map(str, countries)),
                largest,
                unknown,
                apart,
            )
            return Rules(rules, Digest.parse(policy))
        case _:
            raise MalformedInput("the answer does not say what is asked of models; is this the API of Ringfence?")
