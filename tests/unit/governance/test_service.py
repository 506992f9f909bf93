"""What people judge never moves the computed status: told to the real board, with a real log."""

import json
from dataclasses import replace
from datetime import timedelta

from ringfence.governance.opinions import statements as opinions
from ringfence.kernel.actor import Role
from ringfence.obligations import sheet
from ringfence.testing.home import TENANT
from ringfence.testing.judging import GIVEN, Signers


def board(services, at=None):
    document = sheet.document(services.status.board(TENANT, at))
    return json.dumps(document["controls"], sort_keys=True)


def test_an_opinion_stands_beside_and_is_kept_when_the_status_flips(services, home, clock):
    people, judged = Signers(services, home), services.judgements
    people.key(Role.AUDITOR)  # enrolling a key is evidence of its own
    control = "LOG-05"
    now = judged.opinions.on(TENANT, control)
    given = replace(GIVEN, control=control, rules=now.rules, status=now.state)
    before, moment = board(services), clock.now()
    clock.advance(timedelta(seconds=1))
    judged.opinions.give(people.actor(Role.AUDITOR), *people.passkey(Role.AUDITOR, opinions.given(given)))
    assert board(services, clock.now()) == board(services, clock.now())
    assert board(services, moment) == before
    for name in services.collectors:
        services.collectors[name](TENANT)
    (one,) = judged.beside(TENANT)[control]
    assert (one.state, one.status_then) == ("in force", now.state)
    assert judged.beside(TENANT, moment) == {}
    assert judged.documents(TENANT)[control][0]["id"] == given.id
