"""The Findings pages: what was seen, what was done about it, and the chain from one to the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from ringfence.frontends.http import require
from ringfence.frontends.live import Live, proof
from ringfence.frontends.page import Pages, View
from ringfence.kernel import evidence
from ringfence.kernel.actor import Person
from ringfence.kernel.digest import Digest
from ringfence.kernel.statement import Strength
from ringfence.soc import shown, statements
from ringfence.soc.action import State
from ringfence.soc.alerts import plain, sentence
from ringfence.soc.ports import Raised, Ruled
from ringfence.soc.service import Watch
from ringfence.soc.statements import millis

PER_PAGE = 60

Reader = Annotated[Person, Depends(require("finding.read"))]


class Log(evidence.Log, Protocol):
    """What these pages read of the ledger."""

    def entry_of(self, envelope: Digest) -> int | None:
        """Return where a statement stands in the log, once it does."""
        ...


@dataclass(frozen=True, slots=True)
class FindingPages:
    """The Findings pages over one watch and one log."""

    watch: Watch
    pages: Pages
    log: Log
    live: Live

    def listed(self, request: Request, caller: Person, rule: str) -> Response:
        """Return the list, what waits for a person on top."""
        left = {raised.reference: raised for raised, _ in self.watch.waiting(caller.tenant)}
        wanted = [raised for raised in left.values() if rule in {"", raised.finding.rule}]
        found = [(raised, self.watch.findings.rulings(caller.tenant, raised.reference)) for raised in wanted]
        newest = self.watch.page(caller.tenant, limit=PER_PAGE, rule=rule)
        found += [pair for pair in newest if pair[0].reference not in left]
        version, policy = self.watch.settings(caller.tenant)
        terminal = f"ringfence findings list --rule {rule}" if rule and rule.isascii() else "ringfence findings list"
        return self.pages.respond(
            request,
            "findings.html",
            View("What was seen, and what was done about it?", terminal, caller),
            rows=[shown.row(raised, rulings) for raised, rulings in found[:PER_PAGE]],
            waiting=len(wanted),
            total=self.watch.findings.count(caller.tenant, rule=rule),
            rule=plain(rule),
            again="/findings" + (f"?{urlencode({'rule': rule})}" if rule else ""),
            policy=policy,
            version=version,
            live=self.live(),
        )

    def one(self, request: Request, caller: Person, reference: str) -> Response:
        """Return the page of a finding."""
        raised, rulings, alerts = self.watch.one(caller.tenant, reference)
        row = shown.row(raised, rulings)
        where = f" on {row.node}" if row.node else ""
        return self.pages.respond(
            request,
            "finding.html",
            View(
                f"Why {raised.finding.rule}{where}, and what followed?",
                f"ringfence findings show {raised.reference}",
                caller,
            ),
            raised=raised,
            row=row,
            title=plain(raised.finding.title),
            links=[*self._chain(raised, rulings), *self._settled(raised)],
            waiting=[one for one in rulings if one.state is State.WAITING],
            settles=shown.waits(rulings, [state for _, state in alerts]),
            acts=[(one, sentence(one.act, one.state), shown.MARKS[one.state]) for one in rulings],
            alerts=alerts,
            playbook=self.watch.playbook.digest.hex,
            live=self.live(),
        )

    def _chain(self, raised: Raised, rulings: Sequence[Ruled]) -> list[dict[str, Any]]:
        """Return the links from the lines over rule and decision to what was done, in their order."""
        finding = raised.finding
        kept = f"{len(finding.evidence)} {'line is' if len(finding.evidence) == 1 else 'lines are'} kept by digest"
        links = [_link(kept, "the lines stay in the node's log", lines=finding.evidence[:5])]
        seen = f"seen {finding.count} times"
        links.append(_link(f"rule {finding.rule}", seen, self._proof(raised, raised.statement)))
        for one in rulings:
            note = f"{one.act.reason.value}; decided {millis(one.times.line, one.times.decided)} ms after the line"
            if one.times.acted is not None and one.act.contains:
                note += f", done after {millis(one.times.line, one.times.acted)} ms"
            links.append(_link(sentence(one.act, one.state), note, self._proof(raised, one.statement)))
        return links

    def _proof(self, raised: Raised, statement: Digest | None) -> Mapping[str, Any] | None:
        entry = self.log.entry_of(statement) if statement else None
        strength = Strength.OBSERVED if raised.authenticated else Strength.DECLARED
        return proof(entry, statement, strength.text) if statement and entry is not None else None

    def _settled(self, raised: Raised) -> list[dict[str, Any]]:
        """Return what people said they did about it; a reason may be erased by now."""
        subject = statements.subject_of(raised.reference).digest
        found = []
        for logged in self.log.statements(raised.tenant, (statements.SETTLED,)):
            said = logged.envelope.statement
            if any(one.digest == subject for one in said.subjects):
                reason = logged.opening.details.get("reason", "") if logged.opening else "the reason was erased"
                chip = proof(logged.entry, logged.envelope.digest, said.issuance.strength.text)
                found.append(_link(f"settled by {said.claims['by']}", plain(str(reason)), chip))
        return found


def _link(text: str, note: str, chip: Mapping[str, Any] | None = None, *, lines: Sequence[str] = ()) -> dict[str, Any]:
    return {"text": text, "note": note, "proof": chip, "lines": lines}


def router(watch: Watch, pages: Pages, log: Log, live: Live) -> APIRouter:
    """Return the Findings pages."""
    routes = APIRouter(include_in_schema=False)
    findings = FindingPages(watch, pages, log, live)

    @routes.get("/findings")
    def listed(request: Request, caller: Reader, rule: Annotated[str, Query(max_length=64)] = "") -> Response:
        return findings.listed(request, caller, rule)

    @routes.get("/findings/{reference}")
    def one(request: Request, caller: Reader, reference: str) -> Response:
        return findings.one(request, caller, reference)

    return routes
