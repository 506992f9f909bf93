"""Checks of training data: from rows to findings, a verdict by a policy, and reports that CI systems read."""
