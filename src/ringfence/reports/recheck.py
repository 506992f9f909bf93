"""Check a pack, and compute its status again, where no Ringfence is installed: the program inside the zipapp.

It is made by `ringfence.reports.bundle` from these very modules; the rules come as values beside their files, since
what reads YAML is not there. Exit code: 0 verified, 1 not, 2 a file cannot be read.
"""

import argparse
import base64
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from ringfence.kernel.errors import RingfenceError
from ringfence.ledger import trust as trust_file
from ringfence.ledger.note import encode_base64
from ringfence.obligations import catalog
from ringfence.obligations.model import Catalog
from ringfence.obligations.reading import Document
from ringfence.obligations.scope import rules
from ringfence.reports.model import Verification
from ringfence.reports.pack import MAX_PACK
from ringfence.reports.recompute import needs_of, recompute, rules_of
from ringfence.reports.verify import verify

NO_STAMPS = "time stamps are not checked here: `openssl ts -verify` does that"


def shipped(documents: Mapping[str, Document], raw: Mapping[str, bytes], parsed: Mapping[str, Any]) -> bytes:
    """Print the rules as they travel in the zipapp: the bytes that their version is a digest of, and the values."""
    return json.dumps(
        {
            "documents": {
                name: {"data": encode_base64(one.data), "value": one.value} for name, one in documents.items()
            },
            "law": {name: {"data": encode_base64(data), "value": parsed.get(name)} for name, data in raw.items()},
        },
        sort_keys=True,
    ).encode()


def catalog_of(data: bytes) -> Catalog:
    """Return the catalogue that `shipped` has printed."""
    known = json.loads(data)
    documents = {
        name: Document(name, base64.b64decode(one["data"]), one["value"], {(): (1, 1)})
        for name, one in known["documents"].items()
    }
    raw = {name: base64.b64decode(one["data"]) for name, one in known["law"].items()}
    return catalog.assemble(documents, rules.build(raw, {name: one["value"] for name, one in known["law"].items()}))


def main(arguments: Sequence[str], shipped_rules: bytes) -> int:
    """Run `PACK --trust FILE [--recompute] [--json]`; return the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        trusted = trust_file.parse(_read(asked.trust, trust_file.MAX_TRUST), source=asked.trust)
        outcome = verify(_read(asked.pack, MAX_PACK), trusted, source=asked.pack, stamps=False)
        if asked.recompute:
            known = catalog_of(shipped_rules)
            outcome = recompute(outcome, rules_of(known, demo=outcome.header.demo), needs_of(known))
    except (RingfenceError, OSError) as error:
        sys.stderr.write(f"cannot be checked: {error}\n")
        return 2
    if asked.json:
        sys.stdout.write(json.dumps(outcome.to_json(), indent=2, sort_keys=True) + "\n")
    else:
        notices = [*outcome.notices, *([NO_STAMPS] if trusted.authorities else [])]
        sys.stdout.write("\n".join(_lines(outcome, notices)) + "\n")
    return 0 if outcome.ok else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="recheck", description="Check a Ringfence pack where no Ringfence is installed."
    )
    parser.add_argument("pack", metavar="PACK")
    parser.add_argument("--trust", metavar="FILE", required=True, help="what reached you earlier by another way")
    parser.add_argument("--recompute", action="store_true", help="compute the status again from the records")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


def _read(path: str, limit: int) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 - no pathlib in a module that is pure but for its arguments
        return file.read(limit + 1)


def _lines(outcome: Verification, notices: Sequence[str]) -> list[str]:
    header = outcome.header
    size = f"{outcome.checked} of {header.records} records of {header.tenant} in {header.log}, log size {header.size}"
    return [
        *(f"FAILED: {failure}" for failure in outcome.failures),
        *(f"NOTE: {notice}" for notice in notices),
        f"{outcome.verdict.upper()}: {size}, as of {outcome.as_of}, {len(outcome.failures)} failures",
    ]
