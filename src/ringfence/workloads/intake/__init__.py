"""Models from outside: fetched by digest into quarantine, scanned there, and let in by a person's signature."""
