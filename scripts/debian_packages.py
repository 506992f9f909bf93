"""Debian packages by name: which libraries they need, fetched and unpacked (never installed), as any user."""

import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from ringfence.kernel.errors import Unavailable

# Of what a package depends on, only these are taken: the rest is for configuring an installed system.
FOLLOWED = re.compile(r"lib|zlib1g|python3\.|linux-image-")
STEP_SECONDS = 240
REQUIRED = ("Package", "Version", "Size", "SHA256")
Package = dict[str, str]  # the fields of its stanza in the index


class Apt:
    """apt with a package index of its own, so that any user can ask for a fresh one."""

    def __init__(self, scratch: Path) -> None:
        for folder in ("lists/partial", "cache/archives/partial"):
            (scratch / folder).mkdir(parents=True)
        places = {"Dir::State::lists": scratch / "lists", "Dir::Cache": scratch / "cache"}
        caches = {f"Dir::Cache::{name}": f"{name}.bin" for name in ("pkgcache", "srcpkgcache")}
        self.options = [f"-o{name}={value}" for name, value in {**places, **caches, "APT::Sandbox::User": ""}.items()]
        self.known: dict[str, Package] = {}

    def update(self) -> str:
        """Fetch the index; where that fails, go on with the system's and say why."""
        try:
            run("apt-get", *self.options, "-q", "-oAcquire::Languages=none", "update")
            self.learn(["busybox-static"])
        except Unavailable as problem:
            self.options = []
            return str(problem)
        return ""

    def learn(self, names: list[str]) -> None:
        """Read the candidate version of each package from the index."""
        missing = [name for name in names if name not in self.known]
        if not missing:
            return
        text = run("apt-cache", *self.options, "--no-all-versions", "show", *missing)
        for stanza in filter(str.strip, text.split("\n\n")):
            package = described(stanza)
            self.known.setdefault(package["Package"], package)
        if lost := [name for name in missing if name not in self.known and not FOLLOWED.match(name)]:
            raise Unavailable(f"the package index has no {', '.join(lost)}")

    def named(self, names: tuple[str, ...]) -> list[Package]:
        """Return just these packages."""
        self.learn(list(names))
        return [self.known[name] for name in names]

    def closure(self, names: tuple[str, ...], *, without: tuple[str, ...] = ()) -> list[Package]:
        """Return the named packages with the libraries that they need, in order of name."""
        found: set[str] = set()
        wanted = set(names)
        while wanted:
            self.learn(sorted(wanted))
            found |= wanted
            wanted = {need for name in wanted for need in needs(self.known.get(name, {}))} - found - set(without)
        return [self.known[name] for name in sorted(found) if name in self.known]

    def download(self, packages: list[Package], folder: Path) -> None:
        """Fetch the packages that are not there; the SHA-256 of each must be the signed index's, and is its name."""
        missing = {package["Package"]: package for package in packages if not is_kept(package, folder)}
        if not missing:
            return
        exact = [f"{name}={package['Version']}" for name, package in missing.items()]
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            run("apt-get", *self.options, "-q", "download", *exact, cwd=scratch)
            for fetched in Path(scratch).glob("*.deb"):
                package = missing.pop(fetched.name.split("_")[0], None)
                if package is None or _digest(fetched) != package["SHA256"]:
                    raise Unavailable(f"{fetched.name} is not the package that the index names")
                fetched.rename(stored(package, folder))
        if missing:
            raise Unavailable(f"apt-get did not fetch {', '.join(missing)}")


def stored(package: Package, folder: Path) -> Path:
    """Return where a fetched package lies."""
    return folder / f"{package['SHA256']}.deb"


def is_kept(package: Package, folder: Path) -> bool:
    """Return whether a package was fetched and is still what it was."""
    path = stored(package, folder)
    return path.is_file() and _digest(path) == package["SHA256"]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def described(stanza: str) -> Package:
    """Return the fields of a stanza, or raise `Unavailable` where it does not say what a package is."""
    package = dict(_fields(stanza))
    lacking = [name for name in REQUIRED if name not in package]
    if lacking or not package["Size"].isdigit():
        raise Unavailable(f"the package index does not say {(lacking or ['Size'])[0]} of {package.get('Package', '?')}")
    return package


def needs(package: Package) -> Iterator[str]:
    """Name the libraries that a package depends on, by the first alternative of each."""
    for field in (package.get("Pre-Depends", ""), package.get("Depends", "")):
        for clause in filter(None, field.split(",")):
            name = clause.split("|")[0].split("(")[0].strip().removesuffix(":any")
            if FOLLOWED.match(name):
                yield name


class Member(tarfile.TarInfo):
    """A member whose header must be right: tarfile takes a damaged one behind the first for the end of the archive."""

    @classmethod
    def frombuf(cls, buf: bytes, encoding: str, errors: str) -> "Member":
        """Read a header; raise `ReadError` for one that is damaged."""
        try:
            return super().frombuf(buf, encoding, errors)  # type: ignore[return-value,arg-type]
        except tarfile.InvalidHeaderError as error:  # type: ignore[attr-defined]
            raise tarfile.ReadError(str(error)) from error


def unpack(archive: Path, into: Path, wanted: Callable[[str], bool]) -> None:
    """Write a package's wanted files and links below `into`; owners and special bits are not kept."""
    command = ["dpkg-deb", "--fsys-tarfile", str(archive)]
    try:
        with (
            subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as source,  # noqa: S603
            tarfile.open(fileobj=source.stdout, mode="r|", tarinfo=Member) as members,
        ):
            for member in members:
                place = PurePosixPath(member.name)
                if not member.isdir() and ".." not in place.parts and wanted(str(place)):
                    _write(members, member, into / place)
    except (tarfile.TarError, KeyError, EOFError, ValueError) as error:  # all of them by odd archives
        raise Unavailable(f"{archive.name} cannot be unpacked: {error}; delete it, and it is fetched again") from error
    if source.returncode:
        raise Unavailable(f"{archive.name} cannot be unpacked by `dpkg-deb`; delete it, and it is fetched again")


def _write(members: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if member.issym():
        path.symlink_to(member.linkname)
    elif data := members.extractfile(member):
        with path.open("xb") as file:
            shutil.copyfileobj(data, file)
        path.chmod(member.mode & 0o755)
        os.utime(path, (member.mtime, member.mtime))


def run(*command: str, cwd: str | None = None) -> str:
    """Return what a program prints; it has a time limit, since a dead mirror must not hold up the whole."""
    environment = {"PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin", "LC_ALL": "C"}
    environment |= {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    try:
        done = subprocess.run(  # noqa: S603 -- fixed programs
            command,
            check=False,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=STEP_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"`{command[0]}` did not run: {error}") from error
    if done.returncode:
        raise Unavailable(f"`{command[0]}` failed: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    return done.stdout


def _fields(stanza: str) -> Iterator[tuple[str, str]]:
    for line in stanza.splitlines():
        if line[:1].strip() and ":" in line:
            name, _, value = line.partition(":")
            yield name, value.strip()
