"""Which people's messages a role may hand out as training data."""

from typing import Any

import pytest

from rasa_privacy.access.permit import issue
from rasa_privacy.errors import AccessError
from rasa_privacy.rights.training_messages import Gathered, training_messages
from rasa_privacy.storage.vault import Vault
from tests.support.vaults import grant


def export(vault: Vault, purposes: frozenset[str] | None, purpose: str | None = None) -> dict[str, Any]:
    """Return what an operator whose role reaches these purposes gets."""
    permit = issue(
        operator="eva", role="trainer", verb="export", reason="", items=frozenset(), purposes=purposes, clear=False
    )
    return dict(training_messages(vault, permit, purpose, Gathered()))


def said(vault: Vault, sender: str, text: str) -> None:
    """Store a message of a sender."""
    event = {"event": "user", "timestamp": 1.0, "text": text, "parse_data": {"intent": {"name": "enter"}}}
    with vault.database.write() as conn:
        version, _ = vault.conversations.head(conn, sender)
        vault.conversations.append(conn, sender, version, [event], {}, [], vault.clock())


def test_a_role_gets_messages_of_its_purposes_alone(vault: Vault) -> None:
    """Also where no purpose is named."""
    for sender, purpose, text in (("ana", "draw", "count me in"), ("bob", "newsletter", "send me news")):
        grant(vault, purpose, sender=sender)
        said(vault, sender, text)
    assert export(vault, frozenset({"draw"})) == {"enter": {"count me in"}}
    assert export(vault, frozenset({"newsletter"})) == {"enter": {"send me news"}}
    assert export(vault, frozenset()) == {}
    assert export(vault, None) == {"enter": {"count me in", "send me news"}}
    assert export(vault, None, "draw") == {"enter": {"count me in"}}
    with pytest.raises(AccessError):
        export(vault, frozenset({"draw"}), "newsletter")
