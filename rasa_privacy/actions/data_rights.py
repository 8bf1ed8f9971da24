"""Rights turns: show what is held, preview an erasure, erase, keep."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from rasa_sdk.events import ActiveLoop, AllSlotsReset, ReminderCancelled, SlotSet

from rasa_privacy.actions.base import PrivacyAction, Reply, Turn, called
from rasa_privacy.actions.parts import delete_confirmed, going, held_reply, preview_part, said_erased
from rasa_privacy.actions.pending_events import forget_pending
from rasa_privacy.actions.proving import ask_for_proof, has_proven, must_prove
from rasa_privacy.components import log_scrubbing
from rasa_privacy.consent.notice import name_of_item, name_of_purpose
from rasa_privacy.dialogue.names import ERASE, EXPORT, KEEP, PENDING_SLOT, PREVIEW, SHOW
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.errors import HoldError, LedgerError
from rasa_privacy.policy.verbs import PERSON
from rasa_privacy.rights.access import HeldValue, Holdings, holdings
from rasa_privacy.rights.clocks import Kind
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.handover import offer
from rasa_privacy.rights.identity import proven_reach, reached_senders
from rasa_privacy.rights.linked import erase_linked, holdings_linked, kept_linked
from rasa_privacy.rights.own_acts import note_seen, own_act
from rasa_privacy.rights.parts import merged, plan_all
from rasa_privacy.rights.previews import is_previewed, preview
from rasa_privacy.rights.requests import ANSWERED, NOTHING_HELD, answered, open_request, take_back
from rasa_privacy.rights.webhooks import deliver_soon
from rasa_privacy.storage.kept import Kept
from rasa_privacy.storage.requests import Request
from rasa_privacy.storage.vault import Vault


class ShowData(PrivacyAction):
    """List what is held: each item with its purpose and expiry."""

    def name(self) -> str:
        """Return the action's name."""
        return SHOW

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Read everything back and list it; from a channel that does not say who writes, after a proof of that."""
        if must_prove(store, turn):
            return ask_for_proof(turn, SHOW)
        proven = has_proven(store, turn)
        with store.database.read() as connection:
            held = (holdings_linked if proven else holdings)(store, connection, turn.sender_id)
            subject_id = store.subjects.find(connection, turn.sender_id)
        outcome = NOTHING_HELD if held.is_empty else ANSWERED
        store.database.transact(lambda connection: _note_access(store, connection, turn, subject_id, held, outcome))
        if held.is_empty:
            return [Reply(turn.words("utter_privacy_nothing_stored"), [], [])]
        # Linked conversations often hold the same, which is said once.
        lines = list(dict.fromkeys(_line(store, turn, value) for value in held.values))
        lines.append(turn.words("utter_privacy_data_conversation", events=turn.phrases.count("events", held.events)))
        offered = {"say_delete": turn.phrases.say("say_delete"), "say_copy": turn.phrases.say("say_copy")}
        return [Reply(turn.words("utter_privacy_data", list="\n".join(lines), **offered), [], [])]


class HandOver(PrivacyAction):
    """Give a link by which the person collects a copy of everything, or say that an operator hands it over."""

    def name(self) -> str:
        """Return the action's name."""
        return EXPORT

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Open the request, which is done when the copy was collected; after a proof where the channel gives none."""
        if must_prove(store, turn):
            return ask_for_proof(turn, EXPORT)
        now, language = turn.evidence.at, turn.evidence.language
        with store.database.read() as connection:
            there = store.subjects.find(connection, turn.sender_id) is not None
        if not there:
            store.database.transact(lambda conn: answered(store, conn, "portability", None, now, NOTHING_HELD))
            return [Reply(turn.words("utter_privacy_nothing_stored"), [], [])]
        if store.policy.handover is None:
            return [self._by_hand(store, turn)]
        link = store.database.transact(lambda connection: offer(store, connection, turn.sender_id, now, language))
        log_scrubbing.remember(link.token)
        until = turn.phrases.moment(link.expires_at)
        return [Reply(turn.words("utter_privacy_copy_link", link=link.url, until=until), [], [])]

    @staticmethod
    def _by_hand(store: Vault, turn: Turn) -> Reply:
        def work(connection: Any) -> Request:
            subject_id = store.subjects.find_for_update(connection, turn.sender_id)
            return open_request(store, connection, "portability", subject_id, turn.evidence.at)

        opened, controller = store.database.transact(work), store.policy.controller
        text = turn.words(
            "utter_privacy_copy_by_hand",
            controller=controller.name,
            contact=controller.contact,
            number=opened.number,
            date=turn.phrases.day(opened.answer_by),
            say_show=turn.phrases.say("say_show"),
        )
        return Reply(text, [], [])


class PreviewErasure(PrivacyAction):
    """Say what would go and what must stay, and ask whether to erase."""

    def name(self) -> str:
        """Return the action's name."""
        return PREVIEW

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Count what is held, and open the request; nothing is deleted yet."""
        if turn.items or turn.purposes:
            return [preview_part(store, turn)]
        at = turn.evidence.at
        with store.database.read() as connection:
            subject_id = store.subjects.find(connection, turn.sender_id)
            people = [] if subject_id is None else proven_reach(store, connection, subject_id, at)
            found = merged(plan_all(store, connection, each, at) for each in people)
            events = sum(store.erasures.inventory(connection, each).counts["events"] for each in people)
            kept = kept_linked(store, connection, turn.sender_id, at, links=len(people) > 1)
        store.database.transact(lambda connection: _open(store, connection, turn))
        if subject_id is None:
            return [Reply(turn.words("utter_privacy_nothing_stored"), [], [forget_pending()])]
        if found.is_held:
            return [held_reply(store, turn)]
        by_law = {each.purpose for each in kept}
        goes = {(purpose, item): number for (purpose, item), number in found.goes.items() if purpose not in by_law}
        parts = [*going(store, turn, replace(found, goes=goes)), *([_conversation(turn, events)] if events else [])]
        said = turn.phrases.listed(parts) or turn.phrases.say("this_conversation")
        text = turn.words("utter_privacy_erase_preview", goes=said, stays=_stays(store, turn, kept))
        text = "\n".join([*_which_conversations(store, turn), text])
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
        pending = turn.pending
        if pending is not None and pending.kind == "erase" and (pending.items or pending.purposes):
            if was_previewed(store, turn, "item_erasure"):
                return delete_confirmed(store, turn, pending)
            return [preview_part(store, replace(turn, items=pending.items, purposes=pending.purposes))]
        if pending is None or pending.kind != "erase" or not was_previewed(store, turn, "erasure"):
            return PreviewErasure().answer(store, turn)
        try:
            erased = erase_linked if has_proven(store, turn) else erase
            certificate = erased(store, turn.sender_id, turn.evidence, PERSON)
        except HoldError:
            return [held_reply(store, turn)]
        events = [AllSlotsReset(), forget_pending(), ActiveLoop(None), ReminderCancelled()]
        if certificate is None:
            return [Reply(turn.words("utter_privacy_nothing_stored"), [], events)]
        deliver_soon(store)
        numbers = (certificate.number, *certificate.also)
        text = said_erased(turn, numbers, _counts(turn, certificate.counts), _stays(store, turn, certificate.kept))
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


def _which_conversations(store: Vault, turn: Turn) -> list[str]:
    """Say whether an erasure is about this conversation alone, where the person may have others."""
    if store.policy.identity is None:
        return []
    if not has_proven(store, turn):
        return [turn.words("utter_privacy_erase_elsewhere")]
    with store.database.read() as connection:
        others = len(reached_senders(store, connection, turn.sender_id)) > 1
    return [turn.words("utter_privacy_erase_all")] if others else []


#: What goes on after a proof, by the name of its action.
RESUMED: Final[Mapping[str, Callable[[], PrivacyAction]]] = {SHOW: ShowData, EXPORT: HandOver}


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


def was_previewed(store: Vault, turn: Turn, kind: Kind) -> bool:
    """Return whether the person was told a short while ago what a deletion of this kind would do."""
    with store.database.read() as connection:
        subject_id = store.subjects.find(connection, turn.sender_id)
        return subject_id is not None and is_previewed(connection, subject_id, turn.evidence.at, kind)


def _take_back(store: Vault, connection: Any, turn: Turn) -> None:
    subject_id = store.subjects.find_for_update(connection, turn.sender_id)
    if subject_id is not None:
        part = turn.pending is not None and bool(turn.pending.items or turn.pending.purposes)
        take_back(store, connection, "item_erasure" if part else "erasure", subject_id, turn.evidence.at)


def _line(store: Vault, turn: Turn, value: HeldValue) -> str:
    """Return one value with all that Art. 15(1) asks for, in a line."""
    policy, language, phrases = store.policy, turn.evidence.language, turn.phrases
    declared = policy.purposes.get(value.purpose)
    said = phrases.day(value.at) if value.at is not None else ""
    return turn.words(
        "utter_privacy_data_item",
        item=name_of_item(policy, value.item, language),
        value=phrases.value(value.value),
        purpose=name_of_purpose(policy, value.purpose, language),
        basis=phrases.say(f"basis_{declared.basis}" if declared is not None else "basis_consent"),
        source=phrases.say(f"source_{value.source}", date=said),
        expiry=_expiry(turn, value.expires),
        recipients=phrases.listed(declared.recipients if declared is not None else ()) or phrases.say("nobody_else"),
    )


def _expiry(turn: Turn, expires: datetime | None) -> str:
    if expires is None:
        return turn.phrases.say("until_withdrawn")
    return turn.phrases.say("until_date", date=turn.phrases.day(expires))


def _conversation(turn: Turn, events: int) -> str:
    return turn.phrases.say("conversation_with_events", events=turn.phrases.count("events", events))


def _stays(store: Vault, turn: Turn, kept: Sequence[Kept]) -> str:
    """Return what stays of somebody who is erased: what the law keeps and until when, and what names nobody."""
    language, phrases = turn.evidence.language, turn.phrases
    until = {
        (item, each.purpose): each.until for each in sorted(kept, key=lambda one: one.until) for item in each.items
    }
    lines = [
        phrases.say(
            "stays_law",
            item=name_of_item(store.policy, item, language),
            purpose=called(store, turn, purpose),
            because=store.policy.purposes[purpose].because.get(language, ""),
        )
        + f" ({phrases.say('until_date', date=phrases.day(at))})"
        for (item, purpose), at in until.items()
    ]
    return "; ".join([*lines, turn.words("utter_privacy_stays")])


def _counts(turn: Turn, counts: Mapping[str, int]) -> str:
    opened = turn.phrases.count("keys", counts.get("keys", 0))
    return turn.phrases.listed([_conversation(turn, counts.get("events", 0)), opened])
