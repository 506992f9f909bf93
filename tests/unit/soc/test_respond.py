from dataclasses import replace
from datetime import timedelta

import pytest

from ringfence.soc.action import ActionKind, Past, Reason, Ruling, Surroundings
from ringfence.soc.playbook import shipped, wishes
from ringfence.soc.policy import Mode, Policy, Silence
from ringfence.soc.respond import decide, is_address
from ringfence.testing.accesses import CLIENT, VICTIM
from ringfence.testing.accesses import KEY as CALLER
from ringfence.testing.clock import START
from ringfence.testing.soc import ATTACKER, finding, node

ISOLATE, KEY, BLOCK, ALERT = ActionKind
TAKEN = "ssh-guessing-then-success"


def decided(seen, on=None, *, policy=None, past=(), at=START, **around):
    policy = policy or Policy()
    wished = wishes(seen, shipped(), policy, on)
    surroundings = replace(Surroundings(nodes=1), **around)
    return decide(seen, wished, policy, list(past), on, surroundings, at=at)


def rulings(response):
    return {act.kind: (act.ruling, act.reason) for act in response.acts}


def past(kind, target, *, key="another", at=START, ruling=Ruling.TAKE, seconds=0, turn=0):
    return Past(key, kind, target, ruling, at, at + timedelta(seconds=seconds) if seconds else None, turn)


def test_guessing_blocks_the_source_and_touches_no_node():
    found = rulings(decided(finding(), node()))
    assert found == {BLOCK: (Ruling.TAKE, Reason.PLAYBOOK), ALERT: (Ruling.TAKE, Reason.PLAYBOOK)}


def test_success_isolates_the_node_that_reported():
    response = decided(finding(TAKEN), node())
    assert {act.kind: act.target for act in response.acts} == {ISOLATE: "n-00000001", BLOCK: ATTACKER, ALERT: ""}
    assert all(act.ruling is Ruling.TAKE for act in response.acts)
    assert response.act(BLOCK).seconds == 3600


@pytest.mark.parametrize("name", ["n-00000001", "name-of-n-00000001"])
def test_a_node_on_the_list_is_never_isolated_and_its_attacker_is_blocked(name):
    found = rulings(decided(finding(TAKEN), node(), policy=Policy(never_isolate=(name,))))
    assert found[ISOLATE] == (Ruling.SKIP, Reason.NEVER_ISOLATE)
    assert found[BLOCK][0] is found[ALERT][0] is Ruling.TAKE


def test_a_finding_about_a_node_that_did_not_report_isolates_nobody():
    found = rulings(decided(finding(TAKEN), None))
    assert found[ISOLATE] == (Ruling.SKIP, Reason.UNKNOWN_NODE)


def test_what_nobody_authenticated_acts_on_nothing():
    found = rulings(decided(finding(TAKEN), node(), authenticated=False))
    assert set(found.values()) == {(Ruling.SKIP, Reason.DECLARED)}


@pytest.mark.parametrize("source", ["", "attacker.example", "::1", "2001:db8::1", "127.0.0.1", "224.0.0.1"])
def test_what_is_no_outside_address_is_not_blocked(source):
    assert rulings(decided(finding(source=source), node()))[BLOCK] == (Ruling.SKIP, Reason.NO_ADDRESS)
    assert not is_address(source)


def test_our_own_addresses_and_the_list_are_never_blocked():
    assert rulings(decided(finding(), node(), protected=frozenset({ATTACKER})))[BLOCK][1] is Reason.NEVER_BLOCK
    listed = Policy(never_block=("203.0.113.0/24",))
    assert rulings(decided(finding(), node(), policy=listed))[BLOCK] == (Ruling.SKIP, Reason.NEVER_BLOCK)


@pytest.mark.parametrize("rule", ["ssh-guessing", TAKEN])
def test_an_address_that_came_in_with_a_certificate_is_left_to_a_person(rule):
    found = rulings(decided(finding(rule), node(), administrator=True))
    assert found[BLOCK] == (Ruling.ASK, Reason.ADMINISTRATOR)
    assert found.get(ISOLATE, (Ruling.TAKE,))[0] is Ruling.TAKE


def test_beyond_the_cap_a_person_is_asked_and_one_alert_speaks_for_all():
    done = [past(ISOLATE, f"n-{i}") for i in range(3)]
    response = decided(finding(TAKEN), node(), past=done)
    assert rulings(response)[ISOLATE] == (Ruling.ASK, Reason.CAP)
    assert rulings(response)[ALERT] == (Ruling.SKIP, Reason.STORM)
    assert rulings(response)[BLOCK][0] is Ruling.TAKE
    assert response.storm
    assert (response.isolations, response.cap) == (3, 3)


