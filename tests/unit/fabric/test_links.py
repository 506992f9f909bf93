import os

import pytest

from ringfence.fabric import links
from ringfence.fabric.desired import Port
from ringfence.kernel.errors import NotFound, Refused


def test_a_process_is_named_by_its_start():
    assert links.started(os.getpid()) == links.started(os.getpid()) > links.started(1) >= 0
    with pytest.raises(NotFound):
        links.started(2**22 + 5)


def test_a_process_without_a_network_of_its_own_is_refused():
    # Attaching it would hang this machine itself on the fabric.
    with links.network(os.getpid()) as ours, pytest.raises(Refused, match="no network namespace of its own"):
        links.verify_foreign(ours, os.getpid())


def test_a_link_that_is_not_there_is_removed_already():
    assert not links.present(Port(slot=500))
    links.remove(Port(slot=500))
