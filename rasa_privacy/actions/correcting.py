"""The turn that puts a wrong value right: "my email is wrong", and what is right, at once or when it is asked for.

Rules:

1. A value is checked by the item's detector where it has one. It is stored, sent on and repeated as far as `keep` goes.
2. A contact of a purpose with double opt-in must be confirmed by a code anew; until then nobody is written to there.
3. It is said to be done after the commit, when the store holds the new value and no longer the old one.
4. While a proof of identity counts, the conversations that it found and that hold the item are corrected as well. A
   code that they need is asked for there.
"""

from dataclasses import dataclass
from typing import Any

from rasa_sdk.events import SlotSet

from rasa_privacy.actions.base import PrivacyAction, Reply, Turn, called
from rasa_privacy.actions.confirming import send_code_to
from rasa_privacy.actions.pending_events import ask_again_with, forget_pending
from rasa_privacy.components import log_scrubbing
from rasa_privacy.consent.ledger import state_of
from rasa_privacy.consent.notice import name_of_item
from rasa_privacy.dialogue.names import CORRECT, REPLIES
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.errors import StorageError
from rasa_privacy.minimize.own_values import OWN_ENTITY
from rasa_privacy.minimize.single_values import single_value
from rasa_privacy.policy.topics import choice, covering
from rasa_privacy.rights.clearing import empty_log
from rasa_privacy.rights.identity import proven_reach, writing_people
from rasa_privacy.rights.own_acts import note_taken, own_act
from rasa_privacy.rights.parts import conversation_values, held_values
from rasa_privacy.rights.rectification import Place, Right, holding, places_of, put_right, to_confirm
from rasa_privacy.rights.requests import answered, open_request
from rasa_privacy.rights.webhooks import deliver_soon
from rasa_privacy.storage import holds
from rasa_privacy.storage.vault import Vault


@dataclass(frozen=True, slots=True)
class _Done:
    """A correction that was committed; `places` are the conversations."""

    kept: object
    places: tuple[Place, ...]
    to_confirm: tuple[str, ...]
    is_used: bool

    @property
    def purposes(self) -> tuple[str, ...]:
        """The purposes that hold the value."""
        return tuple(dict.fromkeys(name for place in self.places for name in place.purposes))


