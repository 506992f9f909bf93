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
# No text of ours has a use for these words, not even to deny them: a denial elsewhere in the line hides nothing.
NEVER = re.compile(
    r"\bc[o]mpliant\b|\bg[u]arantee(?:s|d|ing)?\b|\bc[e]rtified\b(?!: ssh-keygen| import)"
    r"|\b(?:ensures?|proves?|achieves?|shows?|NIS ?2|AI Act|CRA|GDPR|DORA)\s+(?:\w+\s+)?c[o]mpliance\b",
    re.IGNORECASE,
)
OF_KEYS = re.compile(r"\b(?:class|body:|test_)\s?C[e]rtified\b", re.IGNORECASE)  # what has a certificate, in code
BOAST = re.compile(r"\b(?:unhackable|military[- ]grade|tamper[- ]proof|bank[- ]grade|100 ?% secure)\b", re.IGNORECASE)
# What no act asks for: tamper-evident logs; and Article 52 of the AI Act, which is not the one about transparency.
MISREAD = re.compile(
    r"\b(?:law|act|regulation|directive|NIS ?2|CRA|GDPR|DORA|article \d+)\b[^.|]{0,80}"
    r"\b(?:requires?|demands?|mandates?|obliges?|asks? for)\b[^.|]{0,60}\btamper[- ](?:evident|proof|resistant)"
    r"|\bart(?:icle|\.)? ?52\b[^.|]{0,60}\btransparen"
    r"|\btransparen\w+\b[^.|]{0,60}\bart(?:icle|\.)? ?52\b",
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


def shown(files):
    """Return what a person is shown: documents, pages, data and the sentences of programs."""
    tops = {"docs", "src", "changes", "README.md", "SECURITY.md", "ARCHITECTURE.md"}
    return [file for file in files if file.path.suffix in SHOWN and file.path.parts[0] in tops]


def words(files):
    """Find words that nothing may say, whatever stands beside them."""
    return [
        f"{file.path}:{number}: {match.group(0)}"
        for file in shown(files)
        for number, line in enumerate(file.text.splitlines(), 1)
        if (match := NEVER.search(OF_KEYS.sub("", line)))
    ]


def claims(files, pattern):
    """Find claims, over the end of a line too; a sentence that denies or quotes one is none."""
    return [
        f"{file.path}: {match.group(0)}"
        for file in shown(files)
        for paragraph in re.split(r"\n\s*\n", file.text)
        for match in pattern.finditer(" ".join(paragraph.split()))
        if not DENIAL.search(_sentence(match))
    ]


def _sentence(match):
    before = re.split(r"[.!?]\s", match.string[: match.end()])
    return before[-1]


def test_no_package_registry_is_named(texts, check):
    check(found(REGISTRY, texts))


def test_no_path_of_a_machine(texts, check):
    guest = [f"{path}:[0-9]+: {inside}" for path, inside in IN_GUEST.items()]
    check([one for one in found(MACHINE_PATH, texts) if not any(re.fullmatch(known, one) for known in guest)])


def test_nothing_is_left_unfinished(texts, check):
    ours = [file for file in texts if file.path.parts[0] in {"src", "docs", "scripts", "benchmarks"}]
    check(found(UNFINISHED, [file for file in ours if "testing" not in file.path.parts]))  # a fake may refuse a call


def test_no_claim_that_nobody_can_prove(texts, check):
    check(words(texts))
    check(claims(texts, BOAST))


def test_no_law_is_said_to_ask_for_what_it_does_not(texts, check):
    check(claims(texts, MISREAD))


def test_the_rules_see_what_they_forbid(sample):
    text = "see files.py*thonhosted.org and /ho*me/ada/x\nTO*DO\nRingfence is certified\n".replace("*", "")
    bad = sample("docs/x.md", text)
    assert found(REGISTRY, [bad])
    assert found(MACHINE_PATH, [bad])
    assert found(UNFINISHED, [bad])
    for line in (
        "Ringfence is c*ertified.",
        "A status c*ompliant with NIS2 21(2).",
        "C*ertified by an authority, without effort",
        "It g*uarantees nothing less than that.",
        "It shows full c*ompliance.",
    ):
        assert words([sample("docs/x.md", line.replace("*", ""))]), line
    assert not words([sample("src/x.py", "class C*ertified(_Body):".replace("*", ""))])
    assert claims([sample("docs/x.md", "There is no other. It is unhackable.")], BOAST)
    assert not claims([sample("docs/x.md", "Nobody calls it unhackable.")], BOAST)
    for line in (
        "The AI Act requires tamper-evident logs.",
        "Article 12 asks for tamper-proof logs",
        "Article 52: transparency",
        "NIS2 requires that logs are\ntamper-evident.",
        "Transparency towards people follows from Article 52 of the AI Act.",
    ):
        assert claims([sample("docs/x.md", line)], MISREAD), line
    assert not claims([sample("docs/x.md", "The AI Act does not require tamper-evident logs.")], MISREAD)
