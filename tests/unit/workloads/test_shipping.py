import hashlib
import io
import secrets
import subprocess
import sys
import zipfile

import pytest

from ringfence.compute.providers.runtime import PYTHON
from ringfence.kernel.errors import Unavailable, VerificationFailed
from ringfence.testing.engines import MemoryShell
from ringfence.workloads import shipping
from ringfence.workloads.engine.frames import ONNX, Header

MODEL = b"the weights"
PREFIX = secrets.token_hex(4)  # so that no engine outside of this test has the name
HEADER = Header(ONNX, "small", len(MODEL), f"sha256:{hashlib.sha256(MODEL).hexdigest()}")


def ship(shell):
    return shipping.ship(shell, HEADER, iter([MODEL[:3], MODEL[3:]]))


def test_program_header_and_weights_arrive_in_this_order():
    shell = MemoryShell()
    answer = ship(shell)
    assert shell.loaded == [MODEL]
    assert (answer.measured, answer.port) == (HEADER.digest, 8080)
    assert shell.commands[0][:3] == [PYTHON, "-I", "-c"]
    assert shell.commands[0][-1] == "ringfence-engine=small"


def test_a_loader_that_measured_something_else_is_not_believed():
    for lie in ("sha256:" + "00" * 32, f"sha256:{hashlib.sha256(MODEL[:-1]).hexdigest()}"):
        with pytest.raises(VerificationFailed, match="measured"):
            ship(MemoryShell(lie=lie))
        with pytest.raises(VerificationFailed, match="measured"):
            ship(MemoryShell(lie=lie, problem="it is broken"))


def test_a_loader_that_loads_nothing_says_why():
    with pytest.raises(Unavailable, match="does not start: no memory"):
        ship(MemoryShell(problem="no memory"))
    with pytest.raises(Unavailable, match="the last words"):
        ship(MemoryShell(silent=True))


def test_an_end_that_did_not_come_through_is_not_taken_for_one():
    with pytest.raises(Unavailable, match="does not end"):
        shipping.end(MemoryShell(code=255), "small")


def test_the_archive_is_always_the_same_and_needs_nothing_else():
    assert shipping.archive() == shipping.archive()
    with zipfile.ZipFile(io.BytesIO(shipping.archive())) as file:
        names = file.namelist()
        code = b"".join(file.read(name) for name in names).decode()
    assert "ringfence/workloads/engine/loading.py" in names
    assert not [name for name in names if "/shell" in name]
    modules = {line.split()[1] for line in code.splitlines() if line.strip().startswith(("import ", "from "))}
    inside = {name.removesuffix(".py").replace("/", ".") for name in names}
    known = sys.stdlib_module_names | {"onnxruntime", "numpy", "xllamacpp"}
    strange = {one for one in modules if one.split(".")[0] not in known and one.strip(",") not in inside}
    assert strange <= {"ringfence.workloads.engine"}


def test_the_end_of_an_engine_is_for_its_own_process():
    """The script runs here, where three processes stand for those of a node."""
    names = ("small", "small2", "other")
    alive = {
        name: subprocess.Popen(
            [sys.executable, "-I", "-c", "import time; time.sleep(60)", shipping.mark(PREFIX + name)]
        )
        for name in names
    }
    try:
        shell = MemoryShell()
        shipping.end(shell, PREFIX + "small")
        assert shell.commands[0][0] == PYTHON
        done = subprocess.run([sys.executable, *shell.commands[0][1:]], check=False, timeout=20)
        assert done.returncode == 0
        assert alive["small"].wait(timeout=20) == -9
        assert [alive[name].poll() for name in names[1:]] == [None, None]
    finally:
        for process in alive.values():
            process.kill()
            process.wait()