def test_the_cap_grows_with_the_fleet_and_forgets_after_the_window():
    done = [past(ISOLATE, f"n-{i}") for i in range(3)]
    assert rulings(decided(finding(TAKEN), node(), past=done, nodes=50))[ISOLATE][0] is Ruling.TAKE
    later = START + timedelta(minutes=11)
    seen = finding(TAKEN, last_seen=later)
    assert rulings(decided(seen, node(), past=done, at=later))[ISOLATE][0] is Ruling.TAKE


def test_the_same_node_counts_once():
    done = [past(ISOLATE, "n-1", key=f"k{i}", at=START - timedelta(minutes=i)) for i in range(9)]
    assert decided(finding(TAKEN), node(), past=done).isolations == 1


def test_a_dry_run_decides_the_same_and_takes_nothing():
    response = decided(finding(TAKEN), node(), policy=Policy(mode=Mode.DRY_RUN))
    assert rulings(response)[ISOLATE] == rulings(response)[BLOCK] == (Ruling.WOULD, Reason.DRY_RUN)
    assert not any(act.contains for act in response.acts)
    assert rulings(response)[ALERT][0] is Ruling.TAKE


def test_a_dry_run_leaves_nothing_in_force():
    would = [past(ISOLATE, f"n-{i}", ruling=Ruling.WOULD) for i in range(3)]
    would.append(past(BLOCK, ATTACKER, ruling=Ruling.WOULD, seconds=3600))
    assert rulings(decided(finding(TAKEN), node(), past=would)) == rulings(decided(finding(TAKEN), node()))
    dry = decided(finding(TAKEN), node(), past=would, policy=Policy(mode=Mode.DRY_RUN))
    assert rulings(dry)[ISOLATE] == (Ruling.ASK, Reason.CAP)


def test_the_actions_of_one_rule_can_be_switched_off():
    found = rulings(decided(finding(TAKEN), node(), policy=Policy(rules_off=(TAKEN,))))
    assert found[ISOLATE] == found[BLOCK] == (Ruling.SKIP, Reason.RULE_OFF)
    assert found[ALERT][0] is Ruling.TAKE


def test_a_silence_keeps_alerts_quiet_and_stops_no_cut():
    silence = Silence(TAKEN, "name-of-n-00000001", START + timedelta(hours=1), "x")
    found = rulings(decided(finding(TAKEN), node(), policy=Policy(silences=(silence,))))
    assert found[ALERT] == (Ruling.SKIP, Reason.SILENCED)
    assert found[ISOLATE][0] is found[BLOCK][0] is Ruling.TAKE


def answered_before(seen, *, at=START):
    return [past(ISOLATE, "n-00000001", key=seen.id, at=at), past(BLOCK, ATTACKER, key=seen.id, at=at, seconds=3600),
            past(ALERT, "", key=seen.id, at=at)]  # fmt: skip


def test_an_attack_that_goes_on_is_answered_once():
    seen = finding(TAKEN)
    assert decided(seen, node(), past=answered_before(seen)) is None


def test_a_block_is_extended_while_the_attack_goes_on():
    later = START + timedelta(minutes=31)
    seen = finding(TAKEN, last_seen=later)
    response = decided(seen, node(), past=answered_before(seen), at=later)
    assert rulings(response) == {ISOLATE: (Ruling.SKIP, Reason.IN_FORCE), BLOCK: (Ruling.TAKE, Reason.EXTENDED)}
    assert response.turn == 1


def test_a_node_that_is_cut_off_is_not_cut_off_again():
    found = rulings(decided(finding(TAKEN), node(contained_since=START)))
    assert found[ISOLATE] == (Ruling.SKIP, Reason.IN_FORCE)


def test_a_node_that_flaps_is_left_to_a_person():
    done = [past(ISOLATE, "n-00000001", at=START - timedelta(seconds=30))]
    assert rulings(decided(finding(TAKEN), node(), past=done))[ISOLATE] == (Ruling.ASK, Reason.COOLDOWN)
    done = [past(ISOLATE, "n-00000001", at=START - timedelta(seconds=61))]
    assert rulings(decided(finding(TAKEN), node(), past=done))[ISOLATE][0] is Ruling.TAKE


def test_a_backlog_blocks_nobody_whose_block_would_have_ended():
    found = rulings(decided(finding(TAKEN, last_seen=START - timedelta(hours=2)), node()))
    assert found[BLOCK] == (Ruling.SKIP, Reason.EXPIRED)
    assert found[ISOLATE][0] is Ruling.TAKE


