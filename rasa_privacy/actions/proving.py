"""Proof of identity in the chat: which contact, the code that went there, and what was asked for in the first place.

The question is one for a contact or a code (`Pending.kind`) whose purpose is PROOF; its `action` is what goes on after
the proof. Whether the contact is known is looked up in a thread beside the turn, so that the answer is the same and
comes as soon for everybody.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from threading import Thread
from typing import Final

from rasa_privacy.actions.base import Reply, Turn, answer_buttons
from rasa_privacy.actions.pending_events import ask_again_with, forget_pending
from rasa_privacy.components import log_scrubbing
from rasa_privacy.consent.double_opt_in import LIFETIME
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.errors import ContactError, LedgerError, OptInError, PrivacyError
from rasa_privacy.policy.contacts import PROOF
from rasa_privacy.rights.identity import ask, asked_contact, is_proven, needs_proof, prove, send_to
from rasa_privacy.rights.senders import Sender, hand_over
from rasa_privacy.storage.vault import Vault

logger = logging.getLogger(__name__)

_MINUTES: Final = str(int(LIFETIME.total_seconds() // 60))

#: Opens what sends codes in this process.
OpenSender = Callable[[], Sender]


def is_proof(pending: Pending | None) -> bool:
    """Return whether a question is about who somebody is."""
    return pending is not None and pending.purposes[:1] == (PROOF,)


def must_prove(store: Vault, turn: Turn) -> bool:
    """Return whether the person must prove who they are before they are shown anything."""
    with store.database.read() as connection:
        subject_id = store.subjects.find(connection, turn.sender_id)
        return needs_proof(store, connection, subject_id, turn.channel, turn.evidence.at)


def has_proven(store: Vault, turn: Turn) -> bool:
    """Return whether a proof was given in this conversation a short while ago, so that the others count."""
    with store.database.read() as connection:
        subject_id = store.subjects.find(connection, turn.sender_id)
        return subject_id is not None and is_proven(store, connection, subject_id, turn.evidence.at)


def ask_for_proof(turn: Turn, action: str) -> list[Reply]:
    """Ask for a contact that is on file; `action` goes on after the proof."""
    return [_question(turn, Pending("contact", action, (PROOF,)), "utter_privacy_prove")]


def proof_question(turn: Turn, pending: Pending) -> list[Reply]:
    """Ask for the contact or the code once more."""
    if pending.kind == "contact":
        return [_question(turn, pending, "utter_privacy_prove")]
    return [_question(turn, pending, "utter_privacy_proof_sent", minutes=_MINUTES)]


def send_proof(store: Vault, turn: Turn, pending: Pending, sender: OpenSender) -> list[Reply]:
    """Make a code for the contact that was named, or another one for the last, and send it where it is on file.

    Raises:
        LedgerError: No contact was asked for.
    """
    contact = turn.text if turn.intent == "privacy_contact" else _last_contact(store, turn)
    if not contact:
        if turn.intent == "privacy_contact":
            raise LedgerError("no contact was asked for; ask again")
        return ask_for_proof(turn, str(pending.action))
    log_scrubbing.remember(contact)
    fresh = replace(pending, kind="code", repeated=False)
    try:
        code = store.database.transact(
            lambda connection: ask(store, connection, turn.sender_id, contact, turn.evidence.at)
        )
    except ContactError:
        return ask_for_proof(turn, str(pending.action))
    except OptInError:
        text_contact = store.policy.controller.contact
        return [_question(turn, fresh, "utter_privacy_code_wait", contact=text_contact)]
    subject, text = _mail(store, turn, code)
    work = Thread(target=_send, args=(store, contact, subject, text, sender), name="rasa-privacy-proof", daemon=True)
    work.start()
    return [_question(turn, fresh, "utter_privacy_proof_sent", minutes=_MINUTES)]


def take_proof(store: Vault, turn: Turn, pending: Pending) -> tuple[bool, Reply]:
    """Take the code that came back; return whether it is a proof, and what to say.

    Raises:
        PrivacyError: It could not be recorded.
    """
    with store.database.read() as connection:
        waiting = asked_contact(store, connection, turn.sender_id, turn.evidence.at)
    if waiting is None:
        return False, Reply(turn.words("utter_privacy_code_over"), [], [forget_pending()])
    try:
        found = prove(store, turn.sender_id, turn.text, turn.evidence.at)
    except OptInError:
        return False, _question(turn, pending, "utter_privacy_code_wrong")
    name = "utter_privacy_proven_others" if found else "utter_privacy_proven"
    return True, Reply(turn.words(name), [], [forget_pending()])


def decline_proof(turn: Turn) -> list[Reply]:
    """Say that nothing is shown without a proof."""
    return [Reply(turn.words("utter_privacy_unproven"), [], [forget_pending()])]


def _question(turn: Turn, pending: Pending, response: str, **variables: str) -> Reply:
    buttons = answer_buttons(turn, response, pending)
    return Reply(turn.words(response, **variables), buttons, [ask_again_with(pending)])


def _last_contact(store: Vault, turn: Turn) -> str | None:
    with store.database.read() as connection:
        return asked_contact(store, connection, turn.sender_id, turn.evidence.at)


def _mail(store: Vault, turn: Turn, code: str) -> tuple[str, str]:
    controller = store.policy.controller
    about = {"controller": controller.name, "contact": controller.contact}
    return turn.phrases.say("proof_subject", controller=controller.name), turn.phrases.say(
        "proof_text", code=code, minutes=_MINUTES, **about
    )


def _send(store: Vault, contact: str, subject: str, text: str, sender: OpenSender) -> None:
    """Send a code where the contact is on file; whatever fails, the person asks again, and nobody else learns of it."""
    try:
        on_file = send_to(store, contact)
        if on_file is not None:
            log_scrubbing.remember(on_file)
            hand_over(sender(), on_file, subject, text)
    except PrivacyError:
        logger.exception("A one-time code for a proof of identity was not sent.")
