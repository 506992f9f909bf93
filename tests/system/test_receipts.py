"""Receipts, from an answer through the real gateway to `ringfence verify`; and what is left of them after a kill."""

import json
import re
import threading
import time
from contextlib import contextmanager

import httpx
import pytest

from ringfence.gateway import records
from ringfence.gateway.blobs import SegmentFiles
from ringfence.gateway.records import Outcome
from ringfence.testing import upstreams
from ringfence.testing.gateway import SECRET, TENANT, api_key, deployment
from ringfence.testing.gateway_process import GatewayProcess
from ringfence.testing.program import called, started
from ringfence.testing.upstreams import Engine

PATIENCE = 30.0
BODY = json.dumps({"model": "small", "messages": [{"role": "user", "content": "hello"}]}).encode()
STREAMED = json.dumps({**json.loads(BODY), "stream": True}).encode()


@pytest.fixture(scope="module")
def engine():
    with Engine(behave=upstreams.listing) as running:
        yield running


@contextmanager
def serving(given):
    """Run `ringfence up`; give the addresses of the console and of the gateway."""
    child, said = started(given), ""
    try:
        while "Ctrl-C" not in (line := child.stderr.readline()):
            assert child.poll() is None, said
            said += line
        addresses = re.findall(r"http://[^/\s]+", said)
        assert len(addresses) == 2, said
        yield addresses[0], addresses[1] + "/v1"
    finally:
        child.terminate()
        child.communicate(timeout=60)


def asked(url, secret, body, client=None):
    headers = {"authorization": f"Bearer {secret}", "content-type": "application/json"}
    answer = (client or httpx).post(f"{url}/chat/completions", content=body, headers=headers, timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.headers["x-request-id"], answer.content


def fetched(url, secret, request):
    """Return a receipt once it is there."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        answer = httpx.get(
            f"{url}/receipts/{request}", headers={"authorization": f"Bearer {secret}"}, trust_env=False, timeout=20
        )
        if answer.status_code != 202:
            return answer
        assert int(answer.headers["retry-after"]) > 0
        time.sleep(0.3)
    raise AssertionError("the receipt never came")


def served(given, engine):
    """Attach an engine and make a key, as a person would; return the key's text."""
    attached = called(given, "deploy", "attach", engine.url, "--as", "small", "--json")
    assert attached.returncode == 0, attached.stderr
    issued = called(given, "key", "issue", "a caller", "--json")
    assert issued.returncode == 0, issued.stderr
    return json.loads(issued.stdout)["secret"]


def until_known(url, secret):
    """Wait until the gateway has seen the key: within a moment."""
    until = time.monotonic() + PATIENCE
    headers = {"authorization": f"Bearer {secret}"}
    while httpx.get(f"{url}/models", headers=headers, trust_env=False).status_code != 200:
        assert time.monotonic() < until
        time.sleep(0.1)


def test_an_answer_through_the_gateway_has_a_receipt_that_a_stranger_can_check(home_now, engine, tmp_path):
    given = home_now.environment()
    with serving(given) as (address, url):
        secret = served(given, engine)
        until_known(url, secret)
        kept = [(body, *asked(url, secret, body)) for body in (BODY, STREAMED)]
        found = [fetched(url, secret, request) for _, request, _ in kept]
        assert fetched(url, secret, "req-" + "0" * 32).status_code == 404
        token = next(iter(home_now.people.values())).token
        person = httpx.get(
            f"{address}/api/v1/receipts/{kept[0][1]}", headers={"authorization": f"Bearer {token}"}, trust_env=False
        )
        assert person.content == found[0].content
    for (body, request, answer), receipt in zip(kept, found, strict=True):
        for name, data in (("receipt", receipt.content), ("request", body), ("response", answer)):
            (tmp_path / name).write_bytes(data)
        verified = called(
            {}, "verify", str(tmp_path / "receipt"), "--trust", str(home_now.path / "trust.json"), "--json",
            "--request", str(tmp_path / "request"), "--response", str(tmp_path / "response"),
        )  # fmt: skip
        document = json.loads(verified.stdout)
        assert verified.returncode == 0, document["failures"]
        assert document["request"] == request
        assert document["digest_basis"] == "declared"
        assert len(document["proves"]) == 3


def test_after_a_kill_under_load_every_answer_that_was_received_whole_has_its_record(tmp_path, engine):
    process = GatewayProcess(tmp_path / "home")
    process.prepare()
    process.publish([api_key()], [deployment("small", engine.url)])
    received, stop = [], threading.Event()

    def caller():
        with httpx.Client(trust_env=False) as client:
            while not stop.is_set():
                try:
                    received.append(asked(process.url, SECRET, STREAMED, client)[0])
                except httpx.HTTPError:
                    return

    with process:
        callers = [threading.Thread(target=caller) for _ in range(4)]
        for one in callers:
            one.start()
        until = time.monotonic() + PATIENCE
        while len(received) < 50 and time.monotonic() < until:
            time.sleep(0.01)
        process.stop(kill=True)
        stop.set()
        for one in callers:
            one.join()
        process.start()
    found = records_of(process.folder)
    assert len(received) >= 50
    assert {found[request] for request in received} == {Outcome.COMPLETE}


def records_of(folder):
    """Return how every recorded request ended; none is recorded twice."""
    files, found = SegmentFiles(folder), []
    for number in range(1, files.last(TENANT) + 1):
        found += [records.parse(leaf) for leaf in files.leaves(TENANT, number)]
    ended = {record.admitted.request: record.finished.outcome for record in found}
    assert len(ended) == len(found)
    assert sorted(record.number for record in found) == list(range(1, len(found) + 1))
    return ended
