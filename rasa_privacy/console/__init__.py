"""The operators' HTTP API: the verbs of the command line for a CRM or a consent platform (docs/spec/api.md)."""
