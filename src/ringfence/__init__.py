"""Run, protect and prove AI workloads: no evidence, no claim."""

__version__ = "0.1.0"
