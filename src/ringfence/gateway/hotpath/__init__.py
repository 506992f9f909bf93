"""The gateway's process: HTTP in, engines behind, a receipt for every answer."""
