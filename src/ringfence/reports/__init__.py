"""Reports: evidence packs that a stranger can check offline, and the check itself."""
