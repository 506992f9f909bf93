"""Which announced erasures a turn carries out; on a real folder: test_reconcile.py."""

from contextlib import nullcontext
from dataclasses import replace

import pytest

from ringfence.artifacts.finishing import Finishing
from ringfence.artifacts.model import Erasure
from ringfence.kernel.digest import Digest
from ringfence.kernel.errors import Unavailable
from ringfence.testing.artifacts import TENANT, MemoryControl, example

ASKED = Digest.of(b"asked")


class Home:
    """The wrappings of a home, of which one cannot be destroyed."""

    def __init__(self, failing=()):
        self.failing, self.destroyed = failing, []

    def vault(self, dataset, epoch):
        return nullcontext((dataset, epoch))

    def destroy(self, sealed):
        if sealed.epoch in self.failing:
            raise Unavailable("the disk is away")
        self.destroyed.append(sealed.epoch)
        return []

    def forget(self, sealed):
        raise AssertionError(f"{sealed} is not stated yet")


def turn(home, *erasures):
    control = MemoryControl()
    for epoch, erasure in enumerate(erasures, 1):
        sealed = replace(example(epoch=epoch), erasure=erasure)
        control.datasets.put(TENANT, sealed, sealed.seal)
    return Finishing(control.service, home, home, lambda: [TENANT])


def test_only_what_is_announced_and_not_done_is_destroyed():
    home = Home()
    asked, done, held = Erasure(ASKED, done=False), Erasure(ASKED, done=True), Erasure(ASKED, done=False, held=True)
    assert turn(home, None, asked, done, held)() == 1
    assert home.destroyed == [2]


def test_one_that_fails_stops_no_other_and_is_told():
    home = Home(failing={1})
    with pytest.raises(Unavailable, match="the disk is away"):
        turn(home, Erasure(ASKED, done=False), Erasure(ASKED, done=False))()
    assert home.destroyed == [2]
