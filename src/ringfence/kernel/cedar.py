"""Cedar policies and their schema, parsed and validated together: what every capability that asks them begins with."""

from dataclasses import dataclass
from typing import Any, Self

import cedarpy

from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import InternalError


@dataclass(frozen=True, slots=True)
class PolicySet:
    """A parsed policy set with its schema; the digest is over both."""

    policies: Any  # cedarpy's handles have no types of their own
    schema: Any
    digest: Digest

    @classmethod
    def parse(cls, policies: str, schema: str) -> Self:
        """Parse and validate a policy set; raise `InternalError` where it does not fit its schema."""
        verdict = cedarpy.validate_policies(policies, schema)
        if not verdict.validation_passed:
            raise InternalError(f"the policies do not fit their schema: {verdict.errors}")
        digest = Digest.of(schema.encode() + b"\0" + policies.encode())
        return cls(cedarpy.PolicySet.from_str(policies), cedarpy.Schema.from_str(schema), digest)
