"""A team's overrides of the rules: shown, compared, and signed where they set a control aside."""
