"""Exceptions from controls: asked for by one person, approved by another, and always with an end."""
