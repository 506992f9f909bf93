"""Every number that a page of the console states equals the one of the page's own line for the terminal.

A page marks its numbers with `parts.count`. What prints one without it, what has no line, and what stands alone
unmarked is named below with its reason; nothing else is let through, and no reason may outlive what it is for.
"""

import inspect
import json
import re
import sys
from datetime import timedelta
from functools import cache
from itertools import pairwise

import httpx
import pytest

from ringfence.frontends.page import environment_of_package
from ringfence.kernel.actor import Role
from ringfence.kernel.digest import Digest
from ringfence.kernel.statement import Draft, Strength, Subject
from ringfence.ledger.custody import HEAD_EXPORTED
from ringfence.obligations import domains
from ringfence.server import create_app
from ringfence.testing import counting, program, staged
from ringfence.testing.clock import FakeClock
from ringfence.testing.console import OpenDoor, served
from ringfence.testing.everything import everything
from ringfence.testing.further import files, further
from ringfence.testing.home import TENANT, make, signed
from ringfence.testing.routes import routes_of

PLACE = re.compile(r"[\w.]*entry \| number")  # it names an entry of the log, and counts nothing

# Why a template prints a number without marking it, by what the expression begins with.
UNMARKED = {
    "a place in the log, in a file or in a list; nothing is counted": {
        "evidence": ("(found.reach.size - found.reach.entries)", "found.reach.entries"),
        "heads": ("claims.size", "claims.witnessSize", "size", "went.size"),
        "obligations": ("first",),
        "pack": ("failure.record", "flip.position", "size"),
        "receipt": ("outcome.closing.number",),
        "record": ("covering.head.checkpoint.size", "statement.issuance.sequence"),
        "sources": ("(sources.reach.size - sources.reach.entries)", "sources.reach.entries"),
    },
    "how much of a list the page itself leaves out, or which further ones it shows": {
        "customer": ("bare | length",),
        "deployments": ("callers | length",),
        "evidence_rows": ("row.others",),
        "findings": ("waiting",),
        "lineage": ("(document.gaps | length - shown)",),
        "lineage_thing": ("document.left_out",),
        "pack": ("more",),
        "people": ("ended | length",),
        "proof": ("more_packs",),
        "record": ("row.others",),
        "risks": ("risks | length",),
        "today": ("(controls | length - most)", "(waiting | length - shown)", "step.controls | length"),
    },
    "of what this page alone does: a form, a proposal, a check, an answer": {
        "collect": ("controls | length",),
        "data": ("largest",),
        "decisions": ("body | length", "mine"),
        "deployment": ("answer.milliseconds", "answer.tokens"),
        "form": ("wrong | length",),
        "import": ("proposal.",),
        "offers": ("memory",),
        "pack": ("itself.checked", "outcome.checked"),
        "practise": ("way.running",),
        "profiles": ("difference.asked | length", "difference.not_enforced | length", "one.after", "one.before"),
        "scope_wizard": ("turn.cards | length",),
        "signin": ("codes_left", "passkeys | length", "sessions | length"),
    },
    "a figure that a rule, a policy or the law sets; the line shows it in its own words": {
        "control": ("result.control.freshness_days",),
        "findings": ("(policy.window_seconds // 60)", "policy.isolations", "policy.silences | length"),
        "retention": ("minimum.days",),
        "scope_parts": ("document.turnovers.significant_loss_eur", "row.fixed_eur", "value"),
    },
    "the page's line does not say it": {
        "control": ("found.history.looked",),
        "data": ('rows | selectattr("passed")',),
        "evidence": ("count", 'parts.empty("Nothing matches"', "total"),
        "finding": ("delivery.attempts",),
        "models": ("clean",),
        "node": ("((node.ready_at", "((quarantine.confirmed_at"),
        "overrides": ("change.old | length",),
        "profiles": ("rows | length",),
        "services": ("ended_count", "soon"),
        "tenants": ("held.count", "others | length"),
        "threats": ("held | length",),
    },
    "the macro itself": {"parts": ("value",)},
}
# Why a page's own numbers are compared with no line of its own.
ACTS = "its line does something, or takes a file: it shows no view"
WITHOUT = {
    "/_parts": "made-up values",
    "/access/import": ACTS,
    "/deployments/sample": "its line lists what is deployed; the page says what could be",
    "/evidence/{entry}": ACTS,
    "/login": "nobody is signed in",
    "/packs": ACTS,
    "/packs/{entry}": ACTS,
    "/practice": ACTS,
    "/receipts/{asked}": ACTS,
    "/record/{form}": ACTS,
    "/records/{evidence_type}": ACTS,
    "/scope/wizard": ACTS,
    "/signin": "one person's own sign-in, in this browser",
}
# What the walk does not see, and why.
UNSEEN = {
    "/customers/packs/{number}/file": "a file of a pack that only its customer has",
    "/customers/packs/{number}/leaf": "as above",
    "/heads/checkpoint": "a file that takes a size",
    "/heads/consistency.json": "as above",
    "/login/oidc": "no provider is configured",
    "/login/oidc/callback": "as above",
    "/sign/{act}": "an act waits for one person, who is not the owner; it states no number",
}
# Numbers that stand alone in an element and are marked by nothing.
ALONE = {
    "/_parts": "made-up values",
    "/heads": "sizes of heads: places in the log",
    "/incidents/{incident}": "fields of the draft, as texts",
    "/nodes/{name}": "ports",
    "/profiles": "figures of a profile, as texts",
    "/record/{form}": "what may be answered",
    "/sources": "places in a sequence",
}
# Marks that the walk never sees, and why.
NEVER = {("sources.html", "unnumbered"): "entries of releases that gave none a number; none is written any more"}
# Lines that found something wrong here, and end with 1.
FINDS = ("ringfence ledger sources", "ringfence lineage gaps")
# What stands for an id that is the product's own.
SHIPPED = {
    "controls": "DAT",
    "records": "log.heartbeat",
    "record": "risk.assessment",
    "obligations": "nis2-21.2.g",
    "frameworks": "owasp_llm_2026",
    "policies": "information-security",
    "proof": "verify_pack.py",
}
COLLECTED = ("log.heartbeat", "access.register", "key.lifecycle", "retention.register")


