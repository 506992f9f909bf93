"""`ringfence key`: the verbs, by what they are about."""
