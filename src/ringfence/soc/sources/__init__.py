"""Parsers of what sources report; none ever raises on a line."""
