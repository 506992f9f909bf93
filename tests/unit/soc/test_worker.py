import os
import threading
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from ringfence.kernel.clock import to_text
from ringfence.kernel.errors import Unavailable
from ringfence.kernel.identifier import Tenant
from ringfence.soc.action import ActionKind
from ringfence.soc.detection.detector import Detector
from ringfence.soc.detection.shipped import rules
from ringfence.soc.faults import Fault
from ringfence.soc.policy import Policy
from ringfence.soc.ports import NodeLogFile, Tail
from ringfence.soc.sources.auth import AuthLog
from ringfence.soc.sources.lines import MAX_LINE
from ringfence.soc.worker import CHUNK, HANDS, Follower, Hands, Worker
from ringfence.testing.accesses import CLIENT, STRANGER, VICTIM, WRONG, access
from ringfence.testing.accesses import KEY as CALLER
from ringfence.testing.soc import ATTACKER, TENANT, WatchLab, finding, node


@dataclass
class MemoryProgress:
    """`Progress` in memory."""

    tails: dict = field(default_factory=dict)
    states: dict = field(default_factory=dict)

    def load(self):
        return dict(self.tails), dict(self.states)

    def save(self, tails, states):
        self.tails |= tails
        self.states |= states


class Bench:
    """A worker over a lab and real files."""

    def __init__(self, folder):
        self.lab, self.progress, self.folder = WatchLab(), MemoryProgress(), folder
        self.files, self.protected, self.faults, self.path = {}, frozenset(), [], ""
        self.restart()

    def restart(self):
        self.lab.restart()
        self.worker = Worker(
            self.lab.answers,
            self,
            None,
            self.progress,
            AuthLog,
            lambda: Detector(rules()),
            self.lab.clock,
            self.protected,
            self if self.path else None,
            lambda: self.faults,
        )

    def logs(self):
        return [(TENANT, file) for file in self.files.values()]

    def tenants(self):
        return [TENANT]

    def add(self, name="n-00000001", **changes):
        path = self.folder / f"{name}.log"
        path.touch()
        self.files[name] = replace(NodeLogFile(node(name), "sshd", str(path)), **changes)
        return path

    def write(self, path, *messages):
        with path.open("a") as file:
            for message in messages:
                self.lab.clock.advance(timedelta(milliseconds=200))
                file.write(f"{to_text(self.lab.clock.now())} {message}\n")

    def round(self, seconds=1):
        self.lab.clock.advance(timedelta(seconds=seconds))
        return self.worker.round()

    @property
    def isolated(self):
        return [name for _, name in self.lab.responder.isolated]

    @property
    def blocked(self):
        return [address for _, address, _ in self.lab.responder.blocked]


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def failed(user="root", source=ATTACKER):
    return f"Failed password for {user} from {source} port 40022 ssh2"


def accepted(user="root", source=ATTACKER):
    return f"Accepted password for {user} from {source} port 40023 ssh2"


CERTIFICATE = (
    f"Accepted publickey for ringfence from {ATTACKER} port 40024 ssh2: ED25519-CERT SHA256:abc ID ada (serial 7) "
    "CA ED25519 SHA256:def"
)


def test_guessing_blocks_and_success_isolates_the_node_whose_log_it_is(bench):
    path, other = bench.add(), bench.add("n-00000002")
    bench.write(other, "Server listening on 0.0.0.0 port 22.")
    bench.round()
    bench.write(path, *[failed()] * 5)
    bench.round()
    assert (bench.blocked, bench.isolated) == ([ATTACKER], [])
    bench.write(path, accepted())
    bench.round()
    assert bench.isolated == ["n-00000001"]


def test_forged_lines_cut_off_nobody_else(bench):
    path = bench.add()
    bench.add("n-00000002")
    forged = f"x from 10.0.0.9 port 22 ssh2\\nn-00000002 sshd[1]: {accepted('root', '10.0.0.9')}"
    bench.round()
    bench.write(path, *[failed(forged)] * 9, *[f"Invalid user n-00000002 {accepted()} from 10.0.0.8 port 22"] * 9)
    bench.round()
    assert bench.isolated == []
    assert set(bench.blocked) == {ATTACKER, "10.0.0.8"}


