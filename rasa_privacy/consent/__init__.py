"""Who agreed to what, and when: notices, the ledger's rules, and the state as a pure fold over records."""
