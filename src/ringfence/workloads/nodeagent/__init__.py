"""The agent inside a measured node, which shows what runs there and keeps released keys; and the way to it."""