def test_lines_that_name_another_node_isolate_only_their_writer(bench):
    path = bench.add()
    bench.add("n-00000002")
    bench.round()
    lines = [f"Nov 22 09:00:0{i} n-00000002 sshd[7]: {failed()}" for i in range(6)]
    with path.open("a") as file:
        file.write("\n".join([*lines, f"Nov 22 09:00:07 n-00000002 sshd[7]: {accepted()}"]) + "\n")
    bench.round()
    assert bench.isolated == ["n-00000001"]


class Confused:
    """A detector that blames another node than the one that reported."""

    def feed(self, _event):
        return [finding("ssh-guessing-then-success", "n-00000002")]

    def snapshot(self):
        return {}

    def restore(self, _state):
        """Nothing is kept."""


def test_a_finding_about_a_node_that_did_not_report_isolates_nobody(bench):
    path = bench.add()
    bench.add("n-00000002")
    bench.worker.detector = Confused
    bench.round()
    bench.write(path, failed())
    bench.round()
    assert bench.lab.findings.count(TENANT) == 1
    assert bench.isolated == []


def test_our_own_address_is_never_blocked(tmp_path):
    bench = Bench(tmp_path)
    bench.protected = frozenset({ATTACKER})
    bench.restart()
    path = bench.add()
    bench.round()
    bench.write(path, *[failed()] * 6)
    bench.round()
    assert bench.blocked == []


def test_an_administrator_who_mistypes_is_not_locked_out(bench):
    path = bench.add()
    bench.round()
    bench.write(path, CERTIFICATE, *[failed("ada")] * 6)
    bench.round()
    assert bench.blocked == []
    assert bench.lab.findings.count(TENANT) == 1


def test_a_restart_neither_loses_nor_repeats(bench):
    path = bench.add()
    bench.round()
    bench.write(path, *[failed()] * 3)
    bench.round(3)
    bench.restart()
    bench.write(path, *[failed()] * 2)
    bench.round(3)
    assert bench.blocked == [ATTACKER]
    bench.restart()
    bench.round(3)
    assert bench.blocked == [ATTACKER]
    assert bench.lab.findings.page(TENANT, limit=1)[0].finding.count == 5


def test_a_line_counts_once_wherever_the_process_dies(bench):
    path = bench.add()
    bench.round()
    bench.write(path, *[failed()] * 3)
    bench.round(3)  # these are saved, tail and memory together
    bench.write(path, *[failed()] * 3)
    before = bench.progress.tails[(TENANT, "n-00000001", "sshd")].offset
    bench.round(0)  # these are answered, and not saved yet
    assert bench.progress.tails[(TENANT, "n-00000001", "sshd")].offset == before
    assert bench.blocked == [ATTACKER]
    bench.restart()
    bench.round(3)
    bench.round(3)
    assert bench.lab.findings.page(TENANT, limit=1)[0].finding.count == 6
    assert bench.progress.tails[(TENANT, "n-00000001", "sshd")].offset == path.stat().st_size
    bench.restart()
    bench.write(path, failed())
    bench.round(3)
    assert bench.lab.findings.page(TENANT, limit=1)[0].finding.count == 7


def test_a_backlog_is_read_in_event_time(bench):
    path = bench.add()
    with path.open("a") as file:  # five failures over five hours are no attack, whenever they are read
        for hour in range(5):
            file.write(f"2026-11-21T0{hour}:00:00.000Z {failed()}\n")
    bench.round()
    assert bench.lab.findings.count(TENANT) == 0


def test_what_is_not_written_is_read_again(bench):
    path = bench.add()
    bench.round()
    bench.lab.broken = True
    bench.write(path, *[failed()] * 6)
    bench.round(3)
    assert bench.blocked == [ATTACKER]
    assert bench.progress.tails == {} or all(t.offset == 0 for t in bench.progress.tails.values())
    bench.lab.broken = False
    bench.round(3)
    assert bench.progress.tails[(TENANT, "n-00000001", "sshd")].offset == path.stat().st_size


