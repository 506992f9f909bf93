"""Threats to AI systems over their life, joined to what a tenant holds, to controls and to their evidence."""
