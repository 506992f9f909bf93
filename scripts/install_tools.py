"""Fetch programs that only benchmarks or tests start, unpacked (never installed) into `.tools/<set>/`. Debian only.

Nothing of the product uses them: `bench` is what `make bench` measures us beside, `testing` is what the tests run for
real (PostgreSQL, SoftHSM, Go with its own reader of transparency logs, a software TPM, age). Where a set cannot be had,
this says why and ends with 0; the benchmark then prints our own figures alone, and the tests skip and count what they
could not run.
"""

import argparse
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from debian_packages import Apt, stored, unpack

from ringfence.kernel.errors import RingfenceError

PLACE = Path(__file__).resolve().parents[1] / ".tools"
SETS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "bench": ("nginx",),
        "testing": (
            "age", "golang-1.19-go", "golang-1.19-src", "golang-golang-x-mod-dev", "golang-golang-x-sys-dev",
            "openssl", "postgresql-15", "postgresql-client-15", "softhsm2",
            # A TPM in software, and a verifier that is not ours; what they load by name is no dependency of theirs.
            "libtss2-tcti-swtpm0", "swtpm", "swtpm-libs", "tpm2-tools",
        ),
    }
)  # fmt: skip
HOST_HAS = ("libc6", "libgcc-s1")
WANTED = ("usr/bin/", "usr/sbin/", "usr/lib/", "usr/share/go", "usr/share/postgresql/", "lib/")
SKIPPED = ("usr/share/go-1.19/test/", "usr/share/go-1.19/api/", "usr/share/go-1.19/misc/")
STAMP = "stamp.txt"


def main() -> None:
    """Fetch and unpack one set; a tree of the same set that is there stays."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set", choices=sorted(SETS))
    name = parser.parse_args().set
    place = PLACE / name
    if _is_there(place / "root", SETS[name]):
        return
    place.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=place) as scratch:
            install(Path(scratch), place / "root", SETS[name])
    except (RingfenceError, OSError) as problem:
        print(f"{name} tools: not installed: {problem}")
    else:
        print(f"{name} tools: ready in {place / 'root'}")


def _is_there(root: Path, packages: tuple[str, ...]) -> bool:
    stamp = root / STAMP
    return stamp.is_file() and stamp.read_text().split() == list(packages)


def install(scratch: Path, root: Path, names: tuple[str, ...]) -> None:
    """Fetch and unpack all; the tree appears whole or not at all."""
    apt = Apt(scratch)
    if problem := apt.update():
        print(f"tools: no fresh index ({problem}); taking the system's")
    packages = apt.closure(names, without=HOST_HAS)
    (scratch / "archives").mkdir()
    apt.download(packages, scratch / "archives")
    for package in packages:
        unpack(stored(package, scratch / "archives"), scratch / "root", _is_wanted)
    (scratch / "root" / STAMP).write_text("\n".join(names) + "\n")
    if root.is_dir():
        shutil.rmtree(root)
    shutil.move(scratch / "root", root)


def _is_wanted(name: str) -> bool:
    # PostgreSQL runs without its compiler, and Go without its race detector: a third of the size each.
    heavy = "libLLVM" in name or "/llvmjit" in name or "/bitcode/" in name or "_race/" in name
    return name.startswith(WANTED) and not name.startswith(SKIPPED) and not heavy


if __name__ == "__main__":
    main()
