"""What happens when a part of serving stops: `up` is killed, the gateway hangs, a segment is missing."""

import json
import os
import re
import shutil
import signal
import time
from contextlib import contextmanager

import httpx
import pytest

from ringfence.gateway.snapshot import SETTINGS
from ringfence.gateway.worker import Place, end, running
from ringfence.testing import upstreams
from ringfence.testing.home import TENANT
from ringfence.testing.program import called, started
from ringfence.testing.upstreams import Engine

PATIENCE = 45.0
CHAT = {"model": "small", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture(scope="module")
def engine():
    with Engine(behave=upstreams.listing) as process:
        yield process


@pytest.fixture
def home(home_now):
    """Give a home whose gateway outlives an `up` that is killed, and not the test."""
    yield home_now
    place = Place(home_now.path / "gateway", home_now.path / "gateway.log", 0)
    for pid in running(place):
        end(pid, lambda pid=pid: pid in running(place))
    assert running(place) == []


@contextmanager
def up(given):
    """Run `ringfence up`; give the process, the link into the console, and the gateway's address."""
    child, said = started(given), ""
    try:
        while "Ctrl-C" not in (line := child.stderr.readline()):
            assert child.poll() is None, said
            said += line
        link, gateway = re.findall(r"http://\S+", said)[:2]
        yield child, link, gateway.removesuffix("/v1")
    finally:
        child.terminate()
        child.communicate(timeout=60)


def until(holds, what, seconds=PATIENCE):
    ends = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < ends, what
        time.sleep(0.2)
    return found


def issued(given, engine):
    """Attach an engine and make a key; return what a caller sends with every request."""
    assert called(given, "deploy", "attach", engine.url, "--as", "small", "--json").returncode == 0
    secret = json.loads(called(given, "key", "issue", "a caller", "--json").stdout)["secret"]
    return {"authorization": f"Bearer {secret}"}


def code(method, url, **more):
    return httpx.request(method, url, trust_env=False, timeout=20, **more).status_code


@pytest.mark.parametrize("seconds", [10, pytest.param(60, marks=pytest.mark.soak)])
def test_a_gateway_whose_up_was_killed_refuses_once_its_keys_are_too_old(home, engine, seconds):
    given = home.environment()
    settings = home.path / "gateway.json"
    settings.touch(mode=0o600)
    settings.write_text(json.dumps({"format": SETTINGS, "snapshotSeconds": seconds}))
    with up(given) as (child, _, url):
        key = issued(given, engine)
        until(lambda: code("GET", f"{url}/v1/models", headers=key) == 200, "the key is known")
        child.kill()
        child.wait()
    alone = httpx.post(f"{url}/v1/chat/completions", headers=key, json=CHAT, trust_env=False, timeout=20)
    assert alone.status_code == 200  # it goes on, for a while
    until(lambda: code("GET", f"{url}/v1/models", headers=key) == 503, "it refuses", 1.5 * seconds + 5)
    asked = len(engine.requests)
    for method, path in (("POST", "chat/completions"), ("GET", "models"), ("GET", "receipts/req-" + "0" * 32)):
        answer = httpx.request(method, f"{url}/v1/{path}", headers=key, json=CHAT, trust_env=False)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "snapshot_expired")
    assert len(engine.requests) == asked
    assert code("GET", f"{url}/healthz") == 503
    assert code("GET", f"{url}/v2/health/live") == 200
    checks = {check["name"]: check for check in json.loads(called(given, "doctor", "--json").stdout)["checks"]}
    assert "refuses every caller" in checks["gateway"]["found"]
    with up(given) as (_, _, again):
        assert until(lambda: code("GET", f"{again}/v1/models", headers=key) == 200, "it serves again")
        receipt = f"{again}/v1/receipts/{alone.headers['x-request-id']}"  # nothing of that time is lost
        assert until(lambda: code("GET", receipt, headers=key) == 200, "the receipt")


def test_a_gateway_that_hangs_and_a_segment_that_is_missing_are_findings_and_stand_on_today(home, engine):
    given = home.environment()
    with up(given) as (_, link, url):
        key = issued(given, engine)
        until(lambda: code("GET", f"{url}/v1/models", headers=key) == 200, "the key is known")
        assert code("POST", f"{url}/v1/chat/completions", headers=key, json=CHAT) == 200
        closed = home.path / "gateway" / "closed" / TENANT
        proofs = home.path / "gateway" / "proofs" / TENANT
        until((proofs / "00000001.json").exists, "the first segment is in the log")
        shutil.copyfile(closed / "00000001.dsse", closed / "00000003.dsse")
        (gateway,) = running(Place(home.path / "gateway", home.path / "gateway.log", 0))
        os.kill(gateway, signal.SIGSTOP)
        try:
            wanted = {"gateway-silent", "segment-refused"}
            found = until(lambda: seen(given, wanted), "the findings")
            status = json.loads(called(given, "status", "--json").stdout)
            with httpx.Client(trust_env=False, follow_redirects=True) as browser:
                today = browser.get(link).text
        finally:
            os.kill(gateway, signal.SIGCONT)
    assert all([act["action"] for act in one["actions"]] == ["alert"] for one in found)
    assert {fault["rule"] for fault in status["not_working"]} == wanted
    assert f"segment 2 of {TENANT} is missing, and segment 3 is there: a gap" in str(status["not_working"])
    for words in ("not working", "The gateway does not serve", f"segment 2 of {TENANT} is missing"):
        assert words in today
    assert "not working  The gateway does not serve" not in called(given, "status").stdout  # nobody knows any more


def seen(given, rules):
    """Return the findings of these rules, once each has one that was answered."""
    listed = json.loads(called(given, "findings", "list", "--json").stdout)["findings"]
    found = [one for one in listed if one["rule"] in rules and one["actions"]]
    return found if {one["rule"] for one in found} == rules else []
