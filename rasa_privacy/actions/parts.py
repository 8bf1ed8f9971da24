"""Deleting an item or what one purpose holds: the preview with counts and what stays, and the deletion after a yes.

While a proof of identity counts, the conversations that it found are meant as well.
"""

import json
from collections.abc import Sequence
from typing import Any

from rasa_privacy.actions.base import Reply, Turn, called, cleared
from rasa_privacy.actions.pending_events import ask_again_with, forget_pending
from rasa_privacy.consent.notice import name_of_item
from rasa_privacy.dialogue.purposes import item_topics
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.errors import HoldError
from rasa_privacy.minimize.own_values import OWN_ENTITY
from rasa_privacy.rights.identity import proven_reach, writing_people
from rasa_privacy.rights.linked import delete_part_linked
from rasa_privacy.rights.own_acts import note_taken, own_act
from rasa_privacy.rights.parts import Plan, Staying, merged, plan
from rasa_privacy.rights.previews import preview
from rasa_privacy.rights.requests import NOTHING_HELD, answered
from rasa_privacy.rights.webhooks import deliver_soon
from rasa_privacy.storage import holds
from rasa_privacy.storage.vault import Vault


def preview_part(store: Vault, turn: Turn) -> Reply:
    """Say what would go and what stays of what the message names, and ask whether to delete it."""
    found = store.database.transact(lambda connection: _plan(store, connection, turn))
    if found is None or (found.is_empty and not found.stays):
        return Reply(turn.words("utter_privacy_nothing_of_it", named=_named(store, turn)), [], [forget_pending()])
    if found.is_held:
        return held_reply(store, turn)
    stays = _stays(store, turn, found)
    if found.is_empty:
        return Reply(turn.words("utter_privacy_all_stays", stays=stays), [], [forget_pending()])
    pending = Pending("erase", purposes=turn.purposes, items=turn.items)
    text = turn.words("utter_privacy_erase_preview", goes=_goes(store, turn, found), stays=stays)
    return Reply(text, _buttons(store, turn), [ask_again_with(pending)])


def _buttons(store: Vault, turn: Turn) -> list[dict[str, str]]:
    """Return the preview's buttons; the yes names what it means, so that a late one means nothing else."""
    named = json.dumps({OWN_ENTITY: [*turn.purposes, *item_topics(store.policy, turn.items)]})
    return [
        {**button, "payload": f"{button['payload']}{named}"} if button["payload"] == "/privacy_confirm" else button
        for button in turn.buttons("utter_privacy_erase_preview")
    ]


def delete_confirmed(store: Vault, turn: Turn, pending: Pending) -> list[Reply]:
    """Delete what was previewed; what is said of it was read back."""
    try:
        here, done = delete_part_linked(store, turn.sender_id, pending.items, pending.purposes, turn.evidence)
    except HoldError:
        return [held_reply(store, turn)]
    if not done:
        return [Reply(turn.words("utter_privacy_nothing_stored"), [], [forget_pending()])]
    deliver_soon(store)
    gone = merged(each.plan for each in done)
    numbers = [each.certificate.number for each in reversed(done)]
    text = said_erased(turn, numbers, _goes(store, turn, gone), _stays(store, turn, gone))
    return [Reply(text, [], [*cleared(store, here.items if here is not None else ()), forget_pending()])]


def said_erased(turn: Turn, numbers: Sequence[str], gone: str, stays: str) -> str:
    """Return what is said of a deletion: each linked conversation has a certificate of its own."""
    name = "utter_privacy_erased" if len(numbers) == 1 else "utter_privacy_erased_several"
    return turn.words(name, certificate=turn.phrases.listed(numbers), gone=gone, stays=stays)


def held_reply(store: Vault, turn: Turn) -> Reply:
    """Tell a person under a legal hold that not all could be deleted, and why as far as it may be said.

    The request stays open.
    """

    def note(connection: Any) -> bool:
        subject_id = store.subjects.find(connection, turn.sender_id)
        note_taken(store, connection, own_act(store, "erase", subject_id, outcome="refused"))
        people = [] if subject_id is None else proven_reach(store, connection, subject_id, turn.evidence.at)
        return bool(holds.told_among(connection, people))

    is_told = store.database.transact(note)
    controller = store.policy.controller
    contact = controller.officer or controller.contact
    about = {"controller": controller.name, "contact": contact, "say_stop": turn.phrases.say("say_stop")}
    response = "utter_privacy_held" if is_told else "utter_privacy_must_stay"
    return Reply(turn.words(response, **about), [], [forget_pending()])


def _plan(store: Vault, connection: Any, turn: Turn) -> Plan | None:
    """Make the plan, and open the request; where nothing is held it is answered with that."""
    at = turn.evidence.at
    people = writing_people(store, connection, turn.sender_id, at)
    if not people:
        answered(store, connection, "item_erasure", None, at, NOTHING_HELD)
        return None
    found = merged(plan(store, connection, each, turn.items, turn.purposes, at) for each in people)
    if found.is_empty:
        answered(store, connection, "item_erasure", people[0], at, NOTHING_HELD)
    else:
        preview(store, connection, people[0], at, "item_erasure")
    return found


def _goes(store: Vault, turn: Turn, found: Plan) -> str:
    return turn.phrases.listed(going(store, turn, found))


def going(store: Vault, turn: Turn, found: Plan) -> list[str]:
    """Return what goes: items with their purposes and how many different values, and consents that end."""
    phrases, language = turn.phrases, turn.evidence.language
    parts = [
        phrases.say(
            "part_goes",
            item=name_of_item(store.policy, item, language) if item in store.policy.items else item,
            purpose=called(store, turn, purpose) if purpose in store.policy.purposes else purpose,
            values=phrases.count("values", number),
        )
        for (purpose, item), number in found.different.items()
    ]
    return [*parts, *(phrases.say("your_consent", called=called(store, turn, name)) for name in found.ends)]


def _stays(store: Vault, turn: Turn, found: Plan) -> str:
    lines = [_staying(store, turn, each) for each in found.stays]
    return turn.phrases.listed([*lines, turn.phrases.say("rest_stays")])


def _staying(store: Vault, turn: Turn, each: Staying) -> str:
    language = turn.evidence.language
    declared = store.policy.purposes.get(each.purpose)
    return turn.phrases.say(
        f"stays_{each.why}",  # stays_law, stays_other
        item=name_of_item(store.policy, each.item, language),
        purpose=called(store, turn, each.purpose),
        because=declared.because.get(language, "") if declared is not None else "",
    )


def _named(store: Vault, turn: Turn) -> str:
    items = [name_of_item(store.policy, item, turn.evidence.language) for item in turn.items]
    return turn.phrases.listed([*items, *(called(store, turn, name) for name in turn.purposes)])
