"""Opinions as a fold over what auditors signed. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ringfence.governance import reading
from ringfence.governance.opinions import statements
from ringfence.governance.opinions.model import LONGEST, Opinion, OpinionId
from ringfence.governance.signed import Said
from ringfence.kernel.errors import MalformedInput


def fold(said: Iterable[Said]) -> dict[OpinionId, Opinion]:
    """Return every opinion that was ever given; nothing that happens to a control removes one."""
    found: dict[OpinionId, Opinion] = {}
    for one in said:
        try:
            changed = _changed(found, one)
        except MalformedInput:
            continue
        if changed is not None:
            found[changed.id] = changed
    return found


def _changed(found: Mapping[OpinionId, Opinion], one: Said) -> Opinion | None:
    if not one.with_passkey:
        return None
    if one.predicate == statements.GIVEN:
        given = statements.parse_given(one.claims, one.details)
        fits = given.id not in found and reading.runs(given.until, one.at.date(), LONGEST)
        return Opinion(given, one.by, one.at, one.entry) if fits else None
    name, because = statements.parse_withdrawn(one.claims, one.details)
    known = found.get(name)
    if known is None or known.by != one.by or known.withdrawn_at is not None:
        return None
    return replace(known, withdrawn_at=one.at, withdrawn_entry=one.entry, because=because)
