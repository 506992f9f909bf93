"""All documents of an export as the files of one folder; no file leaves that the reference walk does not pass."""

from ringfence.exports.evidence import files as evidence_files
from ringfence.exports.gaps import gaps
from ringfence.exports.kinds import Kind
from ringfence.exports.mapping import mapping
from ringfence.exports.model import Facts, Json
from ringfence.exports.obligations import catalog
from ringfence.exports.parts import written
from ringfence.exports.plan import plan
from ringfence.exports.results import results
from ringfence.exports.selection import profile
from ringfence.exports.system import components, system
from ringfence.exports.walk import walk
from ringfence.kernel.errors import InternalError

_BUILDERS = {
    Kind.CATALOG: catalog,
    Kind.PROFILE: profile,
    Kind.COMPONENTS: components,
    Kind.SYSTEM: system,
    Kind.PLAN: plan,
    Kind.RESULTS: results,
    Kind.MAPPING: mapping,
    Kind.GAPS: gaps,
}


def documents(facts: Facts) -> dict[Kind, Json]:
    """Return every document; the plan of action is left out where nothing is open."""
    made = {kind: build(facts) for kind, build in _BUILDERS.items()}
    return {kind: found for kind, found in made.items() if found is not None}


def folder(facts: Facts) -> dict[str, bytes]:
    """Return the files of an export by name, documents and the envelopes that they name.

    Raises:
        InternalError: a reference in them leads nowhere, or a digest is not the log's.
    """
    made = {kind.file: written(found) for kind, found in documents(facts).items()} | evidence_files(facts)
    found = walk(made, {entry: logged.envelope.digest for entry, logged in facts.statements.items()})
    if found:
        raise InternalError(f"the export would not hold together: {found[0]} ({len(found)} in all)")
    return made
