"""Hand ssh its connection as `ringfence.fabric.connect` does, but without Python's `site`: ssh waits for it each time.

Run by path with `-I -S`. What it imports is the standard library, the fabric's client and the error family, and nothing
of other packages.
"""

import sys
from pathlib import Path

PACKAGES = str(Path(__file__).resolve().parents[3])


def main() -> None:
    """Make the package importable, then hand ssh its connection."""
    sys.path.append(PACKAGES)
    from ringfence.fabric import connect

    connect.main()


if __name__ == "__main__":
    main()
