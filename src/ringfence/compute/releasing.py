"""Free a node that is cut off: two people sign, then exactly the state before the cut is given back."""

from dataclasses import dataclass

from ringfence.compute import quarantine as rules
from ringfence.compute import statements
from ringfence.compute.desk import Desk
from ringfence.compute.model import Containment, Node, Quarantine, Release, ReleaseState
from ringfence.compute.ports import Colleagues, Intents
from ringfence.compute.quarantine import Hold
from ringfence.kernel.actor import Person
from ringfence.kernel.commitment import Opening
from ringfence.kernel.digest import Digest
from ringfence.kernel.envelope import Envelope
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound, Refused, RingfenceError
from ringfence.kernel.evidence import admit_new
from ringfence.kernel.identifier import PersonId, Tenant
from ringfence.kernel.two_person import TwoPersonAct, check


@dataclass(frozen=True, slots=True)
class Releasing:
    """The use cases of asking for a release, approving it, and carrying it out."""

    desk: Desk
    intents: Intents
    colleagues: Colleagues

    def ask(self, caller: Person, name: str, envelope: Envelope, opening: Opening | None) -> Release:
        """Take a signed request; posting the same one twice records it once."""
        reason = _reason(opening)
        node = self.desk.named(caller.tenant, name)
        with self.desk.exclusive.containing(node.id), self.desk.transaction():
            node, quarantine = self._held(node)
            expected = statements.release_request(node.id, node.subject, node.quarantine, quarantine.before, reason)
            statements.check_about(envelope.statement, expected)
            new = Release(
                request=envelope.digest,
                node=node.id,
                tenant=node.tenant,
                quarantine=node.quarantine,
                asked_by=caller.id,
                asked_at=self.desk.now(),
                reason=reason,
                state=ReleaseState.ASKED,
            )
            asked = rules.ask(node, new, self.desk.nodes.release(envelope.digest))
            admit_new(self.desk.recorder, envelope, opening, caller)
            self.desk.nodes.put_release(asked)
        return asked

    def approve(self, caller: Person, name: str, envelope: Envelope, opening: Opening | None) -> Release:
        """Take the signature of a second person, and free the node."""
        node = self.desk.named(caller.tenant, name)
        with self.desk.exclusive.containing(node.id):
            with self.desk.transaction():
                node, quarantine = self._held(node)
                asked = self.desk.nodes.release(_named_request(envelope))
                approved = self._approved(caller, node, asked, envelope)
                admit_new(self.desk.recorder, envelope, opening, caller)
                self._check_people(node.tenant, approved)
                self.desk.nodes.put_release(approved)
                self.desk.contain(rules.releasing(node), quarantine)
            return self._finish(self.desk.fetch(node.id), quarantine, approved)

    def _approved(self, caller: Person, node: Node, asked: Release | None, envelope: Envelope) -> Release:
        people = frozenset({caller.id, asked.asked_by}) if asked else frozenset({caller.id})
        enrolled = frozenset(
            by for person in people if (by := self.colleagues.enrolled_by(caller.tenant, person)) is not None
        )
        approved = rules.approve(
            node, asked, by=caller.id, approval=envelope.digest, enrolled=enrolled, at=self.desk.now()
        )
        for person in sorted(people):
            self._require(caller, person)
        expected = statements.release_approval(node.id, node.subject, node.quarantine, approved.request)
        statements.check_about(envelope.statement, expected)
        return approved

    def _act(self, tenant: Tenant, approved: Release) -> TwoPersonAct:
        """Return the act of two that both signatures make, from what was recorded: now, or after a crash."""
        asked = self.colleagues.half(tenant, approved.asked_by, approved.request)
        agreed = self.colleagues.half(tenant, PersonId(approved.approved_by), Digest.parse(approved.approval))
        return TwoPersonAct(asked, agreed)

    def _check_people(self, tenant: Tenant, approved: Release) -> None:
        act = self._act(tenant, approved)
        established = self.colleagues.established(tenant, act.agreed.at)
        check(act, established=established, within=rules.REQUEST_LIFE)

    def _require(self, caller: Person, person: PersonId) -> None:
        if not self.colleagues.may_release(caller.tenant, person):
            raise Refused("one of the two may not release nodes, or is here no more; ask anew for a release")

    def carry_on(self) -> list[str]:
        """Finish what two people have signed and a crash has interrupted; return what could not be done."""
        problems: list[str] = []
        for node in self.desk.all():
            if node.containment is Containment.RELEASING:
                try:
                    self._carry_on(node)
                except RingfenceError as error:
                    problems.append(str(error))
        return problems

    def _carry_on(self, node: Node) -> None:
        with self.desk.exclusive.containing(node.id):
            found = self.desk.fetch(node.id)
            quarantine = self.desk.quarantine(found)
            signed = [
                release
                for release in self.desk.nodes.releases(found.id, found.quarantine)
                if release.state is ReleaseState.APPROVED
            ]
            wished = self.intents.all().get(found.id)
            newer = wished is not None and wished.number > found.quarantine
            if found.containment is Containment.RELEASING and quarantine is not None and signed and not newer:
                self._finish(found, quarantine, signed[-1])

    def _finish(self, node: Node, quarantine: Quarantine, asked: Release) -> Release:
        hold = Hold(node, quarantine, fresh=False)
        provider = self.desk.provider(node)
        if node.id in provider.isolated():  # else a crash came after the state had been given back
            try:
                provider.restore(node.id, quarantine.before)
            except (Conflict, NotFound) as error:
                self._withhold(hold, asked, str(error))
                raise Conflict(f"{node.spec.name} stays quarantined: {error}") from error
        at = self.desk.now()
        free, ended, used = rules.released(hold, asked, at)
        with self.desk.transaction():
            self.desk.contain(free, ended)
            self.desk.nodes.put_release(used)
            draft = statements.released(node, quarantine, asked, self._act(node.tenant, asked), at)
            self.desk.recorder.record(draft, tenant=node.tenant)
        self.desk.remember(free, ended)
        self.intents.drop(node.id, quarantine.number)
        return used

    def _withhold(self, hold: Hold, asked: Release, because: str) -> None:
        node, void = rules.withheld(hold, asked, because)
        with self.desk.transaction():
            self.desk.contain(node, hold.quarantine)
            self.desk.nodes.put_release(void)

    def _held(self, node: Node) -> tuple[Node, Quarantine]:
        found = self.desk.fetch(node.id)
        quarantine = self.desk.quarantine(found)
        if quarantine is None or not found.cut_off:
            raise Conflict(f"{node.spec.name} is not quarantined, so there is nothing to release")
        return found, quarantine


def _reason(opening: Opening | None) -> str:
    match opening.details if opening else None:
        case {"reason": reason, **others} if not others:
            return statements.bounded_reason(reason)
        case _:
            raise MalformedInput("a request to release has its reason, and nothing else, in its details")


def _named_request(envelope: Envelope) -> Digest:
    return Digest.parse(envelope.statement.claims.get("request"))
