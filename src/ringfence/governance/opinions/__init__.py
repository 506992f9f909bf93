"""Opinions of auditors on controls: beside the computed status, never in its place."""
