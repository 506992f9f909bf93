"""Say who anchors this log's heads: rows and statement in one transaction, then the home's trust file."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

from ringfence.kernel.actor import Person
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, Refused, UsageError
from ringfence.kernel.evidence import Acknowledgement, Publication, Recorder
from ringfence.kernel.identifier import PredicateName, Tenant
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.ledger import trust
from ringfence.ledger.anchoring import asking
from ringfence.ledger.anchoring.model import AskedAuthority, AskedWitness, Progress
from ringfence.ledger.anchoring.ports import AnchorRows, TrustKeeper
from ringfence.ledger.anchors import cosignature, timestamp
from ringfence.ledger.model import OPERATOR, Trust

WITNESS_CONFIGURED = PredicateName("ledger.witness_configured")
AUTHORITY_CONFIGURED = PredicateName("ledger.timestamp_authority_configured")
QUORUM_CONFIGURED = PredicateName("ledger.quorum_configured")


@dataclass(frozen=True, slots=True)
class Configuring:
    """Who anchors the heads of one log."""

    rows: AnchorRows
    recorder: Recorder
    publication: Publication
    transaction: Callable[[], AbstractContextManager[None]]
    keeper: TrustKeeper
    own: Trust  # root and log keys
    tenant: Tenant  # whose log it is: a guest in it does not choose who watches it

    def add_witness(self, by: Person, url: str, vkeys: Sequence[str], party: str) -> Acknowledgement:
        """Have a witness cosign from now on."""
        keys = [cosignature.parse_key(vkey) for vkey in vkeys]
        names = {key.name for key in keys}
        if len(names) != 1:
            raise UsageError("the verifier keys of one witness carry one name; give at least one")
        name = names.pop()
        asked = AskedWitness(name, tuple(dict.fromkeys(vkeys)), asking.address(url), trust.party(party))
        known = {each.name: each for each in self.rows.witnesses()}
        if name in known and known[name].active:
            raise Conflict(f"{name} is a witness of this log already; remove it first")
        past = [each for each in known.values() if not each.active and each.name != name]
        if {key.public_key for key in keys} & {cosignature.parse_key(k).public_key for p in past for k in p.vkeys}:
            raise Refused("this key was that of another witness of this log: its holder would count twice")
        others = [each for each in known.values() if each.active]
        self._check(replace(self.own, witnesses=tuple(w for each in (*others, asked) for w in each.trusted)))
        return self._stated_witness(by, asked, "added")

    def remove_witness(self, by: Person, name: str) -> Acknowledgement:
        """Ask a witness no more; where the quorum cannot be met without it, refuse."""
        found = next((each for each in self.rows.witnesses() if each.name == name and each.active), None)
        if found is None:
            raise NotFound(f"{name} is no witness of this log; see `ringfence ledger witness list`")
        left = {each.party for each in self.rows.witnesses() if each.active and each.name != name} - {OPERATOR}
        if self.rows.quorum() > len(left):
            raise Refused("without it the quorum cannot be met; lower that first: `ringfence ledger witness quorum`")
        return self._stated_witness(by, replace(found, active=False), "removed")

    def set_quorum(self, by: Person, quorum: int) -> Acknowledgement:
        """Demand cosignatures of so many other parties."""
        others = {each.party for each in self.rows.witnesses() if each.active} - {OPERATOR}
        if not 0 <= quorum <= len(others):
            raise Refused(f"{len(others)} other parties cosign this log; a quorum of {quorum} could never be met")
        subject = Subject("ledger/quorum", Digest.of(str(quorum).encode()))
        draft = Draft(QUORUM_CONFIGURED, (subject,), {"quorum": quorum, "parties": len(others)}, Strength.OBSERVED)
        return self._stated(by, draft, lambda: self.rows.put_quorum(quorum))

    def add_authority(self, by: Person, url: str, certificate: bytes, party: str, policy: str) -> Acknowledgement:
        """Have an authority stamp heads from now on."""
        if policy and not all(part.isascii() and part.isdigit() for part in policy.split(".")):
            raise MalformedInput("a policy is an OID in dotted decimal, such as 1.2.3.4")
        der = timestamp.parse_certificate(certificate)
        asked = AskedAuthority(Digest.of(der).value, der, asking.address(url), trust.party(party), policy)
        known = {each.digest: each for each in self.rows.authorities()}
        if asked.digest in known and known[asked.digest].active:
            raise Conflict("this certificate is that of an authority of this log already; remove it first")
        others = [each for each in known.values() if each.active]
        self._check(replace(self.own, authorities=tuple(each.trusted for each in (*others, asked))))
        return self._stated_authority(by, asked, "added")

    def remove_authority(self, by: Person, beginning: str) -> Acknowledgement:
        """Ask an authority no more."""
        found = [e for e in self.rows.authorities() if e.active and e.digest.hex().startswith(beginning)]
        if len(found) != 1 or len(beginning) < 8:
            raise NotFound("name an authority by at least 8 digits; see `ringfence ledger timestamp list`")
        return self._stated_authority(by, replace(found[0], active=False), "removed")

    @staticmethod
    def _check(wanted: Trust) -> None:
        """Raise where no trust file could name all of them: a key twice, the log's own keys, too many."""
        trust.parse(trust.to_text(wanted))

    def _stated_witness(self, by: Person, asked: AskedWitness, act: str) -> Acknowledgement:
        subject = Subject(
            f"witness/{Digest.of(asked.name.encode()).hex[:16]}", Digest.of("\n".join(asked.vkeys).encode())
        )
        claims = {"act": act, "witness": asked.name, "vkeys": list(asked.vkeys), "party": asked.party}
        fresh = replace(asked, progress=Progress()) if act == "added" else asked
        draft = Draft(WITNESS_CONFIGURED, (subject,), claims, Strength.OBSERVED, details={"url": asked.url})
        return self._stated(by, draft, lambda: self.rows.put_witness(fresh))

    def _stated_authority(self, by: Person, asked: AskedAuthority, act: str) -> Acknowledgement:
        subject = Subject(f"certificate/{asked.digest.hex()[:16]}", Digest(asked.digest))
        claims = {"act": act, "certificate": asked.digest.hex(), "party": asked.party, "policy": asked.policy}
        fresh = replace(asked, progress=Progress()) if act == "added" else asked
        details = {"url": asked.url, "subject": timestamp.subject_of(asked.certificate)}
        draft = Draft(AUTHORITY_CONFIGURED, (subject,), claims, Strength.OBSERVED, details=details)
        return self._stated(by, draft, lambda: self.rows.put_authority(fresh))

    def _stated(self, by: Person, draft: Draft, write: Callable[[], None]) -> Acknowledgement:
        if by.tenant != self.tenant:
            raise Refused("only the tenant whose log this is says who anchors it")
        named: dict[str, Any] = {"by": by.id}
        with self.transaction():
            write()
            done = self.recorder.record(replace(draft, details={**draft.details, **named}), tenant=self.tenant)
        witnesses = [each for each in self.rows.witnesses() if each.active]
        authorities = [each for each in self.rows.authorities() if each.active]
        self.keeper.keep(witnesses, authorities, self.rows.quorum())
        return self.publication.published(done.envelope)
