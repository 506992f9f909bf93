"""Start the broker for one release: what key release has instead of keys."""

import base64
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ringfence.broker.checking import print_order
from ringfence.broker.grounds import print_grounds, rule_of
from ringfence.kernel import digest
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import InternalError, MalformedInput, Unavailable, by_slug
from ringfence.kernel.identifier import Tenant
from ringfence.keyrelease.ports import Wrapping
from ringfence.ledger.model import LoggedStatement
from ringfence.ledger.service import Ledger
from ringfence.reports.logpart import log_document

WITHIN = 30.0  # seconds: a slow passphrase, a cold disk
MAX_ANSWER = 2**20


@dataclass(frozen=True, slots=True)
class BrokerProcess:
    """`keyrelease.ports.Broker`: one process per release."""

    home: Path
    ledger: Ledger

    def wrap(self, wanted: Wrapping) -> bytes:
        """Return the sealed key, once the broker has checked that the release is published."""
        return self._asked(self._order(wanted))

    def _order(self, wanted: Wrapping) -> bytes:
        tenant = wanted.tenant
        release = self._logged(tenant, wanted.terms.statement, "the release")
        rule = self._logged(tenant, rule_of(release.envelope.statement), "the rule of the release")
        part, size = log_document(self.ledger, tenant, release)
        shown = (part, print_grounds(self.ledger, tenant, release, rule, size))
        return print_order(release.envelope, shown, wanted.node_key, wanted.credential, wanted.secret)

    def _logged(self, tenant: Tenant, envelope: Digest | None, what: str) -> LoggedStatement:
        entry = None if envelope is None else self.ledger.entry_of(envelope)
        for logged in self.ledger.named(tenant, () if entry is None else (entry,)):
            if logged.envelope.digest == envelope:
                return logged
        raise Unavailable(f"{what} is not in the log; nothing is unwrapped for it")

    def _asked(self, order: bytes) -> bytes:
        command = [sys.executable, "-I", "-m", "ringfence.broker", str(self.home.absolute())]
        given = passed_on(os.environ)
        try:
            done = subprocess.run(command, input=order, capture_output=True, timeout=WITHIN, env=given, check=False)  # noqa: S603 -- our own module by our own interpreter, no shell
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(
                f"the broker did not answer, so that no key is unwrapped: {type(error).__name__}"
            ) from error
        return _sealed(done.stdout[:MAX_ANSWER], done.returncode)


_KEPT = frozenset({"LANG", "LC_ALL", "TZ"})


def passed_on(given: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that the broker is started with: no search path, and nothing that loads code."""
    return {name: value for name, value in given.items() if name.startswith("RINGFENCE_") or name in _KEPT}


def _sealed(said: bytes, code: int) -> bytes:
    try:
        answer = digest.loads(said, source="broker")
    except MalformedInput as error:
        raise Unavailable(f"the broker ended with code {code} and no answer; no key was unwrapped") from error
    match answer:
        case {"sealed": str() as sealed, **more} if code == 0 and not more:
            return base64.b64decode(sealed, validate=True)
        case {"because": str() as because, "kind": str() as kind, **more} if not more:
            raise by_slug(kind)(f"the broker refuses: {because}")
        case _:
            raise InternalError("the broker answered something else than a key or a reason")
