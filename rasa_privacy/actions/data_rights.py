"""Rights turns: show what is held, preview an erasure, erase, keep."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rasa_sdk.events import ActiveLoop, AllSlotsReset, ReminderCancelled, SlotSet

from rasa_privacy.actions.base import PrivacyAction, Reply, Turn, forget_pending
from rasa_privacy.consent.ledger import state_of
from rasa_privacy.consent.notice import name_of_item, name_of_purpose
from rasa_privacy.dialogue.turns import ERASE, KEEP, PENDING_SLOT, PREVIEW, SHOW, Pending
from rasa_privacy.errors import KeyDestroyedError, LedgerError, MalformedSegmentError, TamperedSegmentError
from rasa_privacy.rights.access import Holdings, holdings
from rasa_privacy.rights.erasure import erase
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
        """Count what is held; nothing is changed yet."""
        with store.database.read() as connection:
            held = _readable(store, connection, turn)
            subject_id = store.subjects.find(connection, turn.sender_id)
            granted = state_of(store, connection, subject_id, turn.evidence.at).granted
        if subject_id is None:
            return [Reply(turn.words("utter_privacy_nothing_stored"), [], [forget_pending()])]
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
        """Destroy everything that is held; the claim is made after it was read back."""
        if turn.intent != "privacy_confirm" or turn.pending is None or turn.pending.kind != "erase":
            raise LedgerError("no erasure was previewed; ask for it again")
        certificate = erase(store, turn.sender_id, turn.evidence)
        events = [AllSlotsReset(), forget_pending(), ActiveLoop(None), ReminderCancelled()]
        if certificate is None:
            return [Reply(turn.words("utter_privacy_nothing_stored"), [], events)]
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

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:  # noqa: ARG002 - nothing is read or changed
        """Say that nothing was deleted."""
        return [Reply(turn.words("utter_privacy_kept"), [], [forget_pending()])]


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
