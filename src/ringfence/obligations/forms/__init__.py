"""Evidence that people state: a form per type, made from its JSON Schema, signed by a key of the person."""
