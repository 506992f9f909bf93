"""Incidents and their legal clocks: triage is signed by a person, deadlines are computed, drafts state only facts."""
