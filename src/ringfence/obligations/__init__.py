"""Obligations, the controls that serve them, and the status that evidence gives each control."""
