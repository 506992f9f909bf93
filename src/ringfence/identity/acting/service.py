"""Prepare an act, ask a browser to sign it, and hand what was signed to whoever takes such acts.

The server makes the payload and shows it in words; the person's authenticator signs the hash of exactly these bytes.
What comes back is a statement like any other: it is admitted by the use case that takes it from a terminal too.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from ringfence.identity.acting.model import LIFE, MAX_WAITING, SETTLING, PreparedAct, Question
from ringfence.identity.acting.ports import Acts, Issuing, Target
from ringfence.identity.policy import Policies
from ringfence.identity.service import hashed
from ringfence.identity.signin import ceremony
from ringfence.identity.signin.ceremony import Answer
from ringfence.identity.signin.model import Passkey, Site
from ringfence.identity.signin.ports import Passkeys, Randomness
from ringfence.identity.signin.service import owner_of
from ringfence.kernel import assertion, drafts
from ringfence.kernel.actor import Caller, Person
from ringfence.kernel.clock import Clock
from ringfence.kernel.commitment import SALT_SIZE, commit
from ringfence.kernel.envelope import Envelope, assemble, pae
from ringfence.kernel.errors import (
    Conflict,
    NotFound,
    Refused,
    TooManyAttempts,
    Unauthenticated,
    VerificationFailed,
)
from ringfence.kernel.identifier import PredicateName
from ringfence.kernel.statement import Draft, Issuance, parse_payload, to_payload


@dataclass(frozen=True, slots=True)
class ActDesk:
    """The use cases of acts that are signed in a browser."""

    acts: Acts
    passkeys: Passkeys
    counting: Callable[[Passkey, int], None]  # keeps a counter that grew; raises `VerificationFailed`
    issuing: Issuing
    policies: Policies
    targets: Mapping[PredicateName, Target]
    transaction: Callable[[], AbstractContextManager[None]]
    clock: Clock
    random: Randomness

    def prepare(self, person: Person, draft: Draft, place: str) -> PreparedAct:
        """Keep an act that the person is about to sign; nothing is stated yet."""
        target = self.target(draft.predicate)
        self.policies.authorise(person, target.action, tenant=person.tenant)
        now, owner = self.clock.now(), owner_of(person)
        drafts.to_bytes(draft)
        keyed = replace(draft, idempotency_key=draft.idempotency_key or self.random(16).hex())
        act = PreparedAct(f"act-{self.random(16).hex()}", owner, place, keyed, now + LIFE)
        with self.transaction():
            if self.acts.waiting(owner) >= MAX_WAITING:
                raise TooManyAttempts(f"{MAX_WAITING} acts of yours wait for their signature; wait some minutes")
            self.acts.put(act, now=now)
        return act

    def target(self, predicate: PredicateName) -> Target:
        """Return who takes acts of this type."""
        found = self.targets.get(predicate)
        if found is None:
            raise Refused(f"{predicate} is not an act that is signed in the browser")
        return found

    def one(self, person: Person, act: str) -> PreparedAct:
        """Return an act of this very person that can be signed still, or was signed some minutes ago."""
        return self._within(person, act, timedelta(0))

    def read(self, person: Person, act: str) -> PreparedAct:
        """Return an act to whoever waits for what comes of it: a signature given in time may still be at work."""
        return self._within(person, act, SETTLING)

    def _within(self, person: Person, act: str, settling: timedelta) -> PreparedAct:
        found = self.acts.one(act)
        if found is not None and found.owner == owner_of(person):
            readable = settling if found.outcome is None else LIFE
            if self.clock.now() < found.until + readable:
                return found
        raise NotFound("no act of yours waits here: it has ended after five minutes, or is somebody else's")

    def unsigned(self, person: Person) -> list[PreparedAct]:
        """Return the acts of this very person that wait for a signature and can still get it."""
        now = self.clock.now()
        return [act for act in self.acts.unsigned(owner_of(person)) if now < act.until]

    def signers(self, person: Person) -> list[Passkey]:
        """Return the passkeys of the person that the log knows as keys, and that are in force."""
        known = self.passkeys.of(owner_of(person))
        return [passkey for passkey in known if self.issuing.in_force(person.tenant, passkey.key)]

    def ask(self, person: Person, act: str, passkey: str, *, browser: str, site: Site) -> dict[str, Any]:
        """Return the question whose answer is the signature; it names one passkey, whose next statement this is."""
        found = self.one(person, act)
        if found.outcome is not None:
            raise Conflict("this act is signed already")
        if not browser:
            raise Unauthenticated("an act is signed in a session of the console; sign in first")
        chosen = next((known for known in self.signers(person) if known.id == passkey), None)
        if chosen is None:
            raise Refused("this passkey is not one of yours that signs; enrol it for signing under Your sign-in")
        question = self._question(found, chosen, browser)
        with self.transaction():
            self.acts.ask(act, question)
        return ceremony.assertion_options(site, message=pae(question.payload), known=[chosen])

    def _question(self, act: PreparedAct, passkey: Passkey, browser: str) -> Question:
        draft, key, tenant = act.draft, passkey.key, act.owner.tenant
        opening = commit(draft.details, self.random(SALT_SIZE)) if draft.details else None
        issuance = Issuance(
            tenant=tenant,
            log=self.issuing.log,
            issuer=key,
            strength=draft.strength,
            sequence=self.issuing.next_sequence(tenant, key),
            nonce=self.random(16).hex(),
            idempotency_key=draft.idempotency_key,
            issued_at=self.clock.now(),
            demo=self.issuing.is_demo(tenant),
        )
        commitment = opening.commitment if opening else None
        statement = draft.issued(issuance, commitment)
        return Question(hashed(browser), passkey.credential, to_payload(statement), opening)

    def sign(self, caller: Caller, act: str, answer: Answer, *, browser: str) -> Mapping[str, Any]:
        """Hand the signed act to its target, and return what that answers.

        A wrong answer uses the question up; the act itself waits for another one. A passkey that signed just now
        confirms the act: nothing else is asked for.
        """
        person = caller.person
        found = self.one(person, act)
        with self.transaction():
            question = self.acts.take(act)
        if question is None or not browser or question.binding != hashed(browser):
            raise Unauthenticated("this browser was not asked for this act, or has answered already; begin again")
        envelope = self._envelope(person, question, answer)
        target = self.target(found.draft.predicate)
        self.policies.admit(replace(caller, assurance=replace(caller.assurance, stepped_up=True)), target.action)
        outcome = target.submit(person, found.place, envelope, question.opening)
        with self.transaction():
            self.acts.done(act, json.dumps(dict(outcome)).encode())
        return outcome

    def _envelope(self, person: Person, question: Question, answer: Answer) -> Envelope:
        passkey = self.passkeys.by_credential(question.credential)
        if passkey is None or passkey.owner != owner_of(person) or answer.credential != question.credential:
            raise Unauthenticated("another passkey answered than the one that was asked")
        blob = assertion.from_browser(answer.authenticator_data, answer.client_data, answer.signature)
        key = parse_payload(question.payload).issuance.issuer
        envelope = assemble(question.payload, key, blob.encode())
        site = passkey.site
        envelope.verify_as(assertion.ALGORITHM, passkey.public_key, rp_id=site.rp_id, origin=site.origin)
        self._count(passkey, assertion.sign_count(blob))
        return envelope

    def _count(self, passkey: Passkey, counter: int) -> None:
        try:
            self.counting(passkey, counter)
        except VerificationFailed as error:
            raise Refused(f"{error}; remove it and enrol another") from error
