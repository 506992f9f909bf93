"""Fakes, and the contract suite of every port: for tests and for authors of adapters."""
