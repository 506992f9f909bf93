"""Exports for other tools: OSCAL, a statement of applicability, tables."""