def test_a_flood_of_sources_does_not_fill_the_kernel_or_the_inbox():
    flood = [past(BLOCK, f"198.51.100.{i}", seconds=3600) for i in range(5)]
    flood += [past(ALERT, "", key=f"k{i}") for i in range(5)]
    response = decided(finding(), node(), past=flood, policy=Policy(blocks=5, alerts=5))
    assert rulings(response) == {BLOCK: (Ruling.ASK, Reason.CAP), ALERT: (Ruling.ASK, Reason.STORM)}
    assert response.storm
    assert (
        rulings(decided(finding("response-storm"), None, past=flood, policy=Policy(alerts=5)))[ALERT][0] is Ruling.TAKE
    )


BURST, GUESSED = "injection-burst", "api-key-guessing-then-success"


def of_key(rule=BURST, key=CALLER, source=CLIENT, **facts):
    return finding(rule, key, source, **facts)


@pytest.mark.parametrize("rule", [BURST, GUESSED])
def test_the_key_is_blocked_and_no_node_is_touched(rule):
    response = decided(of_key(rule))
    assert rulings(response) == {KEY: (Ruling.TAKE, Reason.PLAYBOOK), ALERT: (Ruling.TAKE, Reason.PLAYBOOK)}
    assert response.act(KEY).target == CALLER
    assert response.isolations == 0


def test_guessing_alone_blocks_nothing_whoever_it_is_aimed_at():
    for key in ("gateway", VICTIM):
        assert rulings(decided(of_key("api-key-guessing", key))) == {ALERT: (Ruling.TAKE, Reason.PLAYBOOK)}


@pytest.mark.parametrize("subject", ["gateway", "", "n-00000001", "k-0123", CALLER.upper(), CALLER + "0"])
def test_what_names_no_key_blocks_none(subject):
    assert rulings(decided(of_key(key=subject)))[KEY] == (Ruling.SKIP, Reason.NO_KEY)


def test_no_node_can_speak_for_a_key():
    """A finding that a node's own log led to blocks no key, whatever it is about."""
    assert rulings(decided(of_key(), node(CALLER)))[KEY] == (Ruling.SKIP, Reason.NO_KEY)


def test_a_key_on_the_list_is_never_blocked_and_somebody_hears_of_it():
    found = rulings(decided(of_key(), policy=Policy(never_block_keys=(CALLER,))))
    assert found == {KEY: (Ruling.SKIP, Reason.NEVER_BLOCK_KEY), ALERT: (Ruling.TAKE, Reason.PLAYBOOK)}


def test_what_an_address_did_that_others_share_is_left_to_a_person():
    shared = Policy(never_block=("203.0.113.0/24",))
    assert rulings(decided(of_key(GUESSED), policy=shared))[KEY] == (Ruling.ASK, Reason.SHARED_ADDRESS)
    assert rulings(decided(of_key(BURST), policy=shared))[KEY][0] is Ruling.TAKE, "that was the key's own doing"


def test_beyond_the_cap_of_keys_a_person_is_asked():
    done = [past(KEY, f"k-{i:012x}") for i in range(10)]
    response = decided(of_key(), past=done)
    assert rulings(response)[KEY] == (Ruling.ASK, Reason.CAP)
    assert response.storm
    assert rulings(decided(of_key(), past=done[1:]))[KEY][0] is Ruling.TAKE
    assert rulings(decided(of_key(), policy=Policy(key_blocks=0)))[KEY] == (Ruling.ASK, Reason.CAP)


def test_people_hear_of_a_blocked_key_even_in_a_storm():
    done = [past(ALERT, "", key=f"f{i}") for i in range(40)]
    assert rulings(decided(of_key(), past=done))[KEY][0] is Ruling.TAKE


def test_a_key_that_is_blocked_is_not_blocked_again():
    seen = of_key()
    before = [past(KEY, CALLER, key=seen.id), past(ALERT, "", key=seen.id)]
    assert decided(seen, past=before, at=START + timedelta(seconds=30)) is None
    later = START + timedelta(hours=2)
    assert decided(seen, past=before, at=later) is None, "nothing was seen since: a person may have unblocked it"


def test_a_key_that_a_person_unblocked_and_that_goes_on_is_blocked_again():
    seen, later = of_key(), START + timedelta(minutes=5)
    before = [past(KEY, CALLER, key=seen.id), past(ALERT, "", key=seen.id)]
    response = decided(replace(seen, last_seen=later), past=before, at=later)
    assert rulings(response) == {KEY: (Ruling.TAKE, Reason.EXTENDED)}
    assert response.turn == 1


def test_a_dry_run_and_a_rule_that_is_off_block_no_key():
    assert rulings(decided(of_key(), policy=Policy(mode=Mode.DRY_RUN)))[KEY] == (Ruling.WOULD, Reason.DRY_RUN)
    assert rulings(decided(of_key(), policy=Policy(rules_off=(BURST,))))[KEY] == (Ruling.SKIP, Reason.RULE_OFF)
    assert rulings(decided(of_key(), authenticated=False))[KEY] == (Ruling.SKIP, Reason.DECLARED)
