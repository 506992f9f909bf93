"""Judge the files of a model by what they hold, never by what they are called, and never by loading them.

Every format that a file could be taken for gets its check: a loader that somebody chooses later may take it for any of
them. What cannot be read to its end is refused, since crashing the check but not the loader is an attack of its own.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from ringfence.artifacts.models import (
    archives,
    compressed,
    gguf,
    numpy_file,
    onnx,
    pickles,
    safetensors,
    sentencepiece,
    texts,
)
from ringfence.artifacts.models.model import Finding, Judged, Report, Weight
from ringfence.artifacts.models.ports import Content
from ringfence.artifacts.models.templates import danger
from ringfence.kernel.errors import MalformedInput

TOOL = "ringfence-model-scan"
MAX_DEPTH = 3  # archives in archives
MAX_FINDINGS = 64  # of one file; more help nobody
_PIECE = 2**20
_LAMBDA = re.compile(rb"class_name\W{1,8}Lambda\b")
Opening = Callable[[str], AbstractContextManager[Content]]

_MACHINE_CODE = (
    *(b"\x7fELF", b"MZ", b"\xca\xfe\xba\xbe"),
    *(b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe"),
)
_LIBRARIES = (".so", ".dll", ".dylib", ".exe", ".pyc", ".pyd", ".jar", ".class")
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")
_OPAQUE: Mapping[bytes, str] = {
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"7z\xbc\xaf\x27\x1c": "7z",
}


@dataclass(slots=True)
class _Look:
    """One file while it is looked at."""

    name: str
    content: Content
    depth: int
    inside: bool = False  # of an archive
    formats: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    tensors: tuple[str, ...] | None = None

    def refuse(self, code: str, text: str) -> None:
        """Keep a finding that refuses the file."""
        self.add(Weight.REFUSE, code, text)

    def add(self, weight: Weight, code: str, text: str) -> None:
        """Keep a finding; the texts of others are shortened and made printable."""
        if len(self.findings) < MAX_FINDINGS or weight is Weight.REFUSE:
            self.findings.append(Finding(weight, code, _plain(text)))

    def judged(self) -> Judged:
        """Return what was found."""
        return Judged(self.name, "+".join(self.formats) or "unknown", tuple(self.findings[: 2 * MAX_FINDINGS]))


def scan(names: Sequence[str], opening: Opening) -> Report:
    """Judge every file, and what they say of each other."""
    judged, tensors, indexes, room = [], {}, {}, safetensors.MAX_INDEX
    for name in names:
        with opening(name) as content:
            look = _look(name, content, MAX_DEPTH)
            judged.append(look.judged())
            if look.tensors is not None:
                tensors[name] = look.tensors
            if safetensors.OTHER_INDEX.fullmatch(name):
                room -= content.size  # of all together: a file with holes costs its maker nothing
                indexes[name] = content.read(0, content.size) if room >= 0 else b""  # which is none, hence refused
    return Report(tuple(judged), tuple(_indexed(indexes, tensors, names)))


def _indexed(
    indexes: Mapping[str, bytes], tensors: Mapping[str, tuple[str, ...]], files: Iterable[str]
) -> Iterator[Finding]:
    for name, data in indexes.items():
        folder = name.rpartition("/")[0]
        beside = {shard.rpartition("/")[2]: tensors.get(shard) for shard in files if shard.rpartition("/")[0] == folder}
        try:
            if safetensors.INDEX.fullmatch(name):
                held = {shard: names for shard, names in beside.items() if names is not None}
                safetensors.check_index(data, folder, held)
            else:
                safetensors.check_shards(data, folder, beside)
        except MalformedInput as error:
            yield Finding(Weight.REFUSE, "index", _plain(f"{name}: {error}"))


def _look(name: str, content: Content, depth: int, *, inside: bool = False) -> _Look:
    look = _Look(name, content, depth, inside)
    if content.size == 0:
        look.formats.append("empty")
        return look
    for matches, check, kind in _FORMATS:
        if matches(name.lower(), content):
            look.formats.append(kind)
            try:
                check(look)
            except MalformedInput as error:
                look.refuse(f"bad-{kind}", f"the file is not what {kind} demands: {error}")
    if len(look.formats) > 1:
        look.refuse("polyglot", f"the file can be read as {' and as '.join(look.formats)}")
    if "pickle" not in look.formats:
        _hidden(look)
    if not look.formats:
        _other(look)
    return look


def _hidden(look: _Look) -> None:
    found = pickles.hidden(look.content)
    if found is not None:
        names = ", ".join(f"{module}.{name}" for module, name in found.imports[:3])
        look.refuse("hidden-pickle", f"loaded as a pickle, the file would call {names or 'what cannot be followed'}")


def _other(look: _Look) -> None:
    """Judge what is of no format with a check of its own."""
    head = look.content.read(0, 16)
    if (text := texts.text_of(look.content)) is not None:
        kind, found = texts.judge(look.name, text)
        look.formats.append(kind)
        for finding in found:
            look.add(finding.weight, finding.code, finding.text)
    elif head.startswith(_MACHINE_CODE) or head[2:4] == b"\r\n" or look.name.lower().endswith(_LIBRARIES):
        look.formats.append("program")
        look.refuse("program", "the file is a program or a library for a machine")
    elif head.startswith(_PICTURES):
        look.formats.append("picture")
    elif sentencepiece.is_vocabulary(look.content):
        look.formats.append("sentencepiece")
    else:
        kind = next((kind for magic, kind in _OPAQUE.items() if head.startswith(magic)), "unknown")
        look.formats.append(kind)
        look.add(Weight.UNKNOWN, "unknown-format", f"the file is of a format ({kind}) that is not looked into")


def _safetensors(look: _Look) -> None:
    look.tensors = safetensors.check(look.content)


def _gguf(look: _Look) -> None:
    header = gguf.check(look.content)
    for key in header.templates:
        look.add(Weight.NOTE, "chat-template", f"{key} is a program in a template language: read it first")
    for why in filter(None, map(danger, header.programs)):
        look.refuse("template-danger", why)


def _onnx(look: _Look) -> None:
    walked = onnx.check(look.content)
    if walked.external:
        look.refuse("external-data", f"weights lie outside the file: {', '.join(walked.external[:8])}")
    if walked.compiled:
        look.refuse("compiled-part", "a part of the model is compiled for one kind of machine: nobody can look into it")
    if walked.foreign:
        look.refuse("foreign-operator", f"operators need a library of {', '.join(walked.foreign[:8])}")


def _pickle(look: _Look) -> None:
    walked = pickles.check(look.content)
    if walked.persistent and not walked.legacy and not look.inside:
        look.refuse("pickle-lookup", "the pickle names things that the loader is to look up, and is no part of a model")
    for module, name in walked.refused[:MAX_FINDINGS]:
        look.refuse("pickle-import", f"the pickle imports {module}.{name}, which is on no list of what is harmless")


def _npy(look: _Look) -> None:
    if numpy_file.check(look.content):
        look.refuse("npy-objects", "the array holds Python objects, which are a pickle")


def _archive(members: Callable[[Content], Iterable[archives.Member]]) -> Callable[[_Look], None]:
    def check(look: _Look) -> None:
        if look.depth == 0:
            raise MalformedInput(f"archives are nested deeper than {MAX_DEPTH} levels")
        found = list(members(look.content))
        storages = _storages([member.name for member in found])
        for member in found:
            _member(look, member, raw=member.name in storages)

    return check


def _member(look: _Look, member: archives.Member, *, raw: bool) -> None:
    if raw and not (member.content and member.content.read(0, 6) == numpy_file.MAGIC):
        return  # the elements of a tensor, as the pickle beside them says; an array is one all the same
    if member.content is None:
        look.add(Weight.UNKNOWN, "too-long", f"{member.name}: too long to be unpacked here")
        return
    for finding in _look(member.name, member.content, look.depth - 1, inside=True).findings:
        look.add(finding.weight, finding.code, f"{member.name}: {finding.text}")


def _storages(names: Iterable[str]) -> set[str]:
    """Return the members of a PyTorch archive that hold bare elements."""
    known = set(names)
    tops = {name.removesuffix("data.pkl") for name in known if name.endswith("data.pkl")}
    return {name for name in known for top in tops if name.removeprefix(f"{top}data/").isdecimal()}


def _compressed(look: _Look) -> None:
    if look.depth == 0:
        raise MalformedInput(f"archives are nested deeper than {MAX_DEPTH} levels")
    kind = compressed.kind_of(look.content)
    held = compressed.unpacked(look.content, kind)
    _member(look, archives.Member(f"inside {kind}", held), raw=False)


def _hdf5(look: _Look) -> None:
    """Look for layers that carry Python in the attributes of an HDF5 file, which stand there as they are written."""
    look.add(Weight.UNKNOWN, "unknown-format", "the file is of a format (hdf5) that is not looked into")
    before = b""
    for at in range(0, look.content.size, _PIECE):
        data = look.content.read(at, _PIECE)
        if _LAMBDA.search(before + data):
            look.refuse("keras-lambda", "a Lambda layer carries compiled Python that the loader runs")
            return
        before = data[-64:]


def _begins(*magics: bytes) -> Callable[[str, Content], bool]:
    return lambda _name, content: content.read(0, 16).startswith(magics)


def _plain(text: str) -> str:
    shown = "".join(character if character.isprintable() else "\ufffd" for character in text[:400])
    return shown if len(text) <= 400 else shown + "…"


_FORMATS: tuple[tuple[Callable[[str, Content], bool], Callable[[_Look], None], str], ...] = (
    (
        lambda name, content: name.endswith(".safetensors") or safetensors.looks_like(content),
        _safetensors,
        "safetensors",
    ),
    (lambda name, content: name.endswith(".gguf") or content.read(0, 4) == gguf.MAGIC, _gguf, "gguf"),
    (lambda name, content: name.endswith((".pkl", ".pickle")) or pickles.looks_like(content), _pickle, "pickle"),
    (lambda name, content: name.endswith(".onnx") or onnx.looks_like(content), _onnx, "onnx"),
    (
        lambda _name, content: content.read(0, 4) == b"PK\x03\x04" or archives.ends_as_zip(content),
        _archive(archives.zipped),
        "zip",
    ),
    (lambda _name, content: archives.looks_like_tar(content), _archive(archives.tarred), "tar"),
    (_begins(numpy_file.MAGIC), _npy, "npy"),
    (lambda _name, content: compressed.kind_of(content) != "", _compressed, "compressed"),
    (_begins(b"\x89HDF\r\n\x1a\n"), _hdf5, "hdf5"),
)
