"""What every signer does: in this process, and in one of its own; with keys in a file, and in a token."""

import os
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.signing.opening import in_process
from ringfence.signing.process import WallClock
from ringfence.signing.worker import running
from ringfence.testing import signing

KINDS = ["in-process", "process", "in-process, token", "process, token"]


@contextmanager
def opened(kind, home, token):
    signing.folder(home)
    if "token" in kind:
        signing.in_token(home, token())
    if kind.startswith("in-process"):
        yield in_process(home, signing.LOG, None, WallClock())
    else:
        with running(home, signing.LOG, {"SOFTHSM2_CONF": os.environ.get("SOFTHSM2_CONF", "")}) as made:
            yield made


@pytest.fixture(scope="module", params=KINDS)
def shared(request, tmp_path_factory):
    home = tmp_path_factory.mktemp("signer") / "home"
    with opened(request.param, home, lambda: request.getfixturevalue("software_token")) as signer:
        yield signer


@pytest.fixture(params=KINDS)
def signer(request, tmp_path):
    with opened(request.param, tmp_path / "home", lambda: request.getfixturevalue("software_token")) as made:
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
