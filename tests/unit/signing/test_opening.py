from ringfence.signing.opening import in_process
from ringfence.testing.clock import FakeClock
from ringfence.testing.signing import LOG, folder


def test_opening_writes_nothing(tmp_path):
    home = folder(tmp_path / "home")
    before = sorted(home.rglob("*"))
    in_process(home, LOG, None, FakeClock()).check()
    assert sorted(home.rglob("*")) == before
