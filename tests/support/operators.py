"""A store with roles and operators, and hashes of tokens that cost a test nothing."""

from dataclasses import replace
from typing import ClassVar

import msgspec
import pytest
from argon2 import PasswordHasher

from rasa_privacy.access.admission import admit, admit_local
from rasa_privacy.access.login import Operator, login
from rasa_privacy.access.operators import add_operator
from rasa_privacy.crypto import tokens
from rasa_privacy.policy.operations import Role, Training
from rasa_privacy.storage.audit_record import AuditRecord
from rasa_privacy.storage.vault import Vault
from tests.support.vaults import policy

ROLES = {
    "dpo": Role(items="all", may="all", values="clear"),
    "clerk": Role(items=("email",), purposes=("draw",), may=("view", "rectify")),
    "medic": Role(items="all", may=("view",), break_glass=True),
    "mailer": Role(items=("email",), purposes=("newsletter",), may=("audience",), values="clear"),
}


class Mailbox:
    """A sender that keeps what it is given, for `privacy_sender` in endpoints.yml."""

    sent: ClassVar[list[tuple[str, str, str]]] = []

    def send(self, to: str, subject: str, text: str) -> None:
        """Keep a message."""
        self.sent.append((to, subject, text))


@pytest.fixture
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a hash take a millisecond and no memory; still argon2id."""
    let_hashes_be_cheap(monkeypatch)


def let_hashes_be_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do the same until the patches are undone."""
    monkeypatch.setattr(tokens, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def with_roles(vault: Vault, training: Training | None = None) -> Vault:
    """Return the store with roles in its privacy.yml."""
    return replace(vault, policy=msgspec.structs.replace(policy(), roles=ROLES, training=training))


def hire(vault: Vault) -> dict[str, str]:
    """Add an operator of each role, and return their tokens by role; the first is the officer."""
    token = add_operator(vault, admit_local(vault, "operators"), "olga", ["dpo"])
    officer = login(vault, token)
    others = {"clerk": "carl", "medic": "mia", "mailer": "max"}
    return {"dpo": token, **{role: _add(vault, officer, name, role) for role, name in others.items()}}


def _add(vault: Vault, officer: Operator, name: str, role: str) -> str:
    return add_operator(vault, admit(vault, officer, "operators"), name, [role])


def records(vault: Vault) -> list[AuditRecord]:
    """Return the audit log."""
    with vault.database.read() as connection:
        return [entry.record for entry in vault.audit.entries(connection)]
