"""Double opt-in in the chat: after the yes, the contact where none is on file, the one-time code, and its way back.

Rules:

1. A yes records nothing. The purpose is active only after the code came back (`consent.double_opt_in`).
2. The code goes to the contact on file, or to the one that the person answered our question with. Another one goes
   where the first went, whatever a message says; another address takes a no and a new beginning.
3. A contact that was asked for this way reaches the slot of its item after the code came back, and before that only
   where a purpose that is active lists the item anyway.
"""

import logging
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from rasa_sdk.events import SlotSet

from rasa_privacy.actions.base import PrivacyAction, Reply, Turn, answer_buttons, called
from rasa_privacy.actions.data_rights import RESUMED
from rasa_privacy.actions.pending_events import ask_again_with, forget_pending
from rasa_privacy.actions.proving import is_proof, send_proof, take_proof
from rasa_privacy.components import log_scrubbing
from rasa_privacy.consent.double_opt_in import LIFETIME, begin, confirm, waiting_contact
from rasa_privacy.consent.ledger import state_of
from rasa_privacy.dialogue.names import CONFIRM, SEND_CODE
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.errors import ContactError, LedgerError, OptInError, SenderError
from rasa_privacy.minimize.transforms import keep_part
from rasa_privacy.policy.contacts import contact_item
from rasa_privacy.policy.settings import endpoints_path
from rasa_privacy.policy.topics import covering
from rasa_privacy.rights.senders import Sender, hand_over, open_sender
from rasa_privacy.rights.suppression import STOP, lift_after_grant, suppressed
from rasa_privacy.storage import opt_in_codes
from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)

