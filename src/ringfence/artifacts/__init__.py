"""Sealed datasets: seal, open, verify, and what is stated about them (docs/specs/sealed-dataset.md)."""
