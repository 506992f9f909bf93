import sys

import pytest

from ringfence.components import Component
from ringfence.compute.providers import runtime, sandbox
from ringfence.compute.providers.runtime import PYTHON, VERSION, Runtime
from ringfence.compute.providers.sandbox import Programs
from ringfence.kernel.errors import Unavailable
from ringfence.storage.users import can_be_given
from ringfence.testing.compute import spec

PACKAGES = {f"/ringfence/lib/{VERSION}/site-packages": "/opt/venv/lib/site-packages"}
OWN = Runtime("/opt/python", PACKAGES)


def staged(path):
    return f"/mnt{path}"


def pairs(argv, option):
    return [(argv[at + 1], argv[at + 2]) for at, part in enumerate(argv) if part == option]


def test_interpreter_and_packages_are_shown_read_only_as_a_virtual_environment():
    argv = OWN.arguments(staged)
    assert pairs(argv, "--ro-bind") == [
        ("/mnt/opt/python", "/ringfence/python"),
        ("/mnt/opt/venv/lib/site-packages", f"/ringfence/lib/{VERSION}/site-packages"),
    ]
    assert pairs(argv, "--symlink") == [(f"/ringfence/python/bin/{VERSION}", PYTHON)]
    assert OWN.files()["/ringfence/pyvenv.cfg"][1].startswith("home = /ringfence/python/bin\n")
    assert set(OWN.sources().values()) == {"/opt/python", "/opt/venv/lib/site-packages"}


def test_the_systems_own_python_is_seen_already():
    system = Runtime("/usr", PACKAGES)
    assert system.sources() == {"packages0": "/opt/venv/lib/site-packages"}
    assert pairs(system.arguments(staged), "--symlink") == [(f"/usr/bin/{VERSION}", PYTHON)]


def test_a_program_that_finds_its_library_by_its_path_finds_it():
    linked = Runtime("/opt/python", PACKAGES, linked=True)
    assert ("/ringfence/python", "/opt/python") in pairs(linked.arguments(staged), "--symlink")


def test_what_is_found_is_what_runs_this():
    found = runtime.find()
    assert any(path in found.packages.values() for path in sys.path)


def test_what_is_closed_to_the_nodes_user_says_so(tmp_path):
    with pytest.raises(Unavailable, match="is missing"):
        runtime._check(tmp_path / "absent")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    if can_be_given(runtime.users.NAMESPACES):
        with pytest.raises(Unavailable, match="chmod o"):
            runtime._check(closed)
    else:
        runtime._check(closed)


def test_only_a_node_that_asked_for_it_sees_it(tmp_path):
    program = Component(tmp_path / "bwrap")
    plain = Programs(program, program, "/mnt", {"own": str(tmp_path)})
    shown = Programs(program, program, "/mnt", {"own": str(tmp_path), **OWN.sources()}, OWN)
    assert PYTHON not in sandbox.arguments(spec(), plain, "m")
    argv = sandbox.arguments(spec(runtime=True), shown, "m")
    assert argv.index(PYTHON) > argv.index("/tmp")  # noqa: S108 - behind what would cover it
    assert ("/mnt/python", "/ringfence/python") in pairs(argv, "--ro-bind")
