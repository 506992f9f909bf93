"""Secrets by their form: keys and tokens of well-known services, private keys, and assigned values of high entropy."""

import math
import re
from collections import Counter
from collections.abc import Iterator

from ringfence.artifacts.checks.masking import masked, quoted
from ringfence.artifacts.checks.model import Check, Finding, Findings, Result, Row

MAX_SCANNED = 2**20
_ENTROPY = 3.5  # bits per character of an assigned value
_SHAPES = {
    "aws-access-key": r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Z0-9])",
    "github-token": r"(?<!\w)gh[pousr]_[A-Za-z0-9]{36,255}(?!\w)|(?<!\w)github_pat_[A-Za-z0-9_]{22,255}(?!\w)",
    "gitlab-token": r"(?<!\w)glpat-[A-Za-z0-9_-]{20,64}(?![\w-])",
    "slack-token": r"(?<!\w)xox[abeoprs]-[A-Za-z0-9-]{10,250}(?!\w)",
    "stripe-key": r"(?<!\w)[rs]k_live_[A-Za-z0-9]{16,250}(?!\w)",
    "google-api-key": r"(?<!\w)AIza[A-Za-z0-9_-]{35}(?![\w-])",
    "hugging-face-token": r"(?<!\w)hf_[A-Za-z0-9]{30,64}(?!\w)",
    "npm-token": r"(?<!\w)npm_[A-Za-z0-9]{36}(?!\w)",
    "openai-key": r"(?<!\w)sk-(?:proj-|svcacct-|ant-)?[A-Za-z0-9_-]{32,250}(?![\w-])",
    "azure-storage-key": r"AccountKey=[A-Za-z0-9+/]{80,90}={0,2}",
    "json-web-token": r"(?<!\w)eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{20,2000}",
    "private-key": r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY-----",
    "age-secret-key": r"AGE-SECRET-KEY-1[A-Z0-9]{58}",
    "password-in-url": r"(?<!\w)[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{1,100}:[^\s:/@]{3,200}@[\w.-]{1,250}",
}
KINDS = (*_SHAPES, "assigned-secret")
_ALL = re.compile("|".join(f"(?P<{kind.replace('-', '_')}>{shape})" for kind, shape in _SHAPES.items()), re.ASCII)
_HINT = re.compile(
    r"AKIA|ASIA|gh[pousr]_|github_pat|glpat-|xox[abeoprs]-|k_live_|AIza|hf_|npm_|sk-|AccountKey|eyJ|-----BEGIN|AGE-S|://",
)
_ASSIGNED = re.compile(
    r"(?i:pass(?:word|wd)?|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)[\"']?\s{0,4}[:=]\s{0,4}"
    r"[\"']?([A-Za-z0-9+/_=.!@#$%^&*-]{16,200})",
    re.ASCII,
)
_ASSIGNING = re.compile(r"[:=]")


def scan(text: str) -> Iterator[tuple[str, str]]:
    """Yield kind and value of what looks like a secret."""
    if _HINT.search(text):
        for match in _ALL.finditer(text):
            yield str(match.lastgroup).replace("_", "-"), match[0]
    if _ASSIGNING.search(text):
        for match in _ASSIGNED.finditer(text):
            if entropy(match[1]) >= _ENTROPY and any(c.isdigit() for c in match[1]):
                yield "assigned-secret", match[1]


def entropy(text: str) -> float:
    """Return bits per character of a text by its own frequencies."""
    counts = Counter(text)
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values())


def looks_secret(text: str) -> bool:
    """Tell whether a text holds anything that looks like a secret."""
    return next(scan(text), None) is not None


class SecretsCheck:
    """Look through every cell."""

    def __init__(self, allowed: frozenset[str]) -> None:
        self._allowed, self._found, self._rows = allowed, Findings(), 0

    def see(self, row: Row) -> None:
        """Look at the next row."""
        self._rows += 1
        for column, value in row.cells.items():
            if not isinstance(value, str) or len(value) < 16:
                continue
            for kind, secret in scan(value[:MAX_SCANNED]):
                if kind not in self._allowed:
                    text = f"Column {quoted(column)} holds what looks like a secret ({kind}): {masked(secret)}"
                    self._found.add(Finding(f"secrets/{kind}", text, row.file, row.number, column))

    def result(self) -> Result:
        """Return what was found."""
        total = self._found.total
        reason = f"{total} values look like secrets; revoke them, then take them out" if total else ""
        return self._found.result(Check.SECRETS, reason, {"rows": self._rows, "found": total})
