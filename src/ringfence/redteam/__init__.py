"""Adversarial testing: campaigns, attempts, outcomes, and what they bound."""
