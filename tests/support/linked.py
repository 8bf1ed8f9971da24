"""A person with several conversations."""

from dataclasses import replace

import msgspec

from rasa_privacy.policy.operations import Identity
from rasa_privacy.rights.identity import ask, prove, remember
from rasa_privacy.storage.vault import Vault
from tests.support.vaults import give, grant


def proven(vault: Vault) -> Vault:
    """Return a store in which `new` has proven to be `web` and `phone`."""
    both = replace(vault, policy=msgspec.structs.replace(vault.policy, identity=Identity()))
    for sender in ("web", "phone"):
        subject_id = grant(both, "draw", sender=sender)
        give(both, {"draw": {"full_name": f"Name of {sender}", "email": "ana@example.com"}}, sender=sender)
        entries = {"draw": [[0, [], "email", "ana@example.com"]]}
        both.database.transact(lambda conn, who=subject_id, said=entries: remember(both, conn, who, said))  # type: ignore[misc]
    grant(both, "newsletter", sender="new")
    give(both, {"newsletter": {"birthday": "1990"}}, sender="new")
    code = both.database.transact(lambda conn: ask(both, conn, "new", "ana@example.com", both.clock()))
    assert prove(both, "new", code, both.clock()) == 2
    return both
