"""The rules that count beside other ones: what differs, and what the status would be by the others."""
