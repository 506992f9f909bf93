"""What a person starts from the console: collectors, samples, prompts, packs."""
