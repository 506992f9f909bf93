"""How people come in: passkeys first, a passphrase with a code second, recovery codes last; and their sessions."""
