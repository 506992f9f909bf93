"""Reference values of measured machines, computed from the files that they are started from, before any of them is."""

import hashlib
import json
from datetime import datetime
from pathlib import Path

from ringfence import components
from ringfence.attestation.boot import COMMAND_LINE as WORDS
from ringfence.attestation.boot import INITRD, KERNEL
from ringfence.attestation.model import RELEASE, Claim, Expected, Family, Root, TpmValues
from ringfence.compute.providers import bootvalues, firmware, image, qemu
from ringfence.compute.providers.bootvalues import COMMAND_LINE, SIZES_MIB
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Unavailable

RUNTIME, UNUSED = 10, 14  # where Linux measures files; and what nothing here extends
# No least firmware is demanded of a TPM that is a program of this host, and nobody keeps collateral about it.
DEMANDS = RELEASE[Family.TPM2] | {Claim.RUNTIME}
LABEL = "software TPMs of this host"
# A measured node shows a file of the image under another name.
MOUNTED = {"/etc/inittab": "/usr/lib/ringfence/inittab"}


def expected(name: str, issuer: bytes, at: datetime, until: datetime) -> Expected:
    """Return what a measured machine of this installation has to show.

    Args:
        name: of the document.
        issuer: who certifies the software TPMs here, as DER SubjectPublicKeyInfo.
        at: from when it holds.
        until: how long; at most a year.

    Raises:
        Unavailable: a part of the machines is missing, or the firmware is not a known one.
    """
    shared, (code, _) = image.load(components.machine_files()), firmware.firmware_files()
    values = tpm_values(shared, code.read_bytes(), f"{qemu.QUIET} {COMMAND_LINE}")
    root = Root(issuer, LABEL, software=True)
    return Expected(Family.TPM2, name, DEMANDS, (root,), values, at, until, Digest.of(b""))


def tpm_values(shared: image.Image, code: bytes, words: str) -> TpmValues:
    """Return the reference values of machines of every size, which are started with these words.

    The kernel is measured with its place in memory, so that there is one digest per size.
    """
    kernel, size = shared.kernel.read_bytes(), shared.measured.stat().st_size
    kernels = [bootvalues.kernel(kernel, memory_mib=mib, initrd_size=size) for mib in SIZES_MIB]
    command = bootvalues.command_line(words)
    initrd = _digest(shared.measured)
    golden = bootvalues.firmware(code)
    started = [bootvalues.started(each, command, initrd) for each in kernels]
    golden |= {number: frozenset(each[number] for each in started) for number in started[0]}
    golden[UNUSED] = frozenset({bytes(32)})
    return TpmValues(
        pcrs=frozenset({*golden, RUNTIME}),
        golden=golden,
        events={KERNEL: frozenset(kernels), INITRD: frozenset({initrd}), WORDS: frozenset({command})},
        ima=_allowed(shared.files),
    )


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _allowed(listing: Path) -> dict[str, frozenset[str]]:
    """Return the allow-list: every file of the image, and no other."""
    try:
        files: dict[str, str] = json.loads(listing.read_text())
        found = {path: {f"sha256:{digest}"} for path, digest in files.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise Unavailable("the list of the machines' files is missing: run `make setup` again") from error
    for path, source in MOUNTED.items():
        found[path] |= found[source]
    return {path: frozenset(digests) for path, digests in found.items()}
