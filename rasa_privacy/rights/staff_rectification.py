"""Correcting an item of one person wherever it is held, by staff under a permit.

The role must reach every purpose that holds the item: an item is not corrected in one place and left wrong in another.
"""

from typing import Any

from rasa_privacy.access.permit import Permit
from rasa_privacy.access.recording import answering, record
from rasa_privacy.errors import AccessError, RequestError
from rasa_privacy.rights.disclosure import held_error
from rasa_privacy.rights.identity import linked_others
from rasa_privacy.rights.rectification import STAFF, Right, places_of, put_right
from rasa_privacy.rights.requests import answered
from rasa_privacy.rights.staff import there
from rasa_privacy.storage import holds
from rasa_privacy.storage.vault import Vault


def rectify(vault: Vault, sender_id: str, item: str, value: str, permit: Permit) -> tuple[str, ...]:
    """Put the right value in place of what every purpose holds of an item, and destroy the wrong one.

    Linked conversations that hold the item are corrected with it. Each gets the value as a slot, so that the bot goes
    on with it. The value is cut to what `keep` allows.

    Returns:
        The purposes that hold it.

    Raises:
        AccessError: The permit is for something else, or does not reach the item or a purpose that holds it.
        RequestError: The item is not declared, has no slot, nothing is held of it, or a legal hold keeps it as it is.
    """
    permit.require("rectify")
    declared = vault.policy.items.get(item)
    if declared is None or declared.slot is None:
        raise RequestError("privacy.yml has no item of this name with a slot; a value elsewhere cannot be corrected")
    with answering(vault, permit):
        permit.require_item(item)
        return vault.database.transact(lambda connection: _rectify(vault, connection, sender_id, item, value, permit))


def _rectify(  # noqa: PLR0913, PLR0917 - store, transaction, whose, what, and under what
    vault: Vault, connection: Any, sender_id: str, item: str, value: str, permit: Permit
) -> tuple[str, ...]:
    now = vault.clock()
    subject_id = there(vault, connection, sender_id)
    people = (subject_id, *linked_others(vault, connection, subject_id))
    using = vault.policy.purposes_using(item)
    named = {name for who in people for name, _ in vault.data_keys.wrapped_of(connection, who)}
    if not all(map(permit.covers_purpose, named.intersection(using))):  # before any key is opened
        raise AccessError("an item is corrected wherever it is held; this role does not reach every purpose of it")
    places = places_of(vault, connection, people, item)
    purposes = tuple(dict.fromkeys(name for place in places for name in place.purposes))
    if not purposes:
        raise RequestError("nothing is held of this item, so there is nothing to correct")
    if holds.held_among(connection, people):
        raise RequestError(f"what is stored stays as it is: {held_error(connection, people)}")
    for place in places:
        right = Right(item, value, place.purposes, STAFF)
        put_right(vault, connection, place.sender_id, place.subject_id, right, now)
    answered(vault, connection, "rectification", subject_id, now, actor=permit.operator)
    record(vault, connection, permit, subject_id=subject_id, purposes=purposes, items=[item])
    return purposes
