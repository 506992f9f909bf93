"""Whatever people do to an incident, in whatever order: nothing late becomes in time, and nothing is forgotten."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from ringfence.incidents import acts
from ringfence.incidents.model import Answer, ClockState
from ringfence.kernel.errors import Conflict, MalformedInput, NotFound
from ringfence.testing.incidents import CARS, HOSPITAL, TENANT, LabIncidents

LATE = {ClockState.LATE, ClockState.MET_LATE}
KEPT_LATE = (
    "nis2.early_warning",
    "nis2.notification",
    "contract.customer_notice/hospital",
    "contract.breach_notice/hospital",
)
TAKEN = (Conflict, MalformedInput, NotFound)


class OneIncident(RuleBasedStateMachine):
    """An incident, another one to merge with, and everything that a person can sign."""

    def __init__(self):
        super().__init__()
        self.lab = LabIncidents(datetime(2026, 1, 30, 12, tzinfo=UTC))
        breach = ((self.lab.clock.now() - timedelta(days=1), 20),)
        self.lab.organisation.its_customers = (replace(HOSPITAL, breach=breach), CARS)
        self.name = self.lab.detect()
        self.others = 0
        self.was_late = set()
        self.lengths = 0
        self.values = []

    @rule(hours=st.sampled_from([1, 5, 30, 80, 700]))
    def time_passes(self, hours):
        self.lab.clock.advance(timedelta(hours=hours))

    @rule(again=st.booleans())
    def something_new_is_found(self, again):
        if self.lab.room(self.name).incident.closing is None:
            self.lab.detect("ssh-guessing-then-success" if again else "flow-denied-scan")

    @rule(significant=st.booleans(), ago=st.integers(0, 100), personal_data=st.sampled_from(Answer))
    def somebody_decides(self, significant, ago, personal_data):
        aware = {"aware_at": self.lab.clock.now() - timedelta(hours=ago)} if significant else {}
        whose = ("hospital",) if significant and personal_data is Answer.YES else ()
        said = {"personal_data": personal_data, "breached": whose, **aware}
        self.lab.triage(self.name, significant=significant, **said)

    @rule(ago=st.integers(0, 200))
    def the_awareness_is_corrected(self, ago):
        aware = self.lab.clock.now() - timedelta(hours=ago)
        text = aware.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._try(acts.corrected(self.lab.seen(self.name), "aware-at", reason="wrong", value=text))

    @rule(stage=st.sampled_from(["nis2.early_warning", "nis2.notification", "nis2.final"]))
    def a_report_is_filed(self, stage):
        try:
            self.lab.file(self.name, stage)
        except TAKEN:
            return

    @rule()
    def somebody_says_it_is_handled(self):
        self._try(acts.closed(self.lab.seen(self.name), self.lab.clock.now(), "service restored"))

    @precondition(lambda self: self.others < 3)
    @rule(significant=st.booleans(), ago=st.integers(0, 50))
    def another_is_merged_in(self, significant, ago):
        self.others += 1
        other = self.lab.detect(subject=f"n-0000000{self.others + 1}")
        if significant:
            self.lab.triage(other, aware_at=self.lab.clock.now() - timedelta(hours=ago))
        self._try(acts.corrected(self.lab.seen(self.name), "merge", reason="one attack", other=other))

    @rule()
    def everything_is_restarted(self):
        before = self.lab.room(self.name)
        self.lab.service = self.lab.restarted()
        assert self.lab.room(self.name) == before

    def _try(self, draft):
        try:
            self.lab.post(self.name, draft)
        except TAKEN:
            return

    @invariant()
    def late_stays_late(self):
        clocks = self.lab.clocks(self.name)
        now_late = {name for name in KEPT_LATE if name in clocks and clocks[name].state in LATE}
        assert self.was_late <= now_late
        self.was_late = now_late

    @invariant()
    def nothing_is_taken_from_the_timeline(self):
        incident = self.lab.room(self.name).incident
        assert len(incident.timeline) >= self.lengths
        self.lengths = len(incident.timeline)
        values = list(incident.awareness)
        assert values[: len(self.values)] == self.values
        self.values = values
        assert self.lab.service.intact(TENANT, incident)

    @invariant()
    def no_clock_of_the_law_runs_without_an_awareness(self):
        shown = self.lab.room(self.name)
        if not shown.incident.awareness:
            assert {clock.id for clock in shown.clocks} <= {"triage"}
        for clock in shown.clocks:
            assert clock.started_at is None or clock.started_at <= self.lab.clock.now()


OneIncident.TestCase.settings = settings(max_examples=50, stateful_step_count=20, deadline=None)
TestOneIncident = OneIncident.TestCase


@pytest.mark.soak
def test_one_incident_for_long():
    run_state_machine_as_test(OneIncident, settings=settings(max_examples=500, stateful_step_count=40, deadline=None))
