"""A witness as a process: the protocol over HTTP, kills, races; and a whole installation that it watches."""

import json
import random
import shutil
import socket
import threading
import time

import httpx
import pytest

from ringfence.ledger import tree, trust
from ringfence.ledger.anchors.cosignature import verify_cosignatures
from ringfence.ledger.anchors.exchange import MAX_BODY, Submission, parse_cosignatures
from ringfence.ledger.model import Witness
from ringfence.testing.clock import START
from ringfence.testing.keys import head, log_keys
from ringfence.testing.program import called, serving
from ringfence.testing.witness_process import running, start

LEAVES = [tree.leaf_hash(number.to_bytes(2)) for number in range(2000)]
READ = tree.overlay(tree.grow(0, LEAVES, lambda _: ()), lambda _: ())


def submission(old, new, root=None):
    proof = tree.consistency_proof(old, new, READ) if 0 < old < new else ()
    return str(Submission(old, proof, head(new, root or tree.root_of(LEAVES[:new]), START).note))


@pytest.fixture(scope="module")
def witness(tmp_path_factory):
    with running(tmp_path_factory.mktemp("witness") / "w", log_keys()) as found:
        yield found


def latest(witness):
    """Read from its page which size the witness holds."""
    answer = httpx.get(witness.url, trust_env=False)
    assert answer.status_code == 200
    (line,) = [line for line in answer.text.splitlines() if line.startswith("log ")]
    return int(line.split()[2])


def test_a_whole_exchange(witness) -> None:
    held = latest(witness)
    answer = witness.submit(submission(held, held + 5))
    assert answer.status_code == 200
    known = [Witness("witness.example/w1", vkey, "Auditor") for vkey in witness.vkeys]
    checkpoint = head(held + 5, tree.root_of(LEAVES[: held + 5]), START).checkpoint
    assert len(verify_cosignatures(checkpoint, parse_cosignatures(answer.text), known)) == 2
    refused = witness.submit(submission(0, held + 6))
    assert (refused.status_code, refused.headers["content-type"]) == (409, "text/x.tlog.size")
    assert refused.text == f"{held + 5}\n"
    assert witness.submit(submission(held + 5, held + 5)).status_code == 200
    assert witness.submit(submission(held + 5, held + 5, bytes(32))).status_code == 409
    assert witness.submit(submission(held + 5, held + 6, bytes(32))).status_code == 422
    assert latest(witness) == held + 5


def test_everything_else_is_answered_and_nothing_is_cosigned(witness) -> None:
    held = latest(witness)
    strange = Submission(0, (), head(3, bytes(32), origin="example.eu/strange").note)
    unsigned = Submission(0, (), head(3, bytes(32), seed=2).note)
    for body, status in (
        ("", 400),
        ("old x\n\n", 400),
        (str(strange), 404),
        (str(unsigned), 403),
        ("x" * MAX_BODY, 400),
    ):
        assert witness.submit(body).status_code == status
    assert witness.submit("x" * (MAX_BODY + 1)).status_code == 413
    assert httpx.get(f"{witness.url}/add-checkpoint", trust_env=False).status_code == 405
    assert httpx.get(f"{witness.url}/../../etc/passwd", trust_env=False).status_code == 404
    assert latest(witness) == held


def test_its_page_names_its_keys(witness) -> None:
    page = httpx.get(witness.url, trust_env=False).text
    assert [line.split()[1] for line in page.splitlines() if line.startswith("vkey ")] == list(witness.vkeys)


