"""The turn that says what became of a person's requests: number, kind, date, why one takes longer, how each ended."""

from typing import Final

from rasa_privacy.actions.base import PrivacyAction, Reply, Turn
from rasa_privacy.dialogue.names import STATUS
from rasa_privacy.rights.extension import REASONS_TO_EXTEND
from rasa_privacy.rights.own_acts import note_seen, own_act
from rasa_privacy.storage import requests
from rasa_privacy.storage.requests import Request
from rasa_privacy.storage.vault import Vault

#: The newest of those that are closed; more would be no answer in a chat.
_MOST: Final = 5


class RequestStatus(PrivacyAction):
    """List the person's own requests, the open ones first."""

    def name(self) -> str:
        """Return the action's name."""
        return STATUS

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Read them; nothing is changed."""
        with store.database.read() as connection:
            subject_id = store.subjects.find(connection, turn.sender_id)
            found = requests.all_of(connection, subject_id) if subject_id is not None else []
            later = [each.number for each in found if each.is_open and each.extended_at is not None]
            because = {number: requests.extended_because(connection, number) for number in later}
        contact = store.policy.controller.officer or store.policy.controller.contact
        if not found:
            return [Reply(turn.words("utter_privacy_no_requests", contact=contact), [], [])]
        seen = own_act(store, "requests", subject_id, counts={"requests": len(found)})
        store.database.transact(lambda connection: note_seen(store, connection, seen))
        waiting = sorted((each for each in found if each.is_open), key=lambda each: each.answer_by)
        closed = [each for each in reversed(found) if not each.is_open][:_MOST]
        lines = "\n".join(_line(turn, each, because.get(each.number)) for each in (*waiting, *closed))
        return [Reply(turn.words("utter_privacy_status", list=lines, contact=contact), [], [])]


def _line(turn: Turn, request: Request, because: str | None) -> str:
    kind = turn.phrases.say(f"request_{request.kind}")
    if request.is_open:
        date = turn.phrases.day(request.answer_by)
        if because in REASONS_TO_EXTEND:
            why = turn.phrases.say(f"because_{because}")
            return turn.phrases.say("request_extended", number=request.number, kind=kind, because=why, date=date)
        return turn.phrases.say("request_open", number=request.number, kind=kind, date=date)
    state = "request_done" if request.state == "done" else "request_refused"
    if request.reason == "taken_back":
        state = "request_taken_back"
    date = turn.phrases.day(request.closed_at or request.opened_at)
    return turn.phrases.say(state, number=request.number, kind=kind, date=date)
