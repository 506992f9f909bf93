"""Every relative link leads somewhere, every page is reachable, and the documentation builds without a warning."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def anchor(heading):
    """Return the anchor that a heading gets."""
    kept = re.sub(r"[^\w\- ]", "", heading.replace("`", "").strip().lower())
    return kept.replace(" ", "-")


def dead_links(pages, root):
    found = []
    for page, text in pages.items():
        for target in LINK.findall(FENCE.sub("", text)):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, fragment = target.partition("#")
            place = (root / page.parent / path).resolve() if path else root / page
            if not place.exists():
                found.append(f"{page}: {target} leads nowhere")
            elif fragment and place.suffix == ".md":
                headings = re.findall(r"^#+ (.*)$", FENCE.sub("", place.read_text(encoding="utf-8")), re.MULTILINE)
                if fragment not in {anchor(heading) for heading in headings}:
                    found.append(f"{page}: {target}: no such heading")
    return found


def test_links_lead_somewhere(pages, root, check):
    check(dead_links(pages, root))


def test_the_rule_sees_a_dead_link(tmp_path):
    (tmp_path / "b.md").write_text("# Here it is\n")
    page = {Path("a.md"): "[x](gone.md) [y](b.md#here-it-is) [z](b.md#nowhere)"}
    assert len(dead_links(page, tmp_path)) == 2


def test_the_architecture_page_lists_the_folders_that_exist(root, check):
    page = (root / "ARCHITECTURE.md").read_text()
    listed = set(re.findall(r"`([a-z_]+)/`", page.split("## The folders")[1].split("Inside a capability")[0]))
    present = {path.parent.name for path in (root / "src" / "ringfence").glob("*/__init__.py")}
    optional = {"tour"}  # a package or a module
    check(
        [f"{name}/ is not listed" for name in present - listed - optional]
        + [f"{name}/ does not exist" for name in listed - present - {"src"}]
    )


@pytest.mark.timeout(120)
def test_the_documentation_builds_without_a_warning(root, tmp_path):
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "dummy", "-d", tmp_path / "d"]
    done = subprocess.run([*command, root / "docs", tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
