"""A store with operators of several roles, and the API on it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from rasa_privacy.access.admission import admit
from rasa_privacy.access.login import login
from rasa_privacy.access.operators import add_operator
from rasa_privacy.console.opendsr import open_opendsr
from rasa_privacy.console.verbs import make_console
from rasa_privacy.policy.operations import Role
from rasa_privacy.rights.opendsr import OpenDsr
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.asgi import Client
from tests.support.certificates import DOMAIN, write_certificate
from tests.support.databases import sql
from tests.support.operators import ROLES, cheap_hashes, hire, with_roles
from tests.support.vaults import START, Clock, clock, give, grant, settings_in

__all__ = ["cheap_hashes", "clock", "sql"]

#: One role for each verb beside those of `tests.support.operators`, as a CRM would have.
CRM = Role(items="all", may=("view", "export", "erase"), values="clear")
VALUES = {"draw": {"full_name": "Ana Li", "email": "ana@example.com"}, "newsletter": {"email": "ana@example.com"}}

HOOK = "https://consent.example/opendsr/callbacks"

#: Returns a client for the operator of a role; without a role one that has no token.
As = Callable[..., Client]


@pytest.fixture
def vault(tmp_path: Path, clock: Clock, url: str, cheap_hashes: None) -> Iterator[Vault]:  # noqa: ARG001 - a fixture that must come first
    """Return an open store with one person."""
    opened = with_roles(open_vault(replace(settings_in(tmp_path), url=url), clock))
    grant(opened, "draw", "newsletter")
    give(opened, VALUES, events=3)
    yield replace(opened, policy=msgspec.structs.replace(opened.policy, roles={**ROLES, "crm": CRM}))
    opened.close()


@pytest.fixture
def tokens(vault: Vault) -> dict[str, str]:
    """Return the tokens of an operator of each role."""
    found = hire(vault)
    officer = login(vault, found["dpo"])
    found["crm"] = add_operator(vault, admit(vault, officer, "operators"), "crm-system", ["crm"])
    return found


@pytest.fixture
def opendsr(tmp_path: Path) -> OpenDsr:
    """Return OpenDSR as an endpoints file sets it up."""
    return opendsr_in(tmp_path)


def opendsr_in(folder: Path) -> OpenDsr:
    """Write certificate and endpoints file into a folder, and return OpenDSR as they set it up."""
    certificate, key = write_certificate(folder, START, days=400)
    (folder / "endpoints.yml").write_text(
        f"privacy_api:\n  opendsr:\n    domain: {DOMAIN}\n    controller_id: northwind\n"
        f"    certificate: {certificate}\n    key: {key}\n    callbacks: [{HOOK}]\n"
    )
    found = open_opendsr(folder / "endpoints.yml", START)
    assert found is not None
    return found


@pytest.fixture
def as_role(vault: Vault, tokens: dict[str, str], opendsr: OpenDsr) -> As:
    """Return what makes clients of one and the same API."""
    app = make_console(vault, set_up=opendsr)
    return lambda role=None, address="192.0.2.7": Client(app, None if role is None else tokens[role], address)
