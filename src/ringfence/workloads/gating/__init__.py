"""The gate before a model is served: conditions over statements, a stated verdict, and the policy that obeys it."""
