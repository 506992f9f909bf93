"""Nodes: rented sandboxes and hosts of one's own, started, reached, cut off and released."""
