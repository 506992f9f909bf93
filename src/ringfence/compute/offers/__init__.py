"""What can run here, and the order for it."""
