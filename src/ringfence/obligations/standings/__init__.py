"""Which provisions bind a tenant, which will, which come by contract, which do not, and which controls serve each."""
