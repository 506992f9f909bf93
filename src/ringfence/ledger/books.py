"""Which numbering of a tenant the root signed for: the claim `tenantTag` of its enrolments. Pure.

Who holds every online key could number a tenant twice, under two salts, and show the second book only. The root's word
ends that: an enrolment names the tag that stands for the tenant in the log (docs/specs/tlog-entry.md), and counts in
the book of that tag alone. Enrolments from before there was this claim name none.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ringfence.kernel.errors import MalformedInput, VerificationFailed
from ringfence.kernel.statement import Draft

CLAIM = "tenantTag"
ANOTHER_BOOK = "the root signed it for another numbering of this tenant: this is a second book"
_FORM = re.compile(r"[0-9a-f]{64}")


def pinned(draft: Draft, tag: bytes) -> Draft:
    """Return the draft of an enrolment that counts in the book of a tag."""
    return replace(draft, claims={**draft.claims, CLAIM: tag.hex()})


def unpinned(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims of an enrolment without the book: what it says in every tenant."""
    return {name: value for name, value in claims.items() if name != CLAIM}


def check_form(claims: Mapping[str, Any]) -> None:
    """Return where an enrolment names no book, or one; raise `MalformedInput` where it says something else."""
    tag = claims.get(CLAIM, "0" * 64)
    if not isinstance(tag, str) or not _FORM.fullmatch(tag):
        raise MalformedInput(f"{CLAIM} is the tag of a tenant, 64 small hexadecimal digits")


def check_book(claims: Mapping[str, Any], tag: bytes | None) -> None:
    """Return where an enrolment names no book, or the one of `tag`; raise `VerificationFailed` where another."""
    if CLAIM in claims and (tag is None or claims[CLAIM] != tag.hex()):
        raise VerificationFailed(ANOTHER_BOOK)
