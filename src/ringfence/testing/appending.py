"""A client that appends without end and keeps what was acknowledged to it; and the reconciliation afterwards.

Run as a program it forks one such client per line of its standard input and prints its process id: it is to be killed.
"""

import os
import sys
import time
from collections import Counter
from pathlib import Path

from ringfence.app import open_services
from ringfence.kernel.errors import RingfenceError
from ringfence.services import Services
from ringfence.settings import Settings
from ringfence.testing.home import TENANT, draft, observed


def append(home: Path, acknowledgements: int) -> None:
    """State, publish, state in an emergency; write each acknowledgement whole to a file descriptor."""
    with open_services(Settings(home=home)) as services:
        while True:
            try:
                _turn(services, acknowledgements)
            except RingfenceError as error:
                os.write(2, f"{type(error).__name__} {error}\n".encode())
                time.sleep(0.02)  # the server is away: ask again in a moment


def _turn(services: Services, acknowledgements: int) -> None:
    services.replay_journals()
    with services.database.transaction():
        stated = services.outbox.record(observed(details={"kept": "apart"}), tenant=TENANT)
    os.write(acknowledgements, f"{stated.envelope} -\n".encode())
    urgent = services.journal.record(draft("quarantine.requested"), tenant=TENANT)
    os.write(acknowledgements, f"{urgent.envelope} -\n".encode())
    done = services.ledger.published(stated.envelope)
    os.write(acknowledgements, f"{done.envelope} {done.entry}\n".encode())


def reconcile(services: Services, acknowledgements: str) -> int:
    """Check that what was acknowledged is in a clean log, where it was said to be; return how much that is."""
    services.replay_journals()
    services.ledger.integrate()
    found = services.ledger.audit()
    assert found.failures == (), found.failures
    logged = {str(one.envelope.digest): one.entry for one in services.ledger.statements(TENANT)}
    whole = [line.split() for line in acknowledgements.splitlines(keepends=True) if line.endswith("\n")]
    for envelope, entry in whole:
        assert envelope in logged, f"{envelope} was acknowledged and is lost"
        assert entry in ("-", str(logged[envelope])), f"{envelope} was acknowledged as entry {entry}"
    sequences: dict[str, list[int]] = {}
    for one in services.ledger.statements(TENANT):
        issuance = one.envelope.statement.issuance
        sequences.setdefault(issuance.issuer, []).append(issuance.sequence)
    for places in sequences.values():
        assert sorted(places) == list(range(1, len(places) + 1)), "an issuer's sequence has a gap"
    assert max(Counter(logged.values()).values()) == 1
    return len(whole)


def main() -> None:
    """Fork a client for each line of the input."""
    home, file = Path(sys.argv[1]), sys.argv[2]
    with open_services(Settings(home=home)) as services:  # once: what is forked finds rules and policies in memory
        services.ledger.head()
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            append(home, os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT))
        print(pid, flush=True)  # noqa: T201 - whoever kills it reads it here
        os.waitpid(pid, 0)
        print("ended", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
