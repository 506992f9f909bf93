from dataclasses import replace

from ringfence.identity.acting.ports import Target
from ringfence.kernel.actor import Role
from ringfence.reports.model import REPORT_EXPORTED
from ringfence.testing.customers import HOSPITAL
from ringfence.testing.home import TENANT, signed
from ringfence.workloads.handing import handing


def whole(seen):
    def submit(_person, place, _envelope, _opening):
        seen.append(place)
        return {}

    return {REPORT_EXPORTED: Target("report.pack", "words", submit, lambda _: "/packs")}


def test_a_report_for_a_customer_is_led_to_the_customers(services, home):
    seen = []
    name, _ = services.customers.add(home.actor(), replace(HOSPITAL, things={}))
    target = handing(services.customers, whole(seen))[REPORT_EXPORTED]
    _, draft = services.customers.draft(TENANT, name)
    answer = target.submit(home.actor(), name, *signed(services, home.people[Role.OWNER], draft))
    assert answer["pack"] == services.customers.handed(TENANT, name)[0].entry
    assert target.page(name) == f"/customers/{name}"
    assert not seen


def test_every_other_report_goes_where_it_went(services, home):
    seen = []
    target = handing(services.customers, whole(seen))[REPORT_EXPORTED]
    assert target.submit(home.actor(), "packs", None, None) == {}
    assert (seen, target.page("packs"), target.action) == (["packs"], "/packs", "report.pack")
