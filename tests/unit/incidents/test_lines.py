import io

import pytest
from rich.console import Console

from ringfence.incidents import lines, views
from ringfence.testing.incidents import NAME, TENANT, LabIncidents


@pytest.fixture
def lab():
    return LabIncidents()


def said(show, *arguments):
    text = io.StringIO()
    show(Console(file=text, markup=False, highlight=False, width=200), *arguments)
    return text.getvalue()


def test_an_incident_is_shown_with_its_clocks_its_criteria_and_its_draft(lab):
    name = lab.detect("ssh-guessing-then-success", title="[red]odd")
    lab.triage(name)
    document = views.room(lab.service, TENANT, name)
    text = said(lines.shown, document)
    for part in ("[red]odd", "early warning 23(4)(a)", "3(1)(e)", "proposed", f"by {NAME}", "not known at this time"):
        assert part in text
    done = said(lines.done, document | {"statement": {"stage": "published"}}, "is decided")
    assert done.startswith(f"{name} is decided: significant; the statement is published.")


def test_a_list_names_the_nearest_deadline_and_an_empty_one_what_to_do(lab):
    assert "ringfence incident declare" in said(lines.listed, {"incidents": []})
    lab.detect()
    rows = [views.summary(shown) for shown in lab.service.all(TENANT)]
    assert "decide on significance" in said(lines.listed, {"incidents": rows})


def test_where_no_clock_runs_that_is_said(lab):
    name = lab.detect()
    lab.triage(name, significant=False)
    assert "No clock runs." in said(lines.shown, views.room(lab.service, TENANT, name))
