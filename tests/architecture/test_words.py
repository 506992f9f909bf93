"""Words that must not stand in the tree: hosts, machines, unfinished work, and claims that nobody can prove."""

import re

# One letter of each word stands in brackets, so that this file does not hold what it forbids.
REGISTRY = re.compile(
    r"p[y]pi\.org|p[y]thonhosted\.org|registry\.n[p]mjs|\b(?:deb|security)\.d[e]bian\.org", re.IGNORECASE
)
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:w[o]rk|f[a]rm|r[o]ot|h[o]me)/[\w.-]+")
# Paths of the guest, in the programs that make its image: no machine of anybody.
IN_GUEST = {
    "scripts/build_image.py": "/h[o]me/ringfence",
    "scripts/guest/init": "/r[o]ot/run",
    "scripts/guest/start": "/h[o]me/ringfence",
}
UNFINISHED = re.compile(r"\b(T[O]DO|F[I]XME|X[X]X|H[A]CK)\b|N[o]tImplementedError")
CLAIM = re.compile(
    r"\b(?:fully|NIS ?2|AI[- ]Act|CRA|GDPR|DORA|ISO \d+)[- ]compliant\b"
    r"|\b(?:is|are|be|becomes?|stay|you|makes you|remain)\s+(?:\w+\s+)?(?:compliant|certified)\b"
    r"|\bguarantee(?:s|d|ing)?\b"
    r"|\b(?:ensures?|proves?|achieves?)\s+(?:full\s+)?compliance\b"
    r"|\b(?:unhackable|military[- ]grade|tamper[- ]proof|bank[- ]grade|100 ?% secure)\b",
    re.IGNORECASE,
)
DENIAL = re.compile(
    r"\b(?:not?|never|nobody|nothing|cannot|neither|nor|without|none)\b|n't\b|[\"\u201c\u2018]", re.IGNORECASE
)
SHOWN = {".md", ".html", ".yaml", ".yml", ".py", ".js", ".json"}


def found(pattern, files):
    return [
        f"{file.path}:{number}: {match.group(0)}"
        for file in files
        for number, line in enumerate(file.text.splitlines(), 1)
        if (match := pattern.search(line))
    ]


def claims(files):
    """Find claims in what a person is shown; a sentence that denies or quotes one is none."""
    return [
        f"{file.path}:{number}: {match.group(0)}"
        for file in files
        if file.path.suffix in SHOWN
        and file.path.parts[0] in {"docs", "src", "README.md", "SECURITY.md", "ARCHITECTURE.md"}
        for number, line in enumerate(file.text.splitlines(), 1)
        if (match := CLAIM.search(line)) and not DENIAL.search(line)
    ]


def test_no_package_registry_is_named(texts, check):
    check(found(REGISTRY, texts))


def test_no_path_of_a_machine(texts, check):
    guest = [f"{path}:[0-9]+: {inside}" for path, inside in IN_GUEST.items()]
    check([one for one in found(MACHINE_PATH, texts) if not any(re.fullmatch(known, one) for known in guest)])


def test_nothing_is_left_unfinished(texts, check):
    ours = [file for file in texts if file.path.parts[0] in {"src", "docs", "scripts", "benchmarks"}]
    check(found(UNFINISHED, [file for file in ours if "testing" not in file.path.parts]))  # a fake may refuse a call


def test_no_claim_that_nobody_can_prove(texts, check):
    check(claims(texts))


def test_the_rules_see_what_they_forbid(sample):
    text = "see files.py*thonhosted.org and /ho*me/ada/x\nTO*DO\nRingfence is certified\n".replace("*", "")
    bad = sample("docs/x.md", text)
    assert found(REGISTRY, [bad])
    assert found(MACHINE_PATH, [bad])
    assert found(UNFINISHED, [bad])
    assert claims([bad])
    assert not claims([sample("docs/x.md", "Nobody is certified by it\n")])
