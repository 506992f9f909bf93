"""Read the rules out of a file that somebody chose: an edition, or a pack, parsed as its verifier parses it."""

from collections.abc import Mapping
from typing import Any

from ringfence.governance.opinions import statements as opinions
from ringfence.kernel.clock import Clock
from ringfence.kernel.errors import MalformedInput
from ringfence.obligations import catalog, edition
from ringfence.obligations.comparing.model import PART, Opened, Other
from ringfence.obligations.comparing.outline import outline
from ringfence.obligations.comparing.service import Comparing
from ringfence.obligations.model import Catalog
from ringfence.obligations.ports import Statements
from ringfence.obligations.service import Status
from ringfence.reports import pack
from ringfence.reports.pack import Kind
from ringfence.reports.recompute import overridden

_CLAIMED = "Whose rules these are, and that the version is theirs, is what the file says; nothing here can check that."
_UNCHECKED = "Whether the pack holds was not looked at here; `ringfence verify` does that."
_FIRST = 4_096  # bytes in which the first line of a pack says its format


def comparing(status: Status, log: Statements, clock: Clock) -> Comparing:
    """Return what compares rules; auditors' opinions are what names a version of them."""
    shipped = catalog.load()
    return Comparing(status, shipped, log, (opinions.GIVEN,), reader(shipped), clock)


def reader(shipped: Catalog) -> Opened:
    """Return what reads a file; `shipped` are the rules that a pack's overrides may stand on."""

    def opened(data: bytes) -> Other:
        if b'"urn:ringfence:pack:' in data[:_FIRST].partition(b"\n")[0]:
            return _of_pack(data, shipped)
        return Other.whole("edition", edition.received(data, source="file"), _CLAIMED)

    return opened


def _of_pack(data: bytes, shipped: Catalog) -> Other:
    contents = pack.read(data, source="file")
    if contents.failures:
        raise MalformedInput(f"this pack is damaged: {contents.failures[0].reason}", source="file")
    status: Mapping[str, Any] = contents.of(Kind.STATUS)[0].document["status"]
    told = outline(status)
    known = overridden(shipped, status.get("overrides"))
    if known.digest == told.digest:
        return Other.whole("pack", known, _UNCHECKED)
    return Other("pack", told, None, f"{_UNCHECKED} {PART}")
