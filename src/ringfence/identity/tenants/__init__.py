"""Tenants of one installation: founded by the root, separate for ever."""
