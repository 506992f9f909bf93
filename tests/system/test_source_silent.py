"""A node that runs while nobody writes its log down any more: three heartbeats later people are told."""

import os
import signal

import pytest

from ringfence.compute.providers import launcher, processes
from ringfence.compute.providers.logpipe import HEARTBEAT
from ringfence.soc.health import MISSED, SILENT
from ringfence.testing import lab as labs
from ringfence.tour.lab import until

pytestmark = pytest.mark.skipif(bool(labs.missing()), reason=labs.missing() or "-")


def writers(log):
    """Return the processes that write a log."""
    lines = {pid: processes.command_line(pid) for pid in processes.everyone()}
    return [pid for pid, line in lines.items() if launcher.is_log_writer(line) and str(log).encode() in line]


@pytest.mark.soak
def test_who_kills_the_log_writer_of_a_node_is_noticed(made_now, tmp_path):
    with labs.running(made_now.copy(tmp_path / "home"), tmp_path / "work") as lab:
        node = lab.start("lab")["node"]
        lab.start("other")  # its log is as quiet, and says that it listens
        (writer,) = writers(lab.home.path / "nodes" / node / "sshd.log")
        os.kill(writer, signal.SIGKILL)
        (found,) = until(
            lambda: [one for one in lab.findings(SILENT) if one["actions"]], "the finding", (MISSED + 2) * HEARTBEAT
        )
        assert found["node"] == node
        assert {act["action"]: act["ruling"] for act in found["actions"]} == {"alert": "take"}
        assert lab.show("lab")["state"] == "ready"
        assert lab.show("lab")["containment"] == "none"
