"""Every operation of the API, in the order of its document, and the application with all of them."""

from functools import cache
from typing import Final

import msgspec
from starlette.applications import Starlette

from rasa_privacy.console import (
    consents,
    corrections,
    holds,
    opendsr,
    outreach,
    people,
    removal,
    requests,
    state,
)
from rasa_privacy.console.app import Console, Limits, make_app
from rasa_privacy.console.gatekeeper import Gatekeeper
from rasa_privacy.console.handover_route import handover_routes
from rasa_privacy.console.openapi import document
from rasa_privacy.console.operation import Operation, Public, Reply, no_sender
from rasa_privacy.rights.extension import OpenSender
from rasa_privacy.rights.opendsr import OpenDsr
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
    *opendsr.OPERATIONS,
)


def _public(set_up: OpenDsr | None) -> tuple[Public, ...]:
    return (
        Public("/health", "health", state.health, problems=(503,)),
        Public("/openapi.json", "openapi", lambda _vault: Reply(openapi())),
        *opendsr.public(set_up),
    )


@cache
def openapi() -> bytes:
    """Return the OpenAPI document of the API; made once, since everybody may ask for it."""
    return msgspec.json.format(msgspec.json.encode(document(OPERATIONS, _public(None))), indent=2)


def make_console(
    vault: Vault,
    gatekeeper: Gatekeeper | None = None,
    limits: Limits | None = None,
    set_up: OpenDsr | None = None,
    open_sender: OpenSender = no_sender,
) -> Starlette:
    """Return the API on an open store, as an ASGI application.

    Args:
        vault: The open store.
        gatekeeper: Lets operators in.
        limits: What one call may cost.
        set_up: OpenDSR as it is set up, or None.
        open_sender: Opens what sends messages to people.
    """
    console = Console(vault, gatekeeper or Gatekeeper(vault), limits or Limits(), set_up, open_sender)
    made = make_app(console, OPERATIONS, _public(set_up))
    made.router.routes.extend(handover_routes(vault))
    return made