def reasons():
    return {
        (template, beginning): why
        for why, templates in UNMARKED.items()
        for template, beginnings in templates.items()
        for beginning in beginnings
    }


def printed():
    """Every expression that prints a number unmarked, by its template."""
    environment = environment_of_package()
    for name in environment.list_templates():
        for line, text in counting.unmarked(environment, name):
            if not PLACE.fullmatch(text):
                yield name.removesuffix(".html"), line, text


def test_a_template_prints_no_number_that_is_not_marked():
    known = reasons()
    assert [
        f"{template}.html:{line} prints {text[:80]!r}: mark it with parts.count"
        for template, line, text in printed()
        if not any(template == name and text.startswith(beginning) for name, beginning in known)
    ] == []


def test_no_reason_outlives_what_it_is_for():
    found = list(printed())
    assert [
        f"{name}: {beginning}"
        for name, beginning in reasons()
        if not any(template == name and text.startswith(beginning) for template, _, text in found)
    ] == []


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """An installation with something of everything in it, the ids of that, and where more of it stands."""
    clock = FakeClock()
    home = make(tmp_path_factory.mktemp("numbers") / "home", clock)
    files(home.path)
    with staged.staged(home, clock) as stage:
        found = everything(stage) | SHIPPED
        places = further(stage, found)
        collect(stage)
        yield stage, found, places


def collect(stage):
    for name in COLLECTED:
        stage.services.collectors[name](TENANT)
    stage.services.ledger.integrate()
    export_head(stage)
    stage.clock.advance(timedelta(minutes=5))
    stage.services.collectors[COLLECTED[0]](TENANT)
    stage.services.ledger.integrate()


def export_head(stage):
    """Hand a head out, so that a part of the log only rests on the operator's word alone."""
    head = stage.services.ledger.head()
    claims = {"size": head.checkpoint.size, "root": head.checkpoint.root.hex(), "destination": "file"}
    subject = Subject(f"head/{head.checkpoint.size}", Digest.of(head.note.encode()))
    wanted = Draft(HEAD_EXPORTED, (subject,), claims, Strength.OBSERVED, {"path": "trust.json"})
    posted = signed(stage.services, stage.home.people[Role.OWNER], wanted)
    with stage.services.ledger.publishable():
        stage.services.outbox.admit(*posted, by=stage.home.actor())
    stage.services.ledger.integrate()


@pytest.fixture(scope="module")
def console(played):
    """Its address; its owner looks."""
    stage, *_ = played
    app = create_app(stage.services)
    app.state.door = OpenDoor(TENANT, person=stage.home.actor())
    with served(app) as address:
        yield address


