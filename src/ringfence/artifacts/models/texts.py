"""Text beside the weights: configuration is read by loaders, and some of it is a program or calls one."""

import json
import re
from collections.abc import Iterator

from ringfence.artifacts.models.model import Finding, Weight
from ringfence.artifacts.models.ports import Content
from ringfence.artifacts.models.templates import danger

MAX_TEXT = 64 * 2**20  # bytes that are looked at as text
MAX_TEMPLATES = 64
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_ESCAPED = re.compile(  # characters of a key in JSON or YAML, so that none can be written in disguise
    r"\\(?:u00|x|U000000)([2-7][0-9a-fA-F])"
)
_SCRIPT_NAMES = (".py", ".pyw", ".pyx", ".ipynb", ".sh", ".bash", ".bat", ".cmd", ".ps1", ".js", ".lua", ".rb", ".pl")
_DOCUMENTS = (".md", ".txt", ".json", ".jsonl", ".yaml", ".yml", ".rst", ".html", ".csv", ".toml", ".bib", ".svg")
_PYTHON = re.compile(r"(?:import|from|def|class|async def|exec|eval)\b|@\w")
_CLASS = re.compile(r"[\"']class_name[\"']\s*:")
_MODULE = re.compile(r"[\"']module[\"']\s*:\s*[\"']([^\"']*)[\"']")
_READS = re.compile(r"[\"']vocabulary[\"']\s*:\s*[\"']")  # a text is the path of a file; words would be a list
_KERAS = re.compile(  # what holds layers and numbers; others fetch files, switch checks off, or load other models
    r"keras(\.src)?(\.(activations|applications|constraints|dtype_policies|initializers|layers|losses|metrics|models|ops"
    r"|optimizers|quantizers|random|regularizers)(\..*)?)?"
)
_TARGET = re.compile(r"\b_target_[\"']?\s*:(?!\s*[0-9])")  # a number stands behind the words of a vocabulary
_PROSE = (".md", ".rst", ".txt", ".html")  # where underscores stand around what is said with emphasis
_PARTS = re.compile(r"(.*/)?modules\.json")
_PART = re.compile(r"[\"']type[\"']\s*:\s*[\"'](?!sentence_transformers\.)([^\"']*)")
_TEMPLATE = re.compile(r"\{%|\{\{")


def text_of(content: Content) -> str | None:
    """Return a file's text, or None where it is none."""
    if content.size > MAX_TEXT:
        return None
    data = content.read(0, content.size)
    if _CONTROL.search(data):
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def judge(name: str, text: str) -> tuple[str, tuple[Finding, ...]]:
    """Return what kind of text a file is, and what in it is a program, or makes a loader run one."""
    lower = name.lower()
    if text.startswith("#!") or lower.endswith(_SCRIPT_NAMES) or _is_python(lower, text):
        return "program", (_refuse("program", "the file is a program; a loader might be asked to run it"),)
    keys = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    found = [finding for pattern, finding in _KEYS if pattern.search(keys)]
    if not lower.endswith(_PROSE) and _TARGET.search(keys):
        found.append(_refuse("named-call", "_target_ makes loaders call any function of Python by its name (Hydra)"))
    if (module := _foreign(keys)) is not None:
        found.append(_refuse("keras-module", f"the configuration makes Keras import {module[:80]!r}"))
    if _CLASS.search(keys) and _READS.search(keys):
        found.append(_refuse("keras-file", "the configuration makes Keras read words from a place that it names"))
    if _PARTS.fullmatch(lower) and (part := _PART.search(keys)):
        found.append(_refuse("remote-code", f"the configuration makes a loader import {part[1][:80]!r}"))
    templated = any(one.code == "chat-template" for one in found)
    if not lower.endswith(".md") and _TEMPLATE.search(text) and not templated:
        found.append(_NOTED_TEMPLATE)
        templated = lower.endswith((".jinja", ".jinja2", ".j2"))
    if templated:
        found += _dangers(lower, text)
    return "text", tuple(found)


def _foreign(text: str) -> str | None:
    """Return what a configuration of Keras 3 would make the loader import beside Keras itself."""
    if not _CLASS.search(text):
        return None
    modules = (found[1] for found in _MODULE.finditer(text))
    return next((name for name in modules if not _KERAS.fullmatch(name)), None)


def _dangers(lower: str, text: str) -> Iterator[Finding]:
    found = [text] if not lower.endswith(".json") else _templates(text)
    if len(found) > MAX_TEMPLATES:
        yield _refuse("template-danger", f"the file holds more than {MAX_TEMPLATES} templates")
    for template in found[:MAX_TEMPLATES]:
        if why := danger(template):
            yield _refuse("template-danger", why)


def _templates(text: str) -> list[str]:
    """Return every text below a key `chat_template` of a configuration; all of the file where it is no JSON."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return [text]
    found, waiting = [], [(document, False)]
    while waiting:
        value, inside = waiting.pop()
        if isinstance(value, dict):
            waiting += [(one, inside or "template" in str(key)) for key, one in value.items()]
        elif isinstance(value, list):
            waiting += [(one, inside) for one in value]
        elif inside and isinstance(value, str):
            found.append(value)
    return found


def _is_python(lower: str, text: str) -> bool:
    if lower.endswith(_DOCUMENTS):
        return False
    lines = (line.strip() for line in text.splitlines()[:1000])
    first = next((line for line in lines if line and not line.startswith(("#", '"""', "'''"))), "")
    return _PYTHON.match(first) is not None


def _refuse(code: str, text: str) -> Finding:
    return Finding(Weight.REFUSE, code, text)


_NOTED_TEMPLATE = Finding(
    Weight.NOTE,
    "chat-template",
    "the file holds a template, a program in a small language: read it before you trust it",
)
_KEYS = (
    (
        re.compile(r"[\"']auto_map[\"']\s*:"),
        _refuse("remote-code", "auto_map makes loaders that trust remote code run Python from this folder"),
    ),
    (
        re.compile(r"[\"']?trust_remote_code[\"']?\s*:\s*[\"']?(?:true|yes|on|y|1)\b", re.IGNORECASE),
        _refuse("remote-code", "trust_remote_code is switched on in a configuration"),
    ),
    (
        re.compile(r"[\"']class_name[\"']\s*:\s*[\"'](?:Lambda|__lambda__)[\"']"),
        _refuse("keras-lambda", "a Lambda layer carries compiled Python that the loader runs"),
    ),
    (
        re.compile(r"[\"']class_name[\"']\s*:\s*[\"']TorchModuleWrapper[\"']"),
        _refuse("keras-pickle", "a layer of this kind carries a pickle that the loader runs"),
    ),
    (
        re.compile(r"[\"']?\b_?attn_implementation(?:_internal)?[\"']?\s*:\s*(?:[\"'][^\"'/]*/|\{[^{}/]*/)"),
        _refuse("remote-code", "attn_implementation makes loaders fetch a program from a repository and run it"),
    ),
    (re.compile(r"!!python/|!<tag:yaml\.org,2002:python/"), _refuse("yaml-python", "YAML that builds Python objects")),
    (
        re.compile(r"[\"']custom_pipelines[\"']\s*:"),
        _refuse("remote-code", "custom_pipelines makes loaders that trust remote code run Python from this folder"),
    ),
    (re.compile(r"[\"']chat_template[\"']\s*:"), _NOTED_TEMPLATE),
)
