"""Attested key release: a dataset's key goes to a node that has shown what it runs, for minutes, and only on record."""
