"""Data: the voice catalogue, its JSON schema, and the variants of the embedded engine."""
