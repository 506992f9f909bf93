"""Runs and deployments: use cases over nodes, artifacts and the gateway."""
