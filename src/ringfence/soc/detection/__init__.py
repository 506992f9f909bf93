"""From events to findings: rules in Sigma format, routed, with our own evaluation and correlation over event time."""
