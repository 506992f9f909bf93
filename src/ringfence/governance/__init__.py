"""What the management body decides: resolutions, risks, exceptions, and what an auditor thinks."""
