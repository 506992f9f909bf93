from dataclasses import replace
from datetime import timedelta

from ringfence.soc.health import BUCKET, Sensor, findings, heard
from ringfence.testing.clock import START

SENSOR = Sensor("n-1", "sshd", 10, START)


def at(seconds):
    return START + timedelta(seconds=seconds)


def test_three_missed_heartbeats_are_a_finding_once():
    assert findings([SENSOR], at(29)) == []
    (first,), (later,) = findings([SENSOR], at(30)), findings([SENSOR], at(300))
    assert (first.rule, first.technique) == ("source-silent", ("T1562",))
    assert first.id == later.id


def test_a_line_ends_the_silence():
    assert findings([heard(SENSOR, understood=True, at=at(29))], at(58)) == []


def test_silence_says_nothing_where_no_heartbeat_is_promised_or_the_node_stands():
    assert findings([replace(SENSOR, heartbeat_seconds=0), replace(SENSOR, running=False)], at(9999)) == []


def fed(sensor, bad):
    for number in range(BUCKET):
        sensor = heard(sensor, understood=number >= bad, at=at(number))
    return sensor


def rules(sensor):
    return [finding.rule for finding in findings([replace(sensor, heartbeat_seconds=0)], at(0))]


def test_a_rising_share_of_unread_lines_is_a_finding_until_it_falls():
    calm = fed(SENSOR, 10)
    assert rules(calm) == []
    risen = fed(calm, 90)
    assert rules(risen) == ["source-unparsed"]
    still = fed(risen, 90)
    assert still.risen_at == risen.risen_at
    assert rules(fed(still, 10)) == []


def test_a_share_that_was_always_so_does_not_rise():
    assert rules(fed(fed(replace(SENSOR, before=80), 90), 90)) == []
    assert rules(fed(SENSOR, BUCKET // 4)) == []
