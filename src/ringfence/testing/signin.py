"""Fakes of signing in: a hash that costs nothing and counts; and what a browser does for its person."""

import hashlib
from dataclasses import dataclass
from typing import Any

from ringfence.identity.signin.browser import Asserted, NewCredential
from ringfence.identity.signin.ceremony import Answer
from ringfence.identity.signin.model import Owner, Site
from ringfence.identity.signin.service import SignIn
from ringfence.kernel.actor import Level
from ringfence.kernel.evidence import Acknowledgement
from ringfence.testing.authenticator import Authenticator

BROWSER = "a browser's secret"
SITE = Site("localhost", "http://localhost:8400")


@dataclass(slots=True)
class CountingHasher:
    """`Hasher` that is quick; `looked` counts comparisons, which is the work that a guesser sees."""

    made: int = 0
    looked: int = 0

    def hash(self, secret: str) -> str:
        """Return a hash that is no good outside of tests."""
        self.made += 1
        return hashlib.sha256(secret.encode()).hexdigest()

    def matches(self, kept: str, secret: str) -> bool:
        """Return whether `secret` is what was hashed."""
        self.looked += 1
        return kept == hashlib.sha256(secret.encode()).hexdigest()


def enrol(signin: SignIn, key: Authenticator, owner: Owner, site: Site, basis: Level = Level.LINK) -> Acknowledgement:
    """Enrol the passkey of a software authenticator."""
    options = signin.passkeys.ask_to_enrol(owner, browser=BROWSER, site=site)
    new = NewCredential.model_validate(key.create(options)).parsed()
    return signin.passkeys.enrol(owner, new, browser=BROWSER, site=site, basis=basis)


def answer_of(key: Authenticator, options: dict[str, Any], **changes: Any) -> Answer:
    """Let a software authenticator answer a question."""
    return Asserted.model_validate(key.get(options, **changes)).parsed()
