"""A home whose path is longer than the name of a socket can be works like any other."""

import json

from ringfence.testing import program
from ringfence.testing.home import make

LONGEST = 107  # bytes that the kernel takes as the name of a socket


def test_the_program_its_signer_and_its_client_meet_in_a_home_with_a_long_path(tmp_path):
    place = tmp_path / ("x" * 90) / ("y" * 90) / "home"
    place.parent.mkdir(parents=True)
    home = make(place)
    assert len(str(place)) > LONGEST
    given = home.environment()
    with program.serving(given):
        assert (place / "signer.sock").is_socket()
        done = program.called(given, "customer", "add", "Sample Clinic", "--json")  # signed, over the socket
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["added"][0]["statement"]["stage"] == "published"
        assert program.called(given, "doctor", "--json").returncode == 0
    assert not (place / "ringfence.sock").exists()
