"""Inference: keys, deployments, receipts; the hot path is a process of its own."""
