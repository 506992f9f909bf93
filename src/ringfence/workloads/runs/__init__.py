"""Runs: a command with sealed inputs in memory, and a signed statement of what went in and what came out."""
