"""Verifiers of attestation evidence: what a device's signature shows, claim by claim; pure, and without any network."""
