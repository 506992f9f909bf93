"""How the documentation is built: Markdown, no extension that fetches anything, warnings are errors."""

import re
from pathlib import Path

_package = Path(__file__).parents[1] / "src" / "ringfence" / "__init__.py"
_version = re.search(r'__version__ = "([^"]+)"', _package.read_text(encoding="utf-8"))

project = "Ringfence"
author = "The Ringfence authors"
copyright = "2026, The Ringfence authors"  # noqa: A001 -- the name that Sphinx reads
release = _version[1] if _version else "unknown"

extensions = ["myst_parser"]
exclude_patterns = ["_build", "specs/vectors"]
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
# Links to files of the repository outside docs/ are checked by tests/docs/test_links.py; Sphinx cannot see them.
suppress_warnings = ["myst.xref_missing", "toc.empty_glob"]

html_theme = "furo"
html_title = f"Ringfence {release}"
html_show_sphinx = False
html_copy_source = False
