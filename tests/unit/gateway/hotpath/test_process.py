import asyncio
import os
import resource
import socket

import pytest

from ringfence.gateway.hotpath import process
from ringfence.kernel.errors import MalformedInput, Unavailable
from ringfence.testing.gateway_process import GatewayProcess


def test_options():
    chosen = process.options(["somewhere", "--port", "0", "--tune", "head=2"])
    assert (str(chosen.folder), chosen.port, chosen.host, chosen.uid, chosen.tuning.head) == (
        "somewhere",
        0,
        "127.0.0.1",
        None,
        2,
    )


def test_nobody_can_connect_to_what_is_only_bound():
    with process.bound("127.0.0.1", 0) as taken:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(taken.getsockname())
        taken.listen()
        with pytest.raises(Unavailable, match="cannot take"):
            process.bound(*taken.getsockname())


def test_open_files_are_limited_by_what_this_user_may():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        process.raise_limit(before[1] + 1 if before[1] != resource.RLIM_INFINITY else 4096)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] == before[1]
        process.raise_limit(300)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 300
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_nothing_is_given_up_without_a_user_to_become():
    before = os.getresuid(), os.getresgid()
    process.drop(None, None)
    assert (os.getresuid(), os.getresgid()) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_root_is_given_up_for_good():
    child = os.fork()
    if child == 0:
        code = 1
        try:
            process.drop(64_001, 64_002)
            free = (os.getresuid(), os.getresgid(), os.getgroups()) == ((64_001,) * 3, (64_002,) * 3, [])
            try:
                os.setuid(0)
            except PermissionError:
                code = 0 if free else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with pytest.raises(Unavailable, match="does not listen as root"):
        process.drop(0, 0)


@pytest.mark.parametrize(
    "text", ["{}", '{"log": "a/b", "demoTenants": "x"}', "nonsense", '{"log": 1, "demoTenants": []}']
)
def test_an_origin_that_is_none(tmp_path, text):
    (tmp_path / "origin.json").write_text(text)
    with pytest.raises(MalformedInput):
        process.origin(tmp_path)


@pytest.mark.parametrize("lost", ["control.pub", "origin.json", "../keys/gateway.json"])
def test_what_is_missing_is_named_and_nothing_listens(tmp_path, lost):
    made = GatewayProcess(tmp_path / "home")
    made.prepare()
    (made.folder / lost).unlink()
    with pytest.raises(AssertionError, match="did not start"):
        made.start()
    assert made.stop() in {2, 4}
    log = made.log()
    assert "Traceback" not in log
    assert lost.rpartition("/")[2] in log


def test_a_second_gateway_does_not_take_the_journal(tmp_path):
    with GatewayProcess(tmp_path / "home") as first:
        second = GatewayProcess(tmp_path / "home")
        with pytest.raises(AssertionError, match="another gateway"):
            second.start()
        assert second.stop() == 4
        assert first.stop() == 0


def test_a_fault_of_our_own_is_one_line_without_what_callers_sent(caplog):
    async def run():
        loop = asyncio.get_running_loop()
        with pytest.raises(ValueError, match="non-hexadecimal") as caught:
            bytes.fromhex("secret words")
        process._stumbled(loop, {"message": "Fatal error", "exception": caught.value})

    asyncio.run(run())
    assert "ValueError at test_process.py" in caplog.text
    assert "secret words" not in caplog.text
