"""Check a pack, and compute its status again, where no Ringfence is installed: the program inside the zipapp.

It is made by `ringfence.reports.bundle` from these very modules; the rules come as values, since what reads YAML is not
there. Exit code: 0 verified, 1 not, 2 a file cannot be read.
"""

import argparse
import json
import sys
from collections.abc import Sequence

from ringfence.kernel.errors import RingfenceError
from ringfence.ledger import trust as trust_file
from ringfence.obligations import edition
from ringfence.reports.model import Verification
from ringfence.reports.pack import MAX_PACK
from ringfence.reports.recompute import judged
from ringfence.reports.verify import verify

NO_STAMPS = (
    "time stamps are not checked here: `openssl ts -verify` does that; of a compromised key nothing counts here for "
    "which only a time stamp vouches"
)


def main(arguments: Sequence[str], shipped_rules: bytes) -> int:
    """Run `PACK --trust FILE [--recompute] [--json]`; return the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        trusted = trust_file.parse(_read(asked.trust, trust_file.MAX_TRUST), source=asked.trust)
        outcome = verify(_read(asked.pack, MAX_PACK), trusted, source=asked.pack, stamps=False)
        if asked.recompute:
            outcome = judged(outcome, edition.parse(shipped_rules))
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
