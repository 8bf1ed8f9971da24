"""Every operation of the API, in the order of its document, and the application with all of them."""

from typing import Final

import msgspec
from starlette.applications import Starlette

from rasa_privacy.console import consents, corrections, holds, outreach, people, removal, requests, state
from rasa_privacy.console.app import Limits, make_app
from rasa_privacy.console.gatekeeper import Gatekeeper
from rasa_privacy.console.handover_route import handover_routes
from rasa_privacy.console.openapi import document
from rasa_privacy.console.operation import Operation
from rasa_privacy.storage.vault import Vault

OPERATIONS: Final[tuple[Operation, ...]] = (
    *people.OPERATIONS,
    *corrections.OPERATIONS,
    *consents.OPERATIONS,
    *requests.OPERATIONS,
    *holds.OPERATIONS,
    *outreach.OPERATIONS,
    *removal.OPERATIONS,
    *state.OPERATIONS,
)
_PUBLIC: Final = ("/health", "/openapi.json")


def openapi() -> bytes:
    """Return the OpenAPI document of the API."""
    return msgspec.json.format(msgspec.json.encode(document(OPERATIONS, _PUBLIC)), indent=2)


def make_console(vault: Vault, gatekeeper: Gatekeeper | None = None, limits: Limits | None = None) -> Starlette:
    """Return the API on an open store, as an ASGI application."""
    written = openapi()
    public = (("/health", state.health), ("/openapi.json", lambda _vault: (200, written)))
    made = make_app(vault, OPERATIONS, public, gatekeeper=gatekeeper, limits=limits)
    made.router.routes.extend(handover_routes(vault))
    return made