@pytest.fixture(scope="module")
def pages(played, console):
    """Every page with its route; which of them do not answer is known."""
    (stage, ids, places), found, unseen = played, [], set()
    routes = (route for route in routes_of(create_app(stage.services)) if route.method == "GET")
    shown = (route for route in routes if not route.path.startswith("/api/") and route.path != "/console/stream")
    with httpx.Client(base_url=console, headers={"accept": "text/html"}) as http:
        for address, route in [*((filled(route, ids), route.path) for route in shown), *places.items()]:
            answer = http.get(address)
            if answer.status_code == 200 and answer.headers["content-type"].startswith("text/html"):
                found.append((route, counting.read(answer.text)))
            elif answer.status_code != 200:
                unseen.add(route)
    assert unseen == UNSEEN.keys()
    return found


@pytest.fixture(scope="module")
def said(played, console):
    """What a line says with `--json`, each asked once."""
    stage, *_ = played

    @cache
    def say(line):
        known = {"RINGFENCE_HOME": str(stage.home.path), "RINGFENCE_URL": console, "RINGFENCE_TOKEN": "anybody"}
        done = program.called(known, *line.removeprefix("ringfence ").split(), "--json")
        assert done.returncode == (line in FINDS), f"{line}: {done.stderr}"
        return with_bare(json.loads(done.stdout))

    return say


def with_bare(document):
    """Add how many controls of each domain are without evidence: the terminal counts them as it prints."""
    controls = document.get("controls") or [{}]
    if "requirements" not in controls[0]:
        return document
    bare = domains.counted([one for one in controls if domains.document_without_evidence(one)])
    return document | {"without_evidence": dict.fromkeys(domains.NAMES, 0) | bare}


def filled(route, ids):
    if len(route.parameters) > 1:
        return "/controls/DAT/DAT-01"
    words = route.path.split("/")
    kinds = [before for before, word in pairwise(words) if word.startswith("{")]
    return route.filled({name: ids[kind] for name, kind in zip(route.parameters, kinds, strict=True)})


def test_every_number_of_every_page_is_the_terminals(pages, said):
    wrong, compared = [], 0
    for route, page in pages:
        for one in page.stated:
            line = one.line or ("" if route in WITHOUT else page.terminal)
            if not line:
                wrong += [f"{route} states {one.path}, and has no line"] if route not in WITHOUT else []
                continue
            compared += 1
            try:
                there = counting.at(said(line), one.path)
            except (LookupError, TypeError) as error:
                there = error
            if there != one.value:
                wrong.append(f"{route} says {one.value} where `{line}` says {there} ({one.path})")
    assert wrong == []
    assert compared > 400


def test_a_page_has_a_line_or_a_reason(pages):
    assert len(pages) > 50
    assert [route for route, page in pages if not page.terminal and route not in WITHOUT] == []
    assert WITHOUT.keys() - {route for route, _ in pages} == set()


def test_each_line_that_shows_a_view_works(pages, said):
    for route, page in pages:
        if route not in WITHOUT:
            assert said(page.terminal) is not None


def test_no_number_stands_alone_without_a_mark(pages):
    assert {route: page.bare for route, page in pages if page.bare and route not in ALONE} == {}


def stated_by(environment, pages, modules):
    """Which paths stand on pages of the modules that name a template, by the template."""
    by_module, found = {}, {}
    for route, page in pages:
        by_module.setdefault(modules[route], set()).update(one.path for one in page.stated)
    for module, paths in by_module.items():
        named = re.findall(r'"(\w+\.html)"', inspect.getsource(sys.modules[module]))
        for name in counting.with_parts(environment, named):
            found.setdefault(name, set()).update(paths)
    return found


def test_every_mark_was_seen_or_is_named(played, pages):
    environment = environment_of_package()
    modules = {route.path: route.module for route in routes_of(create_app(played[0].services)) if route.method == "GET"}
    stated = stated_by(environment, pages, modules)
    unseen = {
        (name, pattern): line
        for name in environment.list_templates()
        for line, pattern in counting.marked(environment, name)
        if not any(re.fullmatch(pattern, path) for path in stated.get(name, ()))
    }
    assert [f"{name}:{line} {path}" for (name, path), line in unseen.items() if (name, path) not in NEVER] == []
    assert [one for one in NEVER if one not in unseen] == []
