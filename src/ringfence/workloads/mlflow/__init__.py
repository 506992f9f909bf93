"""Runs of MLflow, taken in as another system's word and handed out with our digests; its models, loaded verified."""
