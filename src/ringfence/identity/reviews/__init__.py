"""Access reviews: somebody else looks at everybody's access, by a date, and signs each decision."""
