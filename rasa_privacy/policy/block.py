"""What every block of privacy.yml is."""

import msgspec


class Block(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Common settings: frozen, and a misspelt field is an error."""