def test_a_sensor_that_falls_silent_is_a_finding(bench):
    path = bench.add(heartbeat_seconds=10)
    bench.round()
    bench.write(path, "Server listening on 0.0.0.0 port 22.")
    bench.round()
    bench.round(29)
    assert bench.lab.findings.count(TENANT, rule="source-silent") == 0
    bench.round(2)
    bench.round(2)
    assert bench.lab.findings.count(TENANT, rule="source-silent") == 1
    assert len(bench.lab.mailbox.rows) == 1


def test_what_does_not_work_is_one_finding_of_the_tenant_that_it_concerns(bench, tmp_path):
    bench.path = str(tmp_path / "access.log")
    bench.restart()
    now = bench.lab.clock.now()
    bench.faults = [
        Fault("gateway-silent", None, "a", now, "nobody answers"),
        Fault("segment-refused", TENANT, "acme 2", now, "a gap"),
        Fault("segment-refused", Tenant("nobody"), "nobody 2", now, "a folder that somebody made"),
    ]
    for _ in range(3):
        bench.round(2)
    found = bench.lab.findings.page(TENANT, limit=9)
    assert sorted(one.finding.rule for one in found) == ["gateway-silent", "segment-refused"]
    assert len(bench.lab.mailbox.rows) == len(bench.lab.observers.heard) == 2
    assert bench.isolated == bench.blocked == []
    assert bench.lab.findings.count(Tenant("nobody")) == 0


def test_a_customer_facing_node_that_stays_cut_off_is_warned_about_once(bench):
    bench.add()
    since = bench.lab.clock.now()
    file = bench.files["n-00000001"]
    bench.files["n-00000001"] = replace(file, facts=replace(file.facts, serves=True, contained_since=since))
    bench.round(60 * 19)
    assert bench.lab.findings.count(TENANT) == 0
    for _ in range(3):
        bench.round(60)
    assert bench.lab.findings.count(TENANT, rule="availability-threshold") == 1
    assert len(bench.lab.mailbox.rows) == len(bench.lab.observers.heard) == 1


def test_a_node_that_is_gone_is_not_followed(bench):
    bench.add()
    bench.round()
    bench.files.clear()
    bench.round(2)
    assert bench.worker.lanes == {}


def test_a_log_that_comes_again_is_read_on_from_where_it_was(bench):
    path = bench.add()
    bench.round()
    bench.write(path, *[failed()] * 5)
    bench.round(2)
    known, bench.files = bench.files, {}
    bench.round(2)
    bench.files = known
    bench.round(2)
    assert bench.lab.findings.page(TENANT, limit=1)[0].finding.count == 5
    assert bench.progress.tails[(TENANT, "n-00000001", "sshd")].offset == path.stat().st_size


def test_a_log_that_lies_elsewhere_now_is_let_go_of(bench, tmp_path):
    path = bench.add()
    bench.write(path, failed())
    bench.round()
    (old,) = bench.worker.lanes.values()
    bench.files["n-00000001"] = replace(bench.files["n-00000001"], path=str(tmp_path / "elsewhere.log"))
    bench.round(2)
    assert old.follower._descriptor == -1


def test_a_list_of_logs_that_cannot_be_read_stops_no_cut(bench):
    path = bench.add()
    bench.round()
    bench.worker.nodes = Unlisted()
    bench.write(path, *[failed()] * 5, accepted())
    bench.round(2)
    assert bench.isolated == ["n-00000001"]


class Unlisted:
    def logs(self):
        raise Unavailable("the database cannot be opened")


def test_a_log_that_cannot_be_read_stops_nothing(bench):
    path, good = bench.add(), bench.add("n-00000002")
    path.unlink()
    path.symlink_to(good)
    bench.round()
    bench.write(good, *[failed()] * 5)
    bench.round()
    assert bench.blocked == [ATTACKER]


