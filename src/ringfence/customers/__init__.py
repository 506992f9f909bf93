"""Customers: what each may rely on, what their contracts ask of us, and what they are handed; never our own status."""
