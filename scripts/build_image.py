"""Build what all virtual nodes share: a kernel, a first file system in memory, and a read-only image.

The same packages give the same bytes: owners, times and order of files are fixed. Nothing in it is of one node; keys
and addresses are added when a node starts.
"""

import hashlib
import importlib.metadata
import importlib.util
import json
import lzma
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ringfence.compute.model import NodeClass, NodeId, NodeSpec
from ringfence.compute.providers import sshd
from ringfence.compute.providers.image import PARTS, Entry, archive
from ringfence.kernel.errors import Unavailable
from ringfence.kernel.identifier import Tenant

GUEST = Path(__file__).resolve().parent / "guest"
MODULES = ("virtio_pci", "virtio_blk", "virtio_net", "virtio_console", "virtio-rng", "squashfs", "overlay")
# A measured machine has no disk: its image comes in memory, and what makes it one node comes from the firmware's table.
MEASURED_MODULES = (*(name for name in MODULES if name != "virtio_blk"), "loop", "qemu_fw_cfg")
DEPENDS = re.compile(rb"\0depends=([^\0]*)\0")
# Of Python's library: what a node has no use for.
DROPPED = ("test", "idlelib", "lib2to3", "pydoc_data", "ensurepip", "distutils", "turtledemo", "tkinter", "venv")
FOLDERS = ("dev", "etc/ssh", "home/ringfence", "proc", "root", "run", "sys", "tmp", "var/log", "mnt", "usr/local/bin")
# Of a measured node: no password, nothing forwarded; its sshd is configured by the image alone.
PLAIN = NodeSpec(NodeId("n-00000000"), "plain", Tenant("none"), NodeClass.MEASURED, 0, 0, 0, (), None, training=False)
FILES = {
    "etc/passwd": (
        "root:x:0:0:root:/root:/bin/sh\n"
        "sshd:x:100:65534:sshd:/run/sshd:/bin/false\n"
        "keeper:x:101:65534:keeper:/:/bin/false\n"
        "nobody:x:65534:65534:nobody:/:/bin/false\n"
        "ringfence:x:1000:1000:ringfence:/home/ringfence:/bin/bash\n"
    ),
    "etc/group": "root:x:0:\ntty:x:5:\nnogroup:x:65534:\nringfence:x:1000:\n",
    # `*`: no password fits, and yet the account is not locked, so that certificates do.
    "etc/shadow": "root:*:1::::::\nsshd:*:1::::::\nkeeper:*:1::::::\nnobody:*:1::::::\nringfence:*:1::::::\n",
    "etc/inittab": "::respawn:/usr/lib/ringfence/sshd\n",
    "usr/lib/ringfence/sshd_config": sshd.configuration(PLAIN),
    "etc/profile": "export PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin LANG=C.UTF-8\n",
    "etc/hosts": "127.0.0.1 localhost\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files\n",
}
AGENT_MODULES, PACKAGES = "usr/lib/ringfence/python", "usr/lib/python3/dist-packages"
AGENT = "ringfence.workloads.nodeagent.program, ringfence.workloads.nodeagent.carrying"
WHEELS = {"cryptography": "cryptography/", "cffi": "_cffi_backend"}  # name -> how the names of its files begin
STEP_SECONDS = 120


def build(guest: Path, kernel: Path, tools: Path, into: Path, packages: dict[str, str]) -> str:
    """Write kernel, initrd and image; return the digest over all three. `guest` is changed."""
    into.mkdir()
    release = next((kernel / "boot").glob("vmlinuz-*")).name.removeprefix("vmlinuz-")
    shutil.copyfile(kernel / "boot" / f"vmlinuz-{release}", into / "kernel")
    furnish(guest)
    modules = kernel / "lib/modules" / release
    squash(guest, tools, into / "image")
    whole = Entry("image", stat.S_IFREG | 0o400, (into / "image").read_bytes())
    (into / "initrd").write_bytes(archive(first_files(guest, modules)))
    (into / "measured").write_bytes(archive((*first_files(guest, modules, measured=True), whole)))
    (into / "probe").write_bytes(archive(probe_files(guest)))
    (into / "files.json").write_text(json.dumps(_digests(guest), sort_keys=True) + "\n")
    digests = {name: hashlib.sha256((into / name).read_bytes()).hexdigest() for name in PARTS}
    over_all = hashlib.sha256("".join(f"{digests[name]} {name}\n" for name in sorted(digests)).encode()).hexdigest()
    facts = {"digest": over_all, "files": digests, "release": release, "packages": packages}
    (into / "image.json").write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n")
    return over_all


