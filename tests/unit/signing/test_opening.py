import pytest

from ringfence.kernel.errors import Unavailable
from ringfence.signing.opening import in_process, of_command, replacing_keys
from ringfence.testing.clock import FakeClock
from ringfence.testing.signing import LOG, folder


def test_opening_writes_nothing(tmp_path):
    home = folder(tmp_path / "home")
    before = sorted(home.rglob("*"))
    in_process(home, LOG, None, FakeClock()).check()
    assert sorted(home.rglob("*")) == before


def test_a_command_and_the_replacing_of_keys_keep_each_other_out(tmp_path):
    """A command would go on with the key that is replaced, and what it records would count for nothing."""
    home = folder(tmp_path / "home")
    with (
        of_command(home, LOG, None, FakeClock()),
        of_command(home, LOG, None, FakeClock(), patience=0),
        pytest.raises(Unavailable, match="a command of Ringfence is under way"),
        replacing_keys(home),
    ):
        pass
    with (
        replacing_keys(home),
        pytest.raises(Unavailable, match="keys are being replaced"),
        of_command(home, LOG, None, FakeClock(), patience=0),
    ):
        pass
