"""Backups of sealed datasets and models, drills that restore them: by digest, timed, stated also when they fail."""
