"""The store that these tests share."""

from tests.support.vaults import clock, sql, vault

__all__ = ["clock", "sql", "vault"]
