"""A witness: cosigns the heads of logs of others, as long as each continues the last that it saw."""
