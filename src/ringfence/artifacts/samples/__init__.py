"""Training samples from a sealed dataset: which part each worker reads, in which order, and where it stopped."""