def _digests(guest: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of the image, by the path that a running node shows: where links lead."""
    files = (path for path in sorted(guest.rglob("*")) if path.is_file() and not path.is_symlink())
    return {f"/{path.relative_to(guest)}": hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def furnish(guest: Path) -> None:
    """Add our own files to the unpacked packages, compile Python's, and take out what is of no use."""
    for folder in FOLDERS:
        (guest / folder).mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        (guest / name).parent.mkdir(parents=True, exist_ok=True)
        (guest / name).write_text(text)
    for library in (guest / "usr/lib").glob("python3.*"):
        for name in (*DROPPED, *(path.name for path in library.glob("config-*"))):
            shutil.rmtree(library / name, ignore_errors=True)
    _program(GUEST / "start", guest / "sbin/init")
    for name in ("sshd", "agent", "agent.py", "inittab", "words"):
        _program(GUEST / name, guest / "usr/lib/ringfence" / name)
    for place, files in ((AGENT_MODULES, agent_sources()), (PACKAGES, wheel_files())):
        for name, source in files.items():
            _copied(source, guest / place / name)
    _link_applets(guest)
    _compile(guest)


def _program(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755)


def _copied(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def agent_sources() -> dict[str, Path]:
    """Return the modules of ours that the agent of a measured node imports: place below its own folder to file."""
    script = f"import sys; import {AGENT}; print(*(n for n in sys.modules if n.partition('.')[0] == 'ringfence'))"
    names = _run([sys.executable, "-I", "-c", script]).split()
    found = {name: importlib.util.find_spec(name) for name in sorted(names)}
    paths = {name: Path(spec.origin) for name, spec in found.items() if spec is not None and spec.origin}
    return {
        f"{name.replace('.', '/')}{'/__init__' if at.stem == '__init__' else ''}.py": at for name, at in paths.items()
    }


def wheel_files() -> dict[str, Path]:
    """Return the files of the wheels that the agent needs, as they are installed here.

    Debian's own `cryptography` is too old for HPKE; ours is built against the stable interface of every Python from
    3.11 on, and `cffi` for exactly the Python that runs this.
    """
    files = [file for name in WHEELS for file in importlib.metadata.files(name) or ()]
    wanted = (file for file in files if file.suffix in {".py", ".so"} and str(file).startswith(tuple(WHEELS.values())))
    return {str(file): Path(str(file.locate())) for file in wanted}


def wheels() -> dict[str, str]:
    """Return which versions these are."""
    return {f"{name} (wheel)": importlib.metadata.version(name) for name in WHEELS}


def _link_applets(guest: Path) -> None:
    """Give busybox's programs their names, where no real program has the name."""
    for place in _run([str(guest / "bin/busybox"), "--list-full"]).split():
        path = guest / place
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() and not path.is_symlink():
            path.symlink_to("/bin/busybox")
    python = next(path for path in sorted((guest / "usr/bin").glob("python3.*")))
    for name in ("python3", "python"):
        (guest / "usr/bin" / name).unlink(missing_ok=True)
        (guest / "usr/bin" / name).symlink_to(python.name)


def _compile(guest: Path) -> None:
    """Compile Python's library with the guest's own Python: an emulated machine takes seconds for it at each import.

    Everything anew, and nothing by the way: what the compiler itself imports would be kept by the time of its source,
    which is another one in the image, and a node would compile it again, to bytes that nobody expects.
    """
    loader = next(guest.glob("lib/*-linux-gnu/ld-linux-*.so.*"))
    libraries = os.pathsep.join(str(path) for path in guest.glob("**/*-linux-gnu") if path.is_dir())
    python = next(path for path in sorted((guest / "usr/bin").glob("python3.*")))
    roots = [str(guest / place) for place in (f"usr/lib/{python.name}", PACKAGES, AGENT_MODULES)]
    if (version := f"{sys.version_info.major}.{sys.version_info.minor}") != python.name.removeprefix("python"):
        raise Unavailable(
            f"the machines' Python is {python.name}, ours {version}: their agent's packages would not fit"
        )
    argv = [str(loader), "--library-path", libraries, str(python), "-I", "-B", "-m", "compileall", "-qq", "-f", "-j2"]
    _run(
        [*argv, "--invalidation-mode", "unchecked-hash", "-s", str(guest), "-p", "/", *roots],
        PYTHONHOME=str(guest / "usr"),
    )


def first_files(guest: Path, modules: Path, *, measured: bool = False) -> Iterator[Entry]:
    """Give the files of the first file system: busybox, kernel modules in their order, and `init`."""
    yield Entry("bin", stat.S_IFDIR | 0o755)
    yield Entry("bin/busybox", stat.S_IFREG | 0o755, (guest / "bin/busybox").read_bytes())
    yield Entry("init", stat.S_IFREG | 0o755, (GUEST / ("init-measured" if measured else "init")).read_bytes())
    yield Entry("modules", stat.S_IFDIR | 0o755)
    found = dict(_in_order(modules, MEASURED_MODULES if measured else MODULES))
    for name, content in found.items():
        yield Entry(f"modules/{name}", stat.S_IFREG | 0o644, content)
    yield Entry("modules/order", stat.S_IFREG | 0o644, "".join(f"{name}\n" for name in found).encode())


def probe_files(guest: Path) -> Iterator[Entry]:
    """Give the files of the guest that only says that it lives."""
    yield Entry("bin", stat.S_IFDIR | 0o755)
    yield Entry("dev", stat.S_IFDIR | 0o755)
    yield Entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    yield Entry("bin/busybox", stat.S_IFREG | 0o755, (guest / "bin/busybox").read_bytes())
    text = "#!/bin/busybox sh\necho ringfence-guest-lives\n/bin/busybox poweroff -f\n"
    yield Entry("init", stat.S_IFREG | 0o755, text.encode())


def _in_order(modules: Path, wanted: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """Give the wanted modules, each after those that it depends on; built-in ones have no file."""
    files = {_plain(path.name): path for path in sorted(modules.rglob("*.ko*"))}
    done: set[str] = set()

    def visit(name: str) -> Iterator[tuple[str, bytes]]:
        if name in done or name not in files:
            return
        done.add(name)
        content = _content(files[name])
        match = DEPENDS.search(content)
        for need in match[1].decode().split(",") if match else ():
            yield from visit(_plain(need))
        yield f"{name}.ko", content

    for name in wanted:
        yield from visit(_plain(name))


def _plain(name: str) -> str:
    return name.partition(".ko")[0].replace("-", "_")


def _content(path: Path) -> bytes:
    return lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()


def squash(guest: Path, tools: Path, target: Path) -> None:
    """Write the image, all of it root's and from 1970.

    Compressed by LZ4: the firmware of a measured machine hashes every byte of it at each start.
    """
    _shut(guest / "root", guest / "etc/shadow")
    libraries = os.pathsep.join(str(path) for path in tools.glob("**/*-linux-gnu") if path.is_dir())
    packed = ("-comp", "lz4", "-Xhc", "-noI", "-noX")
    same = ("-all-root", "-no-xattrs", "-reproducible", "-mkfs-time", "0", "-all-time", "0", "-no-exports")
    program = str(tools / "usr/bin/mksquashfs")
    _run([program, str(guest), str(target), "-quiet", "-no-progress", *packed, *same], LD_LIBRARY_PATH=libraries)


def _shut(*paths: Path) -> None:
    for path in paths:
        path.chmod(0o700 if path.is_dir() else 0o600)


def _run(argv: list[str], **environment: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 -- programs that were fetched for it
            argv,
            check=False,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=STEP_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"`{Path(argv[0]).name}` did not run: {error}") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise Unavailable(f"`{Path(argv[0]).name}` failed: {said}")
    return done.stdout