class TestFollower:
    @pytest.fixture
    def path(self, tmp_path):
        return tmp_path / "x.log"

    def test_only_whole_lines_come(self, path):
        follower = Follower(path)
        assert list(follower.lines()) == []
        path.write_bytes(b"one\ntw")
        assert list(follower.lines()) == [b"one"]
        assert follower.tail.offset == 4
        with path.open("ab") as file:
            file.write(b"o\n\nthree\n")
        assert list(follower.lines()) == [b"two", b"", b"three"]
        follower.close()

    def test_it_goes_on_where_it_was(self, path):
        path.write_bytes(b"one\ntwo\n")
        known = Tail(path.stat().st_ino, 4)
        assert list(Follower(path, known).lines()) == [b"two"]
        assert list(Follower(path, replace(known, inode=known.inode + 1)).lines()) == [b"one", b"two"]

    def test_a_rotated_log_is_read_to_its_end_first(self, path):
        path.write_bytes(b"one\n")
        follower = Follower(path)
        assert list(follower.lines()) == [b"one"]
        with path.open("ab") as file:
            file.write(b"two\n")
        path.rename(path.with_name("x.log.1"))
        path.write_bytes(b"three\n")
        assert [line for _ in range(3) for line in follower.lines()] == [b"two", b"three"]

    def test_it_finds_the_rotated_log_after_a_restart(self, path):
        path.write_bytes(b"one\ntwo\n")
        known = Tail(path.stat().st_ino, 4)
        path.rename(path.with_name("x.log.1"))
        path.write_bytes(b"three\n")
        follower = Follower(path, known)
        assert [line for _ in range(3) for line in follower.lines()] == [b"two", b"three"]

    def test_a_truncated_log_is_read_from_its_beginning(self, path):
        path.write_bytes(b"one\ntwo\n")
        follower = Follower(path)
        list(follower.lines())
        os.truncate(path, 0)
        with path.open("ab") as file:
            file.write(b"new\n")
        assert list(follower.lines()) == [b"new"]

    def test_a_line_without_end_is_cut_and_never_read_as_another(self, path):
        follower = Follower(path)
        path.write_bytes(b"a" * (MAX_LINE + 10))
        assert list(follower.lines()) == [b"a" * MAX_LINE]
        assert follower.tail.offset == 0
        with path.open("ab") as file:
            file.write(b"Failed password\nnext\n")
        assert list(follower.lines()) == [b"next"]

    def test_a_noisy_log_is_read_in_pieces(self, path):
        lines = [b"%07d" % number for number in range(2 * CHUNK // 8)]
        path.write_bytes(b"\n".join(lines) + b"\n")
        follower = Follower(path)
        first = list(follower.lines())
        assert 0 < len(first) < len(lines)
        assert first + [line for _ in range(3) for line in follower.lines()] == lines


def test_an_attack_right_after_a_release_isolates_again(bench):
    path = bench.add()
    cut_off = replace(node(), contained_since=bench.lab.clock.now())
    bench.files["n-00000001"] = replace(bench.files["n-00000001"], facts=cut_off)
    bench.round()
    bench.add()  # released; the next sweep has not seen it
    with path.open("a") as file:
        for message in [failed()] * 5 + [accepted()]:
            file.write(f"{to_text(bench.lab.clock.now())} {message}\n")
    bench.round(seconds=0.5)
    assert bench.isolated == ["n-00000001"]


class TestHands:
    def test_acts_for_one_node_keep_their_order_and_do_not_overlap(self):
        hands, done, first, last = Hands(), [], threading.Event(), threading.Event()
        hands((TENANT, "a"), lambda: (first.wait(10), done.append("first")))
        hands((TENANT, "a"), lambda: done.append("second"))
        hands((TENANT, "a"), lambda: (done.append("third"), last.set()))
        hands((TENANT, "b"), lambda: (done.append("beside"), first.set()))  # before the first one of a ends
        assert last.wait(10)
        assert done == ["beside", "first", "second", "third"]

    def test_several_nodes_are_cut_off_at_the_same_time(self):
        hands, together = Hands(), threading.Barrier(HANDS + 1)
        for number in range(HANDS):
            hands((TENANT, f"n-{number}"), lambda: together.wait(10))
        together.wait(10)  # raises unless all of them are under way at once

    def test_an_act_that_fails_ends_no_hand(self):
        hands, done = Hands(1), threading.Event()
        hands((TENANT, "a"), lambda: 1 / 0)
        hands((TENANT, "a"), done.set)
        assert done.wait(10)


OTHER = Tenant("other")


@dataclass
class Gate:
    """`AccessLog` over a file of the test's own; `lost` makes the register of tenants fail."""

    path: str
    known: tuple = (TENANT, OTHER)
    lost: Exception | None = None

    def tenants(self):
        if self.lost:
            raise self.lost
        return self.known


@pytest.fixture
def gated(bench):
    """A bench that follows a gateway too; it has a node, so that there were something to isolate."""
    bench.gate = bench.worker.access = Gate(str(bench.folder / "access.log"))
    bench.add()
    return bench


def enter(bench, *changes, seconds=1):
    """Write one record for each set of changes, a second apart, and let the watch read them."""
    with (bench.folder / "access.log").open("a") as file:
        for each in changes:
            bench.lab.clock.advance(timedelta(seconds=1))
            file.write(access(bench.lab.clock.now(), **each) + "\n")
    bench.round(seconds)


def keys(bench):
    return bench.lab.responder.keys


def rules_of(bench, tenant=TENANT):
    return sorted(one.finding.rule for one in bench.lab.findings.page(tenant, limit=99))


PHRASE = {"guard": ["override.en"]}


def test_a_burst_of_injections_blocks_the_key_and_no_node(gated):
    enter(gated, *[PHRASE] * 9)
    assert (keys(gated), rules_of(gated)) == ([], [])
    enter(gated, PHRASE)
    assert keys(gated) == [(TENANT, CALLER)]
    assert (gated.isolated, gated.blocked) == ([], [])
    (raised,) = gated.lab.findings.page(TENANT, limit=9)
    assert (raised.finding.subject, raised.node, raised.authenticated) == (CALLER, None, True)


def test_one_injection_among_many_requests_is_no_burst(gated):
    enter(gated, *([{}] * 30 + [PHRASE] + [{}] * 30))
    assert (keys(gated), rules_of(gated)) == ([], [])


def test_guessing_is_alerted_and_blocks_nothing(gated):
    enter(gated, *[STRANGER] * 10)
    assert (keys(gated), rules_of(gated)) == ([], ["api-key-guessing"])
    assert (gated.isolated, gated.blocked) == ([], [])


def test_a_success_from_where_keys_were_guessed_blocks_that_key(gated):
    enter(gated, *[STRANGER] * 10, {})
    assert keys(gated) == [(TENANT, CALLER)]
    assert rules_of(gated) == ["api-key-guessing", "api-key-guessing-then-success"]
    assert gated.isolated == []


def test_whoever_guesses_from_the_address_of_others_shuts_none_of_them_out(gated):
    """Behind one proxy: the victim's key was in use before somebody began to guess, with its very id."""
    enter(gated, {"key": VICTIM})
    enter(gated, *[{"key": VICTIM, **WRONG}] * 20, {"key": VICTIM})
    assert keys(gated) == []
    assert rules_of(gated) == ["api-key-guessing"]
    (raised,) = gated.lab.findings.page(TENANT, limit=9)
    assert raised.finding.subject == VICTIM, "so that its owner hears of it"


def test_a_clock_that_is_set_back_lets_nobody_choose_whose_key_is_blocked(gated):
    """A guess that bears an earlier time than a success completes the two as well; it names whom the guesser likes."""
    enter(gated, {})
    gated.lab.clock.advance(-timedelta(seconds=30))
    enter(gated, *[{"key": VICTIM, **WRONG}] * 10)
    assert (keys(gated), rules_of(gated)) == ([], ["api-key-guessing"])


HOSTILE = f'x","key":"{VICTIM}","guard":["override.en"],"y":"'


@pytest.mark.parametrize(
    "model", [HOSTILE, VICTIM, f"\n{access(key=VICTIM)[:250]}\n", "\u2028" + VICTIM, "\x00\x1b[2J"]
)
def test_what_a_caller_writes_blocks_nobody_else(gated, model):
    enter(gated, {"key": VICTIM, "source": "203.0.113.99"})
    enter(gated, *[{**PHRASE, "model": model}] * 12, *[{**STRANGER, "model": model}] * 12, {"model": model})
    assert set(keys(gated)) == {(TENANT, CALLER)}


def test_a_record_is_of_the_tenant_whose_key_it_names(gated):
    enter(gated, *[{**PHRASE, "tenant": OTHER}] * 10)
    assert keys(gated) == [(OTHER, CALLER)]
    assert (rules_of(gated), rules_of(gated, OTHER)) == ([], ["injection-burst"])


def test_strangers_are_the_business_of_the_first_tenant_alone(gated):
    enter(gated, *[STRANGER] * 10)
    assert (rules_of(gated), rules_of(gated, OTHER)) == (["api-key-guessing"], [])


def test_records_of_a_tenant_that_is_not_here_lead_to_nothing(gated):
    enter(gated, *[{**PHRASE, "tenant": "elsewhere"}] * 12)
    assert keys(gated) == []
    gated.gate.known = ()
    enter(gated, *[STRANGER] * 12)
    assert rules_of(gated) == []


def test_a_record_counts_once_whenever_the_watch_ends(gated):
    enter(gated, *[PHRASE] * 6)
    gated.worker.close()
    gated.restart()
    gated.worker.access = gated.gate
    gated.round()
    assert keys(gated) == []
    enter(gated, *[PHRASE] * 4)
    assert keys(gated) == [(TENANT, CALLER)]


def test_who_is_usual_where_outlives_a_restart(gated):
    enter(gated, {"key": VICTIM})
    gated.worker.close()
    gated.restart()
    gated.worker.access = gated.gate
    enter(gated, *[STRANGER] * 12, {"key": VICTIM})
    assert keys(gated) == []


def test_the_access_log_is_followed_through_its_rotation(gated):
    path = gated.folder / "access.log"
    enter(gated, *[PHRASE] * 6)
    path.rename(path.with_name("access.log.1"))
    enter(gated, *[PHRASE] * 4)
    gated.round()
    assert keys(gated) == [(TENANT, CALLER)]


def test_records_that_are_not_understood_any_more_are_a_finding_of_the_first_tenant(gated):
    gated.round()
    with (gated.folder / "access.log").open("a") as file:
        file.writelines(["{}\n"] * 200)
    gated.round()
    gated.round()
    assert rules_of(gated) == ["source-unparsed"]
    assert (keys(gated), gated.isolated) == ([], [])


def test_a_register_that_cannot_be_asked_stops_nothing(gated):
    enter(gated, *[PHRASE] * 5)
    gated.gate.lost = Unavailable("the database is locked")
    enter(gated, *[PHRASE] * 5)
    assert keys(gated) == [(TENANT, CALLER)]


def test_a_node_that_calls_itself_gateway_or_like_a_key_is_not_mistaken(gated):
    gated.add("gateway")
    gated.add(CALLER)
    enter(gated, *[STRANGER] * 10, *[PHRASE] * 10)
    assert gated.isolated == []
    assert all(one.node is None for one in gated.lab.findings.page(TENANT, limit=9))


def test_an_address_that_is_never_blocked_leaves_the_key_to_a_person(gated):
    gated.lab.set(Policy(never_block=(f"{CLIENT}/32",)))
    enter(gated, *[STRANGER] * 10, {})
    assert keys(gated) == []
    ((_, ruled),) = gated.lab.watch.waiting(TENANT)
    assert (ruled.act.kind, ruled.act.target) == (ActionKind.BLOCK_KEY, CALLER)


def test_a_block_that_fails_is_tried_again_and_then_left_to_a_person(gated):
    gated.lab.responder.refusing = Unavailable("there is no gateway")
    enter(gated, *[PHRASE] * 10)
    for _ in range(6):
        gated.round()
    assert [ruled.act.kind for _, ruled in gated.lab.watch.waiting(TENANT)] == [ActionKind.BLOCK_KEY]


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_no_file_stops_the_watch_over_nothing_else(gated, make):
    """The gateway's user owns the folder: whatever it puts there, nodes are watched on."""
    make(gated.folder / "access.log")
    path = gated.folder / "n-00000001.log"
    gated.round()
    gated.write(path, *[failed()] * 5, accepted())
    gated.round()
    assert gated.isolated == ["n-00000001"]
