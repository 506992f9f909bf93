"""Detection and response: from a log line to a finding, and from a finding to an action."""