_MINUTES: Final = int(LIFETIME.total_seconds() // 60)


@lru_cache(maxsize=1)
def sender() -> Sender:
    """Return what sends codes in this process, by the endpoints.yml that the server reads."""
    return open_sender(endpoints_path())


class SendCode(PrivacyAction):
    """Send a code to the contact that the person has just named, or another one to where the last went."""

    def name(self) -> str:
        """Return the action's name."""
        return SEND_CODE

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Make the code, send it after the commit, and ask for it."""
        if turn.pending is not None and is_proof(turn.pending):
            return send_proof(store, turn, turn.pending, sender)
        if turn.intent == "privacy_contact":
            if turn.pending is None or turn.pending.kind != "contact" or not turn.text:
                raise LedgerError("no contact was asked for; ask again")
            return _send(store, turn, turn.pending, turn.text)
        pending = _code_pending(turn)
        purposes = pending.purposes if pending is not None else tuple(_waiting(store, turn))
        if not purposes:
            return [Reply(turn.words("utter_privacy_code_over"), [], [])]
        again = pending or Pending("code", None, (purposes[0],))
        contact = _waiting_contact(store, turn, purposes[0]) or _on_file(store, turn, purposes[0])
        return _ask_contact(store, turn, again) if contact is None else _send(store, turn, again, contact)


class ConfirmCode(PrivacyAction):
    """Take the code that came back."""

    def name(self) -> str:
        """Return the action's name."""
        return CONFIRM

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Record `granted` where the code is right; only after the commit the bot says so."""
        pending = _code_pending(turn)
        if pending is not None and is_proof(pending):
            return _go_on(store, turn, pending)
        purposes = [pending.purposes[0]] if pending is not None else _waiting(store, turn)
        told = "utter_privacy_code_over"
        for purpose in purposes:
            contact = _waiting_contact(store, turn, purpose)
            if contact is None:
                continue
            try:
                _confirm(store, turn, purpose, contact)
            except OptInError:
                told = "utter_privacy_code_wrong"
                continue
            text = turn.words("utter_privacy_granted", called=called(store, turn, purpose))
            return [Reply(text, [], _filled(store, turn, purpose, contact))]
        buttons = answer_buttons(turn, told, pending) if pending is not None else []
        return [Reply(turn.words(told), buttons, [])]


def _go_on(store: Vault, turn: Turn, pending: Pending) -> list[Reply]:
    """Take the code of a proof, and do what was asked for before it."""
    proven, told = take_proof(store, turn, pending)
    action = RESUMED.get(pending.action or "")
    return [told, *action().answer(store, turn)] if proven and action is not None else [told]


def confirm_by_code(store: Vault, turn: Turn, pending: Pending) -> list[Reply]:
    """After a yes to a purpose with double opt-in: send the code, or ask where to."""
    contact = _on_file(store, turn, pending.purposes[0])
    return _ask_contact(store, turn, pending) if contact is None else _send(store, turn, pending, contact)


def send_code_to(store: Vault, turn: Turn, purpose: str, contact: str) -> list[Reply]:
    """Send a code to a contact that was changed after the one before it had been confirmed."""
    return _send(store, turn, Pending("code", None, (purpose,)), contact)


def code_question(store: Vault, turn: Turn, pending: Pending) -> list[Reply] | None:
    """Return the question for contact or code where that is what is open now, else None.

    Who wants what needs the purpose while a code is on its way is asked for that code, and not once more for a yes.
    """
    if pending.kind == "contact":
        return _ask_contact(store, turn, pending)
    if pending.kind not in ("consent", "code"):
        return None
    contact = _waiting_contact(store, turn, pending.purposes[0])
    if contact is not None:
        return [_ask_code(store, turn, pending, contact, "utter_privacy_ask_code")]
    if pending.kind == "consent":
        return None
    return [Reply(turn.words("utter_privacy_code_over"), [], [forget_pending()])]


def _code_pending(turn: Turn) -> Pending | None:
    return turn.pending if turn.pending is not None and turn.pending.kind == "code" else None


def _ask_contact(store: Vault, turn: Turn, pending: Pending) -> list[Reply]:
    asked = replace(pending, kind="contact", items=())
    text = turn.words("utter_privacy_ask_contact", called=called(store, turn, pending.purposes[0]))
    return [Reply(text, answer_buttons(turn, "utter_privacy_ask_contact", asked), [ask_again_with(asked)])]


def _ask_code(store: Vault, turn: Turn, pending: Pending, contact: str, response: str) -> Reply:
    asked = replace(pending, kind="code", items=())
    text = turn.words(
        response,
        called=called(store, turn, pending.purposes[0]),
        contact=_hinted(contact),
        minutes=str(_MINUTES),
    )
    return Reply(text, answer_buttons(turn, response, asked), [ask_again_with(asked)])


def _send(store: Vault, turn: Turn, pending: Pending, contact: str) -> list[Reply]:
    """Make a code and send it after the commit."""
    log_scrubbing.remember(contact)
    purpose = pending.purposes[0]
    fresh = replace(pending, repeated=False)
    try:
        code = store.database.transact(lambda connection: _begin(store, connection, turn, purpose, contact))
    except ContactError:
        return _ask_contact(store, turn, fresh)
    except OptInError:
        there = _waiting_contact(store, turn, purpose)
        asked = replace(fresh, kind="contact" if pending.kind == "contact" and there is None else "code", items=())
        wait = turn.words("utter_privacy_code_wait", contact=store.policy.controller.contact)
        return [Reply(wait, answer_buttons(turn, "utter_privacy_code_wait", asked), [ask_again_with(asked)])]
    response = "utter_privacy_code_sent"
    subject, text = _mail(store, turn, purpose, code)
    try:
        hand_over(sender(), contact, subject, text)
    except SenderError:
        logger.exception("A one-time code was not sent; the person is told so.")
        response = "utter_privacy_code_failed"
    reply = _ask_code(store, turn, fresh, contact, response)
    reply.events += _shared(store, turn, purpose, contact)
    return [reply]


def _begin(store: Vault, connection: Any, turn: Turn, purpose: str, contact: str) -> str:
    subject_id = store.subjects.find_for_update(connection, turn.sender_id)
    if subject_id is None:
        raise LedgerError("the person was not asked; ask again")
    known = opt_in_codes.find(connection, subject_id, purpose)
    if known is not None and known.is_confirmed:
        raise LedgerError("the contact is confirmed already; no code is needed")
    # The person's own STOP is lifted by the yes that the code will confirm; what others suppressed is not.
    if suppressed(store, connection, None, [contact]) not in (None, STOP):
        raise OptInError("the contact must not be written to")
    return begin(store, connection, subject_id, purpose, contact, turn.evidence.at)


def _confirm(store: Vault, turn: Turn, purpose: str, contact: str) -> None:
    with store.database.read() as connection:
        subject_id = store.subjects.find(connection, turn.sender_id)
    if subject_id is None:
        raise OptInError("the person is not known any more; begin anew")

    def lift(connection: Any) -> None:
        lift_after_grant(store, connection, turn.sender_id, purpose)

    confirm(store, subject_id, purpose, contact, turn.text, turn.evidence, also=lift)


def _waiting(store: Vault, turn: Turn) -> list[str]:
    """Return the purposes for which a code waits, in the order of privacy.yml."""
    with store.database.read() as connection:
        subject_id = store.subjects.find(connection, turn.sender_id)
        waiting = state_of(store, connection, subject_id, turn.evidence.at).waiting
    return [name for name in store.policy.purposes if name in waiting]


def _waiting_contact(store: Vault, turn: Turn, purpose: str) -> str | None:
    with store.database.read() as connection:
        subject_id = store.subjects.find(connection, turn.sender_id)
        if subject_id is None:
            return None
        return waiting_contact(store, connection, subject_id, purpose, turn.evidence.at)


def _on_file(store: Vault, turn: Turn, purpose: str) -> str | None:
    """Return the contact that the conversation holds for a purpose that is active."""
    item = contact_item(store.policy, purpose)
    value = turn.slots.get(store.policy.items[item].slot or "") if item is not None else None
    return value if isinstance(value, str) and value else None


def _shared(store: Vault, turn: Turn, purpose: str, contact: str) -> list[dict[str, Any]]:
    """Return the event that fills the item's slot where an active purpose lists it."""
    item = contact_item(store.policy, purpose)
    with store.database.read() as connection:
        subject_id = store.subjects.find(connection, turn.sender_id)
        active = state_of(store, connection, subject_id, turn.evidence.at).active
    return _filled(store, turn, purpose, contact) if item and covering(store.policy, item, active) else []


def _filled(store: Vault, turn: Turn, purpose: str, contact: str) -> list[dict[str, Any]]:
    """Return the event that fills the item's slot where it is empty."""
    item = contact_item(store.policy, purpose)
    slot = store.policy.items[item].slot if item is not None else None
    return [SlotSet(slot, contact)] if slot is not None and turn.slots.get(slot) is None else []


def _hinted(contact: str) -> str:
    """Return enough of a contact for its owner: an address keeps its domain."""
    name, sign, domain = contact.rpartition("@")
    return f"{name[:1]}***@{domain}" if sign else str(keep_part(contact, "masked"))


def _mail(store: Vault, turn: Turn, purpose: str, code: str) -> tuple[str, str]:
    """Return subject and text."""
    name, controller = called(store, turn, purpose), store.policy.controller
    about = {"called": name, "controller": controller.name, "contact": controller.contact}
    text = turn.phrases.say("code_text", code=code, minutes=str(_MINUTES), **about)
    return turn.phrases.say("code_subject", called=name), text
