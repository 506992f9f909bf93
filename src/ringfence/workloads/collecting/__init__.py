"""Collectors: what the installation observes of itself and states, so that no person has to say it."""
