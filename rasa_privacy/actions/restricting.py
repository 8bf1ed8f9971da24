"""The turns that stop the use of data while it stays (GDPR Art. 18), object to it (Art. 21), and lift that again.

Which purpose is meant is asked where the message names none and there are several. It is obeyed at once and
easily lifted, so that nobody is asked whether they are sure. While a proof of identity counts, the conversations that
it found are meant as well.
"""

from collections.abc import Sequence
from typing import Any, Final

from rasa_privacy.actions.base import PrivacyAction, Reply, Turn, asked_once_more, called, cleared, which_purpose
from rasa_privacy.actions.pending_events import forget_pending
from rasa_privacy.consent.ledger import state_of
from rasa_privacy.consent.restrictions import restricted
from rasa_privacy.dialogue.names import RESTRICT
from rasa_privacy.policy.topics import covering
from rasa_privacy.rights.identity import writing_people
from rasa_privacy.rights.own_acts import note_taken, own_act
from rasa_privacy.rights.requests import answered
from rasa_privacy.rights.standing import lift_limit, restrict
from rasa_privacy.storage.vault import Vault

LIFT: Final = "privacy_lift"
OBJECT: Final = "privacy_object"
_REQUESTS: Final = ("privacy_restrict", OBJECT, LIFT)
#: GDPR Art. 21(1) and (2): what may be objected to.
_OBJECTED: Final = ("legitimate_interests", "public_task")


class RestrictProcessing(PrivacyAction):
    """Restrict a purpose, object to it, or lift that."""

    def name(self) -> str:
        """Return the action's name."""
        return RESTRICT

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Record it, after which the gate obeys, and say what it means."""
        asked = asked_once_more(turn, _REQUESTS)
        work = _lift if asked.intent == LIFT else _restrict
        return [store.database.transact(lambda connection: work(store, connection, asked, is_said=asked is turn))]


def _restrict(store: Vault, connection: Any, turn: Turn, *, is_said: bool) -> Reply:
    people = writing_people(store, connection, turn.sender_id, turn.evidence.at)
    if not people:
        return Reply(turn.words("utter_privacy_nothing_stored"), [], [])
    wanted = _wanted(turn, _usable(store, connection, people, turn))
    if not wanted and turn.purposes:
        return Reply(turn.words("utter_privacy_not_used", called=_listed(store, turn, turn.purposes)), [], [])
    if not wanted:
        return Reply(turn.words("utter_privacy_nothing_used"), [], [])
    if not is_said or (len(wanted) > 1 and not turn.purposes):
        return which_purpose(store, turn, "utter_privacy_which_restrict", turn.intent, wanted)
    for each in people:
        restrict(store, connection, each, wanted, turn.evidence, lift=False)
    subject_id = people[0]
    kind: Final = "objection" if turn.intent == OBJECT else "restriction"
    request = answered(store, connection, kind, subject_id, turn.evidence.at)
    note_taken(store, connection, own_act(store, "restrict", subject_id, purposes=wanted))
    active = state_of(store, connection, subject_id, turn.evidence.at).active
    items = [item for name in wanted for item in store.policy.purposes[name].items]
    gone = [item for item in dict.fromkeys(items) if not covering(store.policy, item, active)]
    text = turn.words(
        "utter_privacy_restricted",
        called=_listed(store, turn, wanted),
        number=request.number,
        say_lift=turn.phrases.say("say_lift"),
    )
    return Reply(text, [], [*cleared(store, gone), forget_pending()])


def _lift(store: Vault, connection: Any, turn: Turn, *, is_said: bool) -> Reply:
    at = turn.evidence.at
    people = writing_people(store, connection, turn.sender_id, at)
    closed = {name for each in people for name in restricted(store.ledger.of_subject(connection, each), at)}
    wanted = _wanted(turn, [name for name in store.policy.purposes if name in closed])
    if not wanted:
        ended = [each for each in people if is_said and lift_limit(store, connection, each, turn.evidence)]
        if ended:
            note_taken(store, connection, own_act(store, "restrict", people[0]))
            return Reply(turn.words("utter_privacy_unlimited"), [], [])
        return Reply(turn.words("utter_privacy_not_restricted"), [], [])
    if not is_said or (len(wanted) > 1 and not turn.purposes):
        return which_purpose(store, turn, "utter_privacy_which_lift", turn.intent, wanted)
    for each in people:
        restrict(store, connection, each, wanted, turn.evidence, lift=True)
    note_taken(store, connection, own_act(store, "restrict", people[0], purposes=wanted))
    return Reply(turn.words("utter_privacy_lifted", called=_listed(store, turn, wanted)), [], [forget_pending()])


def _usable(store: Vault, connection: Any, people: Sequence[bytes], turn: Turn) -> list[str]:
    """Return the purposes whose use can be stopped: those that use data now, and first those one may object to."""
    declared = store.policy.purposes
    in_use = {name for each in people for name in _used(store, connection, each, turn)}
    used = [name for name in declared if name in in_use]
    if turn.intent == OBJECT and not turn.purposes:
        objected = [name for name in used if declared[name].basis in _OBJECTED or declared[name].marketing]
        return objected or used
    return used


def _used(store: Vault, connection: Any, subject_id: bytes, turn: Turn) -> list[str]:
    active = state_of(store, connection, subject_id, turn.evidence.at).active
    held = store.data_keys.due_of(connection, subject_id)
    declared = store.policy.purposes
    return [name for name in declared if name in active and (name in held or declared[name].basis == "consent")]


def _wanted(turn: Turn, possible: Sequence[str]) -> list[str]:
    return [name for name in possible if not turn.purposes or name in turn.purposes]


def _listed(store: Vault, turn: Turn, purposes: Sequence[str]) -> str:
    return turn.phrases.listed(called(store, turn, purpose) for purpose in purposes)
