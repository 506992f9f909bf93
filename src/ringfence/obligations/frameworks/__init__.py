"""Frameworks beside the law: what our controls and threats point at in them, and what nothing of ours points at."""
