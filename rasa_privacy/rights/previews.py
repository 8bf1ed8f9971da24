"""Previews of an erasure: that a person was told what it would do, before a yes to it counts.

A preview is a step of the person's request (`requests`), which it opens where there is none.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from rasa_privacy.rights.clocks import Kind
from rasa_privacy.rights.requests import open_request
from rasa_privacy.storage import requests
from rasa_privacy.storage.requests import AUTOMATIC, Request, Step
from rasa_privacy.storage.vault import Vault

#: `step` of a request whose person was told what an erasure would do.
PREVIEWED: Final = "previewed"
#: After that a yes is asked for anew: there may be more to delete meanwhile, or somebody else at the keyboard.
PREVIEW_LASTS: Final = timedelta(hours=1)


def preview(vault: Vault, connection: Any, subject_id: bytes, at: datetime, kind: Kind = "erasure") -> Request:
    """Note that the person was told what an erasure would do, on the request that is open or that this opens."""
    request = open_request(vault, connection, kind, subject_id, at)
    requests.add_step(connection, request.number, Step(at, PREVIEWED, AUTOMATIC, None))
    return request


def is_previewed(connection: Any, subject_id: bytes, now: datetime, kind: Kind = "erasure") -> bool:
    """Return whether the person was told what an erasure would do so recently that a yes still means it."""
    told = [
        step.at
        for request in requests.open_of(connection, subject_id)
        if request.kind == kind
        for step in requests.steps_of(connection, request.number)
        if step.step == PREVIEWED
    ]
    return bool(told) and abs(now - max(told)) <= PREVIEW_LASTS
