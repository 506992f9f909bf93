"""The early warning: from an incident with findings and hostile log lines to the bytes of a PDF."""

import time

from measurement import Row, timed

from ringfence.incidents import typesetter
from ringfence.testing.incidents import TENANT, LabIncidents

FINDINGS = 20
LINE = 'Failed password for invalid user #eval("1") from 203.0.113.7 port 40022 ssh2 \x1b[31m'
REPEATS = 20


def measure() -> list[Row]:
    """Measure the draft and the PDF together, the first of a process and the following ones."""
    lab = LabIncidents()
    name = lab.detect("ssh-guessing-then-success", excerpts=(LINE,) * 20)
    for _ in range(FINDINGS):
        lab.detect("ssh-guessing", excerpts=(LINE,) * 5)
    lab.triage(name)

    def made() -> bytes:
        return typesetter.pdf(lab.service.draft(TENANT, lab.room(name)))

    first = timed(made)
    times = [timed(made) for _ in range(REPEATS)]
    cpu = [timed(made, clock=time.process_time) for _ in range(REPEATS)]
    what = f"early-warning PDF, {FINDINGS} findings"
    return [
        Row(f"{what}, first of a process", "< 2 s", [first], "ms", limit=2000.0),
        Row(what, "< 2 s", times, "ms", limit=2000.0),
        Row(f"{what}, CPU", "< 2 s", cpu, "ms CPU", limit=2000.0),
    ]
