"""The vocabulary that every capability shares; pure, and small on purpose."""
