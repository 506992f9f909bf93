"""People, their keys and roles, tenants and sessions: who is asking, and may they."""
