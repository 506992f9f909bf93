"""Signing in at an identity provider: OpenID Connect, for people who are enrolled here already."""
