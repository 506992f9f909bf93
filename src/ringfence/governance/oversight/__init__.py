"""Oversight: what the management body was told, and who of it was trained, from what people signed."""
