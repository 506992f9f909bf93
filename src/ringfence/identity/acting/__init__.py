"""Acts that a person signs with a passkey: prepared by the server, shown in words, signed in the browser."""
