"""Answers to questions about privacy, from privacy.yml: what, why, how long, who sees it, where, who you are, and more.

Each answer says what privacy.yml says; where it says nothing, the answer says that, and whom to ask.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from rasa_privacy.actions.base import PrivacyAction, Reply, Turn, answer_buttons, response_of
from rasa_privacy.actions.concerning import concerned
from rasa_privacy.consent.ledger import Evidence
from rasa_privacy.consent.notice import items_in_words, name_of_purpose
from rasa_privacy.dialogue.names import EXPLAIN, MORE, UNSURE
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.retain import parse_retain
from rasa_privacy.rights.clocks import Kind
from rasa_privacy.rights.identity import proven_others
from rasa_privacy.rights.own_acts import note_taken, own_act
from rasa_privacy.rights.requests import answered, open_request
from rasa_privacy.rights.standing import do_not_sell, limit
from rasa_privacy.storage.vault import Vault

#: Wishes that are on record from the moment they are said.
_REQUESTED: Final[Mapping[str, Kind]] = {
    "privacy_complain": "complaint",
    "privacy_officer": "officer",
    "privacy_human": "human",
    "privacy_do_not_sell": "do_not_sell",
    "privacy_limit_sensitive": "limit_sensitive",
}
#: Those whose answer from privacy.yml says more than that they are on record.
_ANSWERED_TOO: Final = ("privacy_complain", "privacy_human")

#: What is recorded and obeyed at once, and what is said then.
_STANDING: Final[Mapping[str, tuple[Callable[[Vault, Any, bytes, Evidence], bool], str]]] = {
    "privacy_do_not_sell": (do_not_sell, "utter_privacy_not_sold"),
    "privacy_limit_sensitive": (limit, "utter_privacy_limited"),
}


class Explain(PrivacyAction):
    """Answer a question about privacy, or the two that a message is."""

    def name(self) -> str:
        """Return the action's name."""
        return EXPLAIN

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Answer about the purpose that is being asked for, or about all."""
        return [reply for each in (turn.intent, *turn.also) for reply in self._one(store, replace(turn, intent=each))]

    @staticmethod
    def _one(store: Vault, turn: Turn) -> list[Reply]:
        if turn.intent == MORE:
            return [Reply(turn.words("utter_privacy_more"), _more(store.policy, turn), [])]
        if turn.intent == UNSURE:
            return [Reply(turn.words("utter_privacy_unsure"), _offers(turn), [])]
        if turn.intent in _REQUESTED:
            said = store.database.transact(lambda connection: _record(store, connection, turn))
            if said is not None:
                more = [_ANSWERS[turn.intent](store.policy, turn)] if turn.intent in _ANSWERED_TOO else []
                return [Reply(text, [], []) for text in (*more, said)]
        return [Reply(_ANSWERS.get(turn.intent, _officer)(store.policy, turn), [], [])]


def _record(store: Vault, connection: Any, turn: Turn) -> str | None:
    """Open the request that a message is, so that staff see it; what can be done here is done.

    Returns:
        What to say instead of the answer from privacy.yml, or None.
    """
    evidence = turn.evidence
    if turn.intent in _STANDING:
        # Also of somebody new, as the signal of a browser: what rests on no consent would share from then on.
        known = store.subjects.find_or_create(connection, turn.sender_id, evidence.at)
        record, response = _STANDING[turn.intent]
        new = record(store, connection, known, evidence)
        for other_id in proven_others(store, connection, known, evidence.at):
            new |= record(store, connection, other_id, evidence)
        answered(store, connection, _REQUESTED[turn.intent], known, evidence.at)
        if new:
            note_taken(store, connection, own_act(store, "restrict", known))
        return turn.words(response, say_lift=turn.phrases.say("say_lift"))
    if turn.intent == "privacy_officer":
        subject_id = store.subjects.find_for_update(connection, turn.sender_id)
        answered(store, connection, "officer", subject_id, evidence.at)
        return None
    # Also of somebody new: staff answer in the conversation, which this turn stores.
    known = store.subjects.find_or_create(connection, turn.sender_id, evidence.at)
    opened = open_request(store, connection, _REQUESTED[turn.intent], known, evidence.at)
    return turn.words(
        "utter_privacy_requested",
        number=opened.number,
        date=turn.phrases.day(opened.answer_by),
        contact=_contact(store.policy),
    )


def _more(policy: Policy, turn: Turn) -> list[dict[str, str]]:
    """Return the buttons for what can be asked, after those that answer the open question."""
    response = response_of(policy, turn.pending) if turn.pending is not None else None
    shown = answer_buttons(turn, response, turn.pending) if response is not None and turn.pending is not None else []
    answers = [button for button in shown if button["payload"] != f"/{MORE}"]
    return [*answers, *turn.buttons("utter_privacy_more")]


def _offers(turn: Turn) -> list[dict[str, str]]:
    """Return a button for each request that the message may be; its title can be typed instead.

    Who types such a payload may name a request that is never offered; it has no title.
    """
    titles = {name: turn.phrases.texts.get(f"offer_{name.removeprefix('privacy_')}") for name in turn.offered}
    return [{"title": title, "payload": f"/{name}"} for name, title in titles.items() if title is not None]


def _lines(policy: Policy, turn: Turn, say: Callable[[Policy, Turn, str], str]) -> str:
    """Return a line for each purpose that is concerned, and how to hear of the others where a form runs."""
    about = concerned(policy, turn)
    called = {name: name_of_purpose(policy, name, turn.evidence.language) for name in policy.purposes}
    lines = [
        turn.phrases.say("purpose_line", called=called[name], text=say(policy, turn, name)) for name in about.purposes
    ]
    if about.others:
        others = turn.phrases.listed(called[name] for name in about.others)
        lines.append(turn.phrases.say("other_purposes", others=others))
    return "\n".join(lines)


def _reason(policy: Policy, turn: Turn, purpose: str) -> str:
    """Say what is used for a purpose and what for; and why nobody is asked, where the basis is not consent."""
    language, declared = turn.evidence.language, policy.purposes[purpose]
    because = declared.because.get(language, "") if declared.basis != "consent" else ""
    among = concerned(policy, turn).items if turn.intent == "privacy_why" else ()
    return turn.phrases.say(
        "reason_with_basis" if because else "reason",
        items=items_in_words(policy, purpose, language, among=among),
        says=declared.says[language],
        because=because,
    )


def _period(policy: Policy, turn: Turn, purpose: str) -> str:
    declared, phrases = policy.purposes[purpose], turn.phrases
    period = phrases.retention(declared.retain)
    if parse_retain(declared.retain).counts_from_use:
        period = phrases.say("after_last_use", duration=period)
    if declared.consent_lasts is None:
        return period
    return phrases.say("consent_lasts", period=period, duration=phrases.duration(declared.consent_lasts))


def _recipients(policy: Policy, turn: Turn, purpose: str) -> str:
    staff = turn.phrases.say("staff", controller=policy.controller.name)
    return turn.phrases.listed([staff, *policy.purposes[purpose].recipients])


def _contact(policy: Policy) -> str:
    return policy.controller.officer or policy.controller.contact


def _what(policy: Policy, turn: Turn) -> str:
    duration = turn.phrases.duration(policy.messages.retain)
    messages = turn.phrases.say(f"messages_{policy.messages.keep}", duration=duration)
    purposes, decisions = _lines(policy, turn, _reason), _decisions(policy, turn)
    return turn.words("utter_privacy_what", purposes=purposes, messages=messages, decisions=decisions)


def _decisions(policy: Policy, turn: Turn) -> str:
    stated = policy.automated_decisions
    if stated == "none":
        return turn.phrases.say("no_decisions")
    unknown = turn.phrases.say("not_stated", contact=_contact(policy))
    return stated.get(turn.evidence.language, unknown) if isinstance(stated, dict) else unknown


def _why(policy: Policy, turn: Turn) -> str:
    return turn.words("utter_privacy_why", reasons=_lines(policy, turn, _reason))


def _how_long(policy: Policy, turn: Turn) -> str:
    periods = _lines(policy, turn, _period)
    return turn.words("utter_privacy_how_long", periods=periods, say_delete=turn.phrases.say("say_delete"))


def _who_sees(policy: Policy, turn: Turn) -> str:
    return turn.words("utter_privacy_who_sees", recipients=_lines(policy, turn, _recipients))


def _where(policy: Policy, turn: Turn) -> str:
    language, stated = turn.evidence.language, policy.storage
    unknown = turn.phrases.say("not_stated", contact=_contact(policy))
    location = stated.location.get(language, unknown) if stated is not None else unknown
    transfers = stated.transfers.get(language, unknown) if stated is not None else unknown
    return turn.words("utter_privacy_where", location=location, transfers=transfers)


def _who_are_you(policy: Policy, turn: Turn) -> str:
    controller = policy.controller
    return turn.words(
        "utter_privacy_who_are_you",
        controller=controller.name,
        contact=controller.contact,
        policy_url=controller.policy_url,
    )


def _officer(policy: Policy, turn: Turn) -> str:
    return turn.words("utter_privacy_officer", contact=_contact(policy), policy_url=policy.controller.policy_url)


def _complain(policy: Policy, turn: Turn) -> str:
    authority = policy.controller.authority or turn.phrases.say("any_authority")
    return turn.words("utter_privacy_complain", contact=_contact(policy), authority=authority)


def _machine(policy: Policy, turn: Turn) -> str:
    return turn.words("utter_privacy_machine", controller=policy.controller.name, contact=policy.controller.contact)


def _help(policy: Policy, turn: Turn) -> str:
    controller, phrases = policy.controller, turn.phrases
    return turn.words(
        "utter_privacy_help",
        controller=controller.name,
        contact=controller.contact,
        policy_url=controller.policy_url,
        say_delete=phrases.say("say_delete"),
        say_stop=phrases.say("say_stop"),
    )


_ANSWERS: Final[Mapping[str, Callable[[Policy, Turn], str]]] = {
    "privacy_what": _what,
    "privacy_why": _why,
    "privacy_how_long": _how_long,
    "privacy_who_sees": _who_sees,
    "privacy_where": _where,
    "privacy_who_are_you": _who_are_you,
    "privacy_officer": _officer,
    "privacy_complain": _complain,
    "privacy_machine": _machine,
    "privacy_human": _officer,
    "privacy_help": _help,
}
