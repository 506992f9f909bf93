import subprocess
import sys

import pytest

from ringfence import components
from ringfence.testing.fabric import missing

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "-")

# The disk is taken away by closing the state file under the keeper; what is true then is read from the kernel.
SCRIPT = """
import os, subprocess, sys
from pathlib import Path
from ringfence.fabric import tools
from ringfence.fabric.keeper import Keeper
from ringfence.kernel.errors import Unavailable

def admitted():
    return tools.run("nft", "list", "set", "ip", "ringfence", "admitted").count('"n') - 1  # without the witness

keeper = Keeper(Path(sys.argv[1]))
ask = lambda verb, **fields: keeper.answer(verb, fields, os.getpid())
for node in ("a", "b"):
    os.close(ask("attach-tap", node=node).descriptor)
    keeper._enter(__import__("ringfence.fabric.desired").fabric.desired.admit(keeper.state, node))
assert admitted() == 2

tools.run("nft", "flush", "ruleset")
keeper.tick()
assert admitted() == 2, "restored"

wanted = tools.run("ip", "rule")
for tampered in (["del", "pref", "10"], ["add", "pref", "0", "lookup", "main"], ["add", "pref", "5", "lookup", "main"]):
    tools.run("ip", "rule", *tampered)
    assert tools.run("ip", "rule") != wanted
    keeper.tick()
    assert tools.run("ip", "rule") == wanted, tampered

keeper._slots.close()
before = keeper.state
for verb, fields in (("permit", {"source": "a", "target": "b", "port": 1}), ("expose", {"node": "a", "port": 1})):
    try:
        ask(verb, **fields)
    except Unavailable:
        pass
    else:
        raise AssertionError(verb)
    assert keeper.state == before
cut = ask("quarantine", node="a").content["cut"]
assert cut[0] == "a" and cut[3] is False, cut
assert admitted() == 1, "the cut holds without a disk"
again = ask("quarantine", node="a").content["cut"]
assert again[1:] == [cut[1], 0, False]
ask("block", address="203.0.113.7", seconds=0)
assert "203.0.113.7" in tools.run("nft", "list", "set", "ip", "ringfence", "blocked")
try:
    ask("release", node="a", before=cut[1])
except Unavailable:
    assert admitted() == 1
else:
    raise AssertionError("released without a disk")

from ringfence.fabric.slots import Slots
keeper._slots = Slots(Path(sys.argv[1]) / "state")
keeper._slots.load()
keeper.tick()
assert ask("quarantine", node="a").content["cut"][3] is True, "written as soon as the disk is back"
print("held")
"""


def test_containment_stands_without_a_disk_and_nothing_else_does(tmp_path):
    unshare = components.find("unshare").path
    done = subprocess.run(
        [unshare, "--user", "--map-root-user", "--net", sys.executable, "-c", SCRIPT, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.strip() == "held", done.stderr
