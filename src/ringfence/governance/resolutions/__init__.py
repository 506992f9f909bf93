"""Resolutions of the management body: put to its members, signed by each, counted, stated."""
