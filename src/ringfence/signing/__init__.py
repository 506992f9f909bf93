"""The keys of the services, and the one process that uses them: it signs what it may, and nothing else."""