def test_of_two_forks_that_arrive_at_once_one_is_cosigned(witness) -> None:
    for _ in range(10):
        held, answers = latest(witness), []

        def submit(body, answers=answers):
            answers.append(witness.submit(body))

        bodies = [submission(held, held + 1), submission(held, held + 2)]
        threads = [threading.Thread(target=submit, args=(body,)) for body in bodies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        (cosigned,) = [answer for answer in answers if answer.status_code == 200]
        assert cosigned.text
        assert latest(witness) in (held + 1, held + 2)


def cosigned_until_it_died(witness, held, rng):
    """Submit a few heads, then kill it at some moment of those that follow; return every size that it cosigned."""
    answered, few, timer = [], rng.randint(1, 3), threading.Timer(rng.uniform(0, 0.05), witness.child.kill)
    for size in range(held + 1, len(LEAVES)):
        if len(answered) == few:
            timer.start()
        try:
            answer = witness.submit(submission(size - 1, size))
        except httpx.HTTPError:
            break
        assert answer.status_code == 200
        answered.append(size)
    timer.join()
    return answered


def killed(folder, rounds, seed):
    """Submit heads, and kill the witness at a random moment of each round; return every size that it cosigned."""
    rng, answered, held = random.Random(seed), [], 0  # noqa: S311 - the same moments every time
    for _ in range(rounds):
        witness = start(folder, log_keys())
        try:
            held = latest(witness)
            assert held >= max(answered, default=0), "a head that was cosigned was forgotten"
            if held:
                forked = witness.submit(submission(held, held, bytes(32)))
                assert forked.status_code == 409, "one size was cosigned with two roots"
            answered += cosigned_until_it_died(witness, held, rng)
        finally:
            witness.kill()
    return answered


def test_what_was_cosigned_is_remembered_after_a_kill(tmp_path) -> None:
    assert len(killed(tmp_path / "w", 4, 1)) >= 4


@pytest.mark.soak
def test_what_was_cosigned_is_remembered_after_many_kills(tmp_path) -> None:
    assert len(killed(tmp_path / "w", 40, 2)) >= 40


def test_two_processes_never_share_a_folder(tmp_path) -> None:
    with running(tmp_path / "w", log_keys()):
        done = called({}, "ledger", "witness", "--folder", str(tmp_path / "w"), "--log", log_keys()[0], "--port", "0")
        assert (done.returncode, "already" in done.stderr) == (4, True)


def test_off_loopback_it_does_not_listen(tmp_path) -> None:
    vkey = log_keys()[0]
    options = ("--folder", str(tmp_path / "w"), "--name", "w", "--log", vkey, "--port", "0", "--host", "0.0.0.0")  # noqa: S104
    assert called({}, "ledger", "witness", *options).returncode == 2


# A whole installation


def command(given, *arguments):
    done = called(given, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def watched(home_now, tmp_path):
    given = home_now.environment()
    keys = command(given, "ledger", "head")["log_keys"]
    with running(tmp_path / "auditor", keys) as witness:
        options = [part for vkey in witness.vkeys for part in ("--vkey", vkey)]
        command(given, "ledger", "witness", "add", witness.url, *options, "--party", "Auditor GmbH")
        command(given, "ledger", "witness", "quorum", "1")
        yield given, witness


def test_a_head_is_cosigned_on_demand_and_trusted_from_then_on(watched, home_now) -> None:
    given, _ = watched
    document = command(given, "ledger", "head", "--wait-witness")
    assert [each["party"] for each in document["anchored"]["cosigned"]] == ["Auditor GmbH"] * 2
    assert document["anchored"]["quorum_met"]
    assert document["anchored"]["size"] == document["size"]
    known = trust.parse((home_now.path / "trust.json").read_bytes())
    assert (known.quorum, {each.party for each in known.witnesses}) == (1, {"Auditor GmbH"})
    (listed,) = command(given, "ledger", "witness", "list")["witnesses"]
    assert (listed["size"], listed["trouble"]) == (document["size"], "")


def test_up_has_heads_cosigned_by_itself(watched) -> None:
    given, _ = watched
    with serving(given):
        for _ in range(100):
            (listed,) = command(given, "ledger", "witness", "list")["witnesses"]
            if listed["size"]:
                break
            time.sleep(0.1)
        assert listed["size"], listed


def test_a_log_that_was_restored_with_its_whole_machine_is_found_out(watched, home_now, tmp_path) -> None:
    """Root puts the home of yesterday back, the marks of its signer included: only the witness remembers."""
    given, witness = watched
    shutil.copytree(home_now.path, tmp_path / "yesterday", ignore=lambda *_: ["ringfence.sock"])
    command(given, "record", "log.heartbeat")
    cosigned = command(given, "ledger", "head", "--wait-witness")["size"]
    shutil.rmtree(home_now.path)
    (tmp_path / "yesterday").rename(home_now.path)
    refused = called(given, "ledger", "head", "--wait-witness", "--json")
    assert refused.returncode == 1
    document = json.loads(refused.stdout)
    assert document["size"] < cosigned
    assert document["anchored"]["cosigned"] == []
    assert "rolled back" in document["anchored"]["troubles"][0]
    (stated,) = command(given, "ledger", "list", "--predicate", "ledger.witness_conflict")["statements"]
    assert (stated["claims"]["kind"], stated["claims"]["witnessSize"]) == ("larger-head", cosigned)
    assert witness.child.poll() is None


def test_a_slow_submission_is_given_up(witness) -> None:
    """One that never ends holds one connection for a while, and nobody else."""
    host, port = witness.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as slow:
        slow.sendall(b"POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ncontent-length: 100\r\n\r\nold")
        assert witness.submit(submission(0, 1)).status_code in (200, 409)
