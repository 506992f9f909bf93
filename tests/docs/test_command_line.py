"""The documents name verbs, targets, settings and exit codes that exist, and all of them."""

import re

from ringfence.kernel import errors

BLOCK = re.compile(r"```(?:console|sh|bash)\n(.*?)```", re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
CALL = re.compile(r"(?:^|[\s;&|(/])ringfence((?: [a-z][a-z-]*)*)")
MAKE = re.compile(r"^\s*make ([a-z]+)\b")


def commands(text):
    """Return what a page tells people to type: lines of console blocks, and code spans."""
    lines = [line.strip().removeprefix("$ ") for block in BLOCK.findall(text) for line in block.splitlines()]
    return lines + SPAN.findall(BLOCK.sub("", text))


def unknown_verbs(pages, verbs):
    groups = {path[:size] for path in verbs for size in range(1, len(path) + 1)}
    return [
        f"{page}: `{command}`: there is no such verb"
        for page, text in pages.items()
        for command in commands(text)
        for words in CALL.findall(command)
        if not _leads_to_a_verb(words.split(), verbs, groups)
    ]


def _leads_to_a_verb(words, verbs, groups):
    """Follow the words into the tree; behind a verb they are arguments."""
    path = ("ringfence",)
    for word in words:
        if path in verbs:
            return True
        path = (*path, word)
        if path not in groups:
            return False
    return True


def unknown_targets(pages, makefile):
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    return [
        f"{page}: `{command}`: there is no such target"
        for page, text in pages.items()
        for command in commands(text)
        if (match := MAKE.match(command)) and match[1] not in targets
    ]


def test_every_verb_is_in_the_reference(reference):
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page(), "docs/reference/cli.md: run `make reference`"


def test_the_table_of_roles_is_what_the_policies_answer(reference):
    page = reference.ROLES.read_text(encoding="utf-8")
    assert page == reference.roles_page(), "docs/reference/roles.md: run `make reference`"
    assert len(reference.actions()) > 40


def test_every_verb_says_what_it_does(reference, verbs, check):
    page = reference.page()
    check([" ".join(path) for path in verbs if re.search(rf"^## `{' '.join(path)}`\n\n\n", page, re.MULTILINE)])


def test_documents_name_verbs_that_exist(pages, verbs, check):
    check(unknown_verbs(pages, verbs))


def test_documents_name_targets_that_exist(pages, root, check):
    check(unknown_targets(pages, (root / "Makefile").read_text()))


def test_every_target_has_a_line_of_help(root, check):
    makefile = (root / "Makefile").read_text()
    internal = {"lint", "browser"}
    check([name for name in re.findall(r"^([a-z]+):(?!.*## )", makefile, re.MULTILINE) if name not in internal])


def test_every_exit_code_is_documented(root, check):
    page = (root / "docs" / "reference" / "exit-codes.md").read_text()
    kinds = [errors.RingfenceError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    rows = [(f"| {kind.exit_code} | `{kind.slug}` |", f"| {kind.http_status} |") for kind in kinds]
    check([start for start, end in rows if not re.search(re.escape(start) + ".*" + re.escape(end), page)])


def test_every_setting_is_documented(root, check):
    page = (root / "docs" / "reference" / "settings.md").read_text()
    source = "".join(path.read_text() for path in (root / "src").rglob("*.py"))
    used = set(re.findall(r"\bRINGFENCE_[A-Z_]+\b", source + (root / "Makefile").read_text()))
    listed = set(re.findall(r"^\| `(RINGFENCE_[A-Z_]+)` \|", page, re.MULTILINE))
    check([f"{name} is not documented" for name in used - listed] + [f"{name} is not used" for name in listed - used])


def test_the_rules_see_what_is_wrong():
    pages = {"x.md": "```console\n$ ringfence conquer world\n$ make love\n```\nand `ringfence dataset burn`"}
    verbs = {("ringfence", "dataset", "seal"), ("ringfence", "verify")}
    assert len(unknown_verbs(pages, verbs)) == 2
    assert unknown_targets(pages, "run: x\n") == ["x.md: `make love`: there is no such target"]
    assert unknown_verbs({"y.md": "`ringfence verify evidence.pack` and `ringfence dataset seal a b`"}, verbs) == []


def test_every_next_step_of_the_catalogue_is_a_verb(verbs):
    from ringfence.obligations import catalog

    rules = catalog.load()
    steps = {control.next_step for control in rules.controls} | {r.next_step for r in rules.requirements.values()}
    assert len(steps) >= 8
    assert unknown_verbs({"catalogue": "\n".join(f"`{step}`" for step in sorted(steps))}, verbs) == []


def test_the_rule_sees_a_next_step_that_is_none(verbs):
    assert unknown_verbs({"catalogue": "`ringfence nothing FILE`"}, verbs)
