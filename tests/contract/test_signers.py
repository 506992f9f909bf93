"""What every signer does: in this process, and in one of its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.signing.opening import in_process
from ringfence.signing.process import WallClock
from ringfence.signing.worker import running
from ringfence.testing import signing


@pytest.fixture(scope="module", params=["in-process", "process"])
def shared(request, tmp_path_factory):
    home = signing.folder(tmp_path_factory.mktemp("signer") / "home")
    if request.param == "in-process":
        yield in_process(home, signing.LOG, None, WallClock())
    else:
        with running(home, signing.LOG, {}) as signer:
            yield signer


@pytest.fixture(params=["in-process", "process"])
def signer(request, tmp_path):
    home = signing.folder(tmp_path / "home")
    if request.param == "in-process":
        yield in_process(home, signing.LOG, None, WallClock())
    else:
        with running(home, signing.LOG, {}) as made:
            yield made


def now():
    return WallClock().now()


def test_it_signs_for_its_roles(shared):
    signing.signs_for_its_roles(shared, now())


def test_it_refuses_what_is_not_its_own(shared):
    signing.refuses_what_is_not_its_own(shared, now())


def test_it_never_signs_two_logs(signer):
    signing.never_signs_two_logs(signer, now())


@given(junk=st.binary(max_size=400))
def test_it_survives_anything(shared, junk):
    signing.survives_anything(shared, now(), junk)
