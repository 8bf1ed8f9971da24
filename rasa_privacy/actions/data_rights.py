"""Rights turns: show what is held, preview an erasure, erase, keep."""

from collections.abc import Mapping
from datetime import datetime
from threading import Thread
from typing import Any

from rasa_sdk.events import ActiveLoop, AllSlotsReset, ReminderCancelled, SlotSet

from rasa_privacy.actions.base import PrivacyAction, Reply, Turn, forget_pending
from rasa_privacy.consent.ledger import state_of
from rasa_privacy.consent.notice import name_of_item, name_of_purpose
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.dialogue.turns import ERASE, KEEP, PENDING_SLOT, PREVIEW, SHOW
from rasa_privacy.errors import HoldError, KeyDestroyedError, LedgerError, MalformedSegmentError, TamperedSegmentError
from rasa_privacy.policy.verbs import PERSON
from rasa_privacy.rights.access import Holdings, holdings
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.own_acts import note_seen, note_taken, own_act
from rasa_privacy.rights.requests import ANSWERED, NOTHING_HELD, answered, is_previewed, preview, take_back
from rasa_privacy.rights.webhooks import deliver_quietly
from rasa_privacy.storage import holds
from rasa_privacy.storage.vault import Vault


class ShowData(PrivacyAction):
    """List what is held: each item with its purpose and expiry."""

    def name(self) -> str:
        """Return the action's name."""
        return SHOW

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Read everything back and list it."""
        with store.database.read() as connection:
            held = holdings(store, connection, turn.sender_id)
            subject_id = store.subjects.find(connection, turn.sender_id)
        outcome = NOTHING_HELD if held.is_empty else ANSWERED
        store.database.transact(lambda connection: _note_access(store, connection, turn, subject_id, held, outcome))
        if held.is_empty:
            return [Reply(turn.words("utter_privacy_nothing_stored"), [], [])]
        lines = [
            turn.words(
                "utter_privacy_data_item",
                item=name_of_item(store.policy, value.item, turn.evidence.language),
                value=turn.phrases.value(value.value),
                purpose=name_of_purpose(store.policy, value.purpose, turn.evidence.language),
                expiry=_expiry(turn, value.expires),
            )
            for value in held.values
        ]
        lines.append(turn.words("utter_privacy_data_conversation", events=turn.phrases.count("events", held.events)))
        text = turn.words("utter_privacy_data", list="\n".join(lines), say_delete=turn.phrases.say("say_delete"))
        return [Reply(text, [], [])]


class PreviewErasure(PrivacyAction):
    """Say what would go and what must stay, and ask whether to erase."""

    def name(self) -> str:
        """Return the action's name."""
        return PREVIEW

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Count what is held, and open the request; nothing is deleted yet."""
        with store.database.read() as connection:
            held = _readable(store, connection, turn)
            subject_id = store.subjects.find(connection, turn.sender_id)
            granted = state_of(store, connection, subject_id, turn.evidence.at).granted
            is_held = subject_id is not None and holds.is_held(connection, subject_id)
        store.database.transact(lambda connection: _open(store, connection, turn))
        if subject_id is None:
            return [Reply(turn.words("utter_privacy_nothing_stored"), [], [forget_pending()])]
        if is_held:
            return [_held(store, turn)]
        goes = _goes(store, turn, held, granted)
        text = turn.words("utter_privacy_erase_preview", goes=goes, stays=turn.words("utter_privacy_stays"))
        return [
            Reply(
                text, turn.buttons("utter_privacy_erase_preview"), [SlotSet(PENDING_SLOT, Pending("erase").to_slot())]
            )
        ]


class Erase(PrivacyAction):
    """Erase, verify, and give the certificate number."""

    def name(self) -> str:
        """Return the action's name."""
        return ERASE

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Destroy everything that is held; the claim is made after it was read back.

        A yes that comes late, twice or from somewhere else counts as the wish to be deleted, which is previewed.
        """
        if turn.intent != "privacy_confirm":
            raise LedgerError("no erasure was previewed; ask for it again")
        if turn.pending is None or turn.pending.kind != "erase" or not _was_previewed(store, turn):
            return PreviewErasure().answer(store, turn)
        try:
            certificate = erase(store, turn.sender_id, turn.evidence, PERSON)
        except HoldError:
            return [_held(store, turn)]
        events = [AllSlotsReset(), forget_pending(), ActiveLoop(None), ReminderCancelled()]
        if certificate is None:
            return [Reply(turn.words("utter_privacy_nothing_stored"), [], events)]
        if store.policy.erasure.systems:
            Thread(target=deliver_quietly, args=(store,), name="rasa-privacy-webhooks", daemon=True).start()
        text = turn.words(
            "utter_privacy_erased",
            certificate=certificate.number,
            gone=_counts(turn, certificate.counts),
            stays=turn.words("utter_privacy_stays"),
        )
        return [Reply(text, [], events)]


class KeepData(PrivacyAction):
    """The person does not want to be erased after all."""

    def name(self) -> str:
        """Return the action's name."""
        return KEEP

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Say that nothing was deleted. Only a clear no takes the request back; else somebody has to look at it."""
        if turn.intent == "privacy_cancel":
            store.database.transact(lambda connection: _take_back(store, connection, turn))
        return [Reply(turn.words("utter_privacy_kept"), [], [forget_pending()])]


def _held(store: Vault, turn: Turn) -> Reply:
    """Tell a person under a legal hold that nothing was deleted, and why; the request stays open."""

    def note(connection: Any) -> None:
        subject_id = store.subjects.find(connection, turn.sender_id)
        note_taken(store, connection, own_act(store, "erase", subject_id, outcome="refused"))

    store.database.transact(note)
    controller = store.policy.controller
    text = turn.words(
        "utter_privacy_held", controller=controller.name, contact=controller.officer or controller.contact
    )
    return Reply(text, [], [forget_pending()])


def _note_access(  # noqa: PLR0913, PLR0917 - store, transaction, turn, whose, what, and how it ended
    store: Vault, connection: Any, turn: Turn, subject_id: bytes | None, held: Holdings, outcome: str
) -> None:
    """Put an access on record before anything is shown: the request, and what was read of whom."""
    answered(store, connection, "access", subject_id, turn.evidence.at, outcome)
    if not held.is_empty:
        counts = {"values": len(held.values), "events": held.events}
        items, purposes = (value.item for value in held.values), (value.purpose for value in held.values)
        note_seen(store, connection, own_act(store, "view", subject_id, purposes=purposes, items=items, counts=counts))


def _open(store: Vault, connection: Any, turn: Turn) -> None:
    """Open the request to be erased; for somebody of whom nothing is stored it is answered with that."""
    subject_id = store.subjects.find_for_update(connection, turn.sender_id)
    if subject_id is None:
        answered(store, connection, "erasure", None, turn.evidence.at, NOTHING_HELD)
    else:
        preview(store, connection, subject_id, turn.evidence.at)


def _was_previewed(store: Vault, turn: Turn) -> bool:
    with store.database.read() as connection:
        subject_id = store.subjects.find(connection, turn.sender_id)
        return subject_id is not None and is_previewed(connection, subject_id, turn.evidence.at)


def _take_back(store: Vault, connection: Any, turn: Turn) -> None:
    subject_id = store.subjects.find_for_update(connection, turn.sender_id)
    if subject_id is not None:
        take_back(store, connection, "erasure", subject_id, turn.evidence.at)


def _readable(store: Vault, connection: Any, turn: Turn) -> Holdings:
    """Return what is held, or nothing where it is damaged: that must still be erasable."""
    try:
        return holdings(store, connection, turn.sender_id)
    except (MalformedSegmentError, TamperedSegmentError, KeyDestroyedError):
        return Holdings((), {}, 0)


def _expiry(turn: Turn, expires: datetime | None) -> str:
    if expires is None:
        return turn.phrases.say("until_withdrawn")
    return turn.phrases.say("until_date", date=turn.phrases.day(expires))


def _conversation(turn: Turn, events: int) -> str:
    return turn.phrases.say("conversation_with_events", events=turn.phrases.count("events", events))


def _goes(store: Vault, turn: Turn, held: Holdings, granted: frozenset[str]) -> str:
    language = turn.evidence.language
    parts = list(dict.fromkeys(name_of_item(store.policy, value.item, language) for value in held.values))
    parts += [_conversation(turn, held.events)] if held.events else []
    called = [name_of_purpose(store.policy, name, language) for name in sorted(granted)]
    parts += [turn.phrases.say("your_consent", called=name) for name in called]
    return turn.phrases.listed(parts) or turn.phrases.say("this_conversation")


def _counts(turn: Turn, counts: Mapping[str, int]) -> str:
    opened = turn.phrases.count("keys", counts.get("keys", 0))
    return turn.phrases.listed([_conversation(turn, counts.get("events", 0)), opened])
