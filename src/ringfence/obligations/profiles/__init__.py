"""Industry profiles: compared, what a change would do, and the signature that puts one in force."""
