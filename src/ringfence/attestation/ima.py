"""What Linux measured of the files that it used: the list of IMA, replayed to PCR 10 and held against an allow-list.

Source: Linux, Documentation/security/IMA-templates.rst and security/integrity/ima; templates `ima-ng` and `ima-sig`.
The list shows template digests by SHA-1, and the SHA-256 bank is extended by SHA-256 over the same template data.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ringfence.attestation.event_log import extended
from ringfence.kernel.errors import MalformedInput, VerificationFailed

PCR = 10
MAX_LIST = 16 * 2**20
MAX_ENTRIES = 100_000
AGGREGATE = "boot_aggregate"
_LINE = re.compile(
    rb"10 ([0-9a-f]{40}) ima-(ng|sig) "
    rb"(sha1:[0-9a-f]{40}|sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}) "
    rb"([^ \n\0]{1,4096})(?: ((?:[0-9a-f]{2}){0,1024}))?"
)
_NO_DIGEST = "0" * 40
_VIOLATION = b"\xff" * 32


@dataclass(frozen=True, slots=True)
class Entry:
    """One file as it was when it was used; a violation where it could change under the reader's hands."""

    path: str
    digest: str  # `sha256:…`
    extension: bytes  # what the SHA-256 bank was extended by
    violation: bool


def parse(data: bytes) -> list[Entry]:
    """Parse `ascii_runtime_measurements`; raise `MalformedInput`."""
    if len(data) > MAX_LIST:
        raise MalformedInput(f"the IMA list has {len(data)} bytes; the limit is {MAX_LIST}")
    lines = data.split(b"\n")
    if lines.pop() != b"" or len(lines) > MAX_ENTRIES:
        raise MalformedInput(f"the IMA list does not end with a line's end, or has more than {MAX_ENTRIES} entries")
    return [_entry(line, number) for number, line in enumerate(lines, 1)]


def _entry(line: bytes, number: int) -> Entry:
    match = _LINE.fullmatch(line)
    if match is None:
        raise MalformedInput("not an entry of the templates ima-ng and ima-sig", source="the IMA list", line=number)
    shown, digest, path, appended = match[1].decode(), match[3].decode(), match[4], match[5]
    if (appended is not None) != (match[2] == b"sig"):
        raise MalformedInput("its fields are not those of its template", source="the IMA list", line=number)
    name = path.decode(errors="surrogateescape").encode("utf-8", "backslashreplace").decode()
    if shown == _NO_DIGEST:
        return Entry(name, digest, _VIOLATION, violation=True)
    algorithm, _, digits = digest.partition(":")
    fields = [algorithm.encode() + b":\0" + bytes.fromhex(digits), path + b"\0"]
    if appended is not None:
        fields.append(bytes.fromhex(appended.decode()))
    template = b"".join(len(field).to_bytes(4, "little") + field for field in fields)
    if hashlib.sha1(template, usedforsecurity=False).hexdigest() != shown:
        raise MalformedInput("its template digest is not that of its fields", source="the IMA list", line=number)
    return Entry(name, digest, hashlib.sha256(template).digest(), violation=False)


def covered(entries: list[Entry], quoted: bytes) -> int:
    """Return how many of the first entries PCR 10 stands for; a list may have grown since the quote.

    Raises:
        VerificationFailed: no beginning of the list gives the quoted value.
    """
    value = bytes(32)
    for count, entry in enumerate(entries, 1):
        value = extended(value, entry.extension)
        if value == quoted:
            return count
    raise VerificationFailed("the IMA list does not give the quoted PCR 10")


def check_aggregate(entries: list[Entry], pcrs: Mapping[int, bytes]) -> None:
    """Raise `VerificationFailed` unless the list begins with this boot: the digest over PCR 0 to 9, or 0 to 7."""
    if not entries or entries[0].path != AGGREGATE:
        raise VerificationFailed("the IMA list does not begin with boot_aggregate")
    right = set()
    for count in (10, 8):  # Linux 5.8 and newer; older
        if all(number in pcrs for number in range(count)):
            right.add("sha256:" + hashlib.sha256(b"".join(pcrs[number] for number in range(count))).hexdigest())
    if entries[0].digest not in right:
        raise VerificationFailed("boot_aggregate in the IMA list is not that of the quoted PCRs")


def check_allowed(entries: list[Entry], allowed: Mapping[str, frozenset[str]]) -> None:
    """Raise `VerificationFailed` at the first entry that is a violation or not in the allow-list."""
    for entry in entries:
        if entry.violation:
            raise VerificationFailed(f"{entry.path} was open for writing while it was measured")
        if entry.path != AGGREGATE and entry.digest not in allowed.get(entry.path, frozenset()):
            raise VerificationFailed(f"{entry.path} ran with a digest that is not in the allow-list")
    if sum(entry.path == AGGREGATE for entry in entries) > 1:
        raise VerificationFailed("the IMA list holds boot_aggregate twice")