class Correct(PrivacyAction):
    """Put a value right, or ask what is right."""

    def name(self) -> str:
        """Return the action's name."""
        return CORRECT

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Correct what the message names; ask for the item or the value where it does not say."""
        pending = turn.pending if turn.pending is not None and turn.pending.kind == "correct" else None
        if turn.intent == "privacy_value" and pending is not None and pending.items and turn.text:
            return _correct(store, turn, pending.items[0], turn.text)
        if turn.intent != "privacy_correct" and turn.pending is not None and turn.pending.kind == "which":
            return [_which(store, turn)]
        if turn.intent != "privacy_correct":
            if pending is None or turn.intent == "privacy_refuse":
                return [Reply(turn.words("utter_privacy_not_corrected"), [], [forget_pending()])]
            # After an explanation nothing was typed that could be wrong; the question just stands.
            again = "utter_privacy_value_invalid" if turn.intent in REPLIES else "utter_privacy_ask_value"
            return [_ask(store, turn, pending.items[0], again)]
        if len(turn.items) != 1:
            return [_which(store, turn)]
        (item,) = turn.items
        return _correct(store, turn, item, turn.text) if turn.text else [_asked(store, turn, item)]


def _asked(store: Vault, turn: Turn, item: str) -> Reply:
    """Ask what is right, unless there is nothing to put right."""
    with store.database.read() as connection:
        is_there = any(holding(store, connection, each, item) for each in _people(store, connection, turn))
    return _ask(store, turn, item, "utter_privacy_ask_value") if is_there else _nothing(store, turn, item)


def _ask(store: Vault, turn: Turn, item: str, response: str) -> Reply:
    text = turn.words(response, item=name_of_item(store.policy, item, turn.evidence.language))
    return Reply(text, turn.buttons(response), [ask_again_with(Pending("correct", items=(item,)))])


def _people(store: Vault, connection: Any, turn: Turn) -> list[bytes]:
    subject_id = store.subjects.find(connection, turn.sender_id)
    return [] if subject_id is None else proven_reach(store, connection, subject_id, turn.evidence.at)


def _nothing(store: Vault, turn: Turn, item: str) -> Reply:
    called_item = name_of_item(store.policy, item, turn.evidence.language)
    return Reply(turn.words("utter_privacy_nothing_to_correct", item=called_item), [], [forget_pending()])


def _which(store: Vault, turn: Turn) -> Reply:
    """Ask which item is wrong, of those that are named or else of all that are held."""
    with store.database.read() as connection:
        held = [held_values(store, connection, each) for each in _people(store, connection, turn)]
    there = {item for purposes in held for counts in purposes.values() for item in counts}
    items = [item for item in store.policy.items if item in there and store.policy.items[item].slot is not None]
    items = [item for item in items if item in turn.items] or items
    if not items:
        return Reply(turn.words("utter_privacy_nothing_stored"), [], [forget_pending()])
    buttons = [
        {
            "title": name_of_item(store.policy, item, turn.evidence.language),
            "payload": f'/privacy_correct{{"{OWN_ENTITY}": "{choice(store.policy.purposes_using(item)[0], item)}"}}',
        }
        for item in items
    ]
    # In the middle of a question of consent, that one must not come back before this one is answered.
    repeated = turn.pending is not None and turn.pending.kind == "which" and turn.pending.repeated
    asked = Pending("which", "privacy_correct", items=tuple(items), repeated=repeated)
    return Reply(turn.words("utter_privacy_which_item"), buttons, [ask_again_with(asked)])


def _correct(store: Vault, turn: Turn, item: str, said: str) -> list[Reply]:
    declared = store.policy.items[item]
    value = single_value(said, declared.detect)
    if value is None:
        return [_ask(store, turn, item, "utter_privacy_value_invalid")]
    log_scrubbing.remember(value)
    done = store.database.transact(lambda connection: _put(store, connection, turn, item, value))
    if isinstance(done, Reply):
        return [done]
    empty_log(store)
    for place in done.places:
        _verify(store, place, item, done.kept)
    deliver_soon(store)
    text = turn.words(
        "utter_privacy_corrected",
        item=name_of_item(store.policy, item, turn.evidence.language),
        value=turn.phrases.value(done.kept),
        purposes=turn.phrases.listed(called(store, turn, name) for name in done.purposes),
    )
    events: list[dict[str, Any]] = [SlotSet(declared.slot, done.kept)] if done.is_used else []
    replies = [Reply(text, [], [*events, forget_pending()])]
    # One code at a time; for another purpose that needs one the person is asked when it is next used.
    for purpose in done.to_confirm[:1]:
        replies += send_code_to(store, turn, purpose, value)
    return replies


def _put(store: Vault, connection: Any, turn: Turn, item: str, value: str) -> _Done | Reply:
    """Put the value right within a transaction, or return what to say instead."""
    at = turn.evidence.at
    people = writing_people(store, connection, turn.sender_id, at)
    places = places_of(store, connection, people, item)
    if not places or store.policy.items[item].slot is None:
        return _nothing(store, turn, item)
    subject_id = people[0]
    if holds.held_among(connection, people):
        request = open_request(store, connection, "rectification", subject_id, at)
        note_taken(store, connection, own_act(store, "rectify", subject_id, items=[item], outcome="refused"))
        controller = store.policy.controller
        contact = controller.officer or controller.contact
        told = {"controller": controller.name, "number": request.number, "contact": contact}
        is_told = bool(holds.told_among(connection, people))
        response = "utter_privacy_held_value" if is_told else "utter_privacy_value_waits"
        return Reply(turn.words(response, **told), [], [forget_pending()])
    kept: object = None
    for place in places:
        right = Right(item, value, place.purposes)
        kept = put_right(store, connection, place.sender_id, place.subject_id, right, at)
        act = own_act(store, "rectify", place.subject_id, purposes=place.purposes, items=[item])
        note_taken(store, connection, act)
    answered(store, connection, "rectification", subject_id, at)
    active = state_of(store, connection, subject_id, at).active
    is_here = places[0].subject_id == subject_id
    is_used = is_here and bool(covering(store.policy, item, active))
    codes = to_confirm(store, connection, subject_id, item, at) if is_here else ()
    return _Done(kept, places, codes, is_used=is_used)


def _verify(store: Vault, place: Place, item: str, kept: object) -> None:
    """Read back that the purposes hold the new value and nothing else of the item.

    Raises:
        StorageError: They do not.
    """
    with store.database.read() as connection:
        found = conversation_values(store, connection, place.subject_id)
        values = [
            entry[3] for _, held in found for name in place.purposes for entry in held.get(name, ()) if entry[2] == item
        ]
    if not values or any(value != kept for value in values):
        raise StorageError("a value was corrected but reading back still finds another one; ask for it again")
