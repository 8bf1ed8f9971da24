"""Answers to questions about privacy, from privacy.yml: why, how long, who sees it, whom to ask."""

from rasa_privacy.actions.base import PrivacyAction, Reply, Turn
from rasa_privacy.consent.notice import items_in_words, name_of_purpose, retention_in_words
from rasa_privacy.dialogue.turns import EXPLAIN
from rasa_privacy.storage.vault import Vault


class Explain(PrivacyAction):
    """Answer one question about privacy."""

    def name(self) -> str:
        """Return the action's name."""
        return EXPLAIN

    def answer(self, store: Vault, turn: Turn) -> list[Reply]:
        """Answer about the purpose that is being asked for, or about all."""
        text = {
            "privacy_why": _why,
            "privacy_how_long": _how_long,
            "privacy_who_sees": _who_sees,
        }.get(turn.intent, _officer)(store, turn)
        return [Reply(text, [], [])]


def _concerned(store: Vault, turn: Turn) -> tuple[str, ...]:
    if turn.pending is not None and turn.pending.purposes and turn.pending.purposes[0] in store.policy.purposes:
        return turn.pending.purposes[:1]
    return tuple(store.policy.purposes)


def _lines(store: Vault, turn: Turn, line: dict[str, str]) -> str:
    language = turn.evidence.language
    return "\n".join(f"- {name_of_purpose(store.policy, name, language)}: {text}" for name, text in line.items())


def _why(store: Vault, turn: Turn) -> str:
    language, policy = turn.evidence.language, store.policy
    reasons = {
        name: f"{items_in_words(policy, name, language)}, {policy.purposes[name].says[language]}"
        for name in _concerned(store, turn)
    }
    return turn.words("utter_privacy_why", reasons=_lines(store, turn, reasons))


def _how_long(store: Vault, turn: Turn) -> str:
    policy = store.policy
    periods = {name: _period(policy.purposes[name].retain) for name in _concerned(store, turn)}
    return turn.words("utter_privacy_how_long", periods=_lines(store, turn, periods))


def _period(retain: str) -> str:
    words = retention_in_words(retain)
    return words if words.startswith("until") else f"{words} after you last used it"


def _who_sees(store: Vault, turn: Turn) -> str:
    policy = store.policy
    recipients = {
        name: ", ".join((f"{policy.controller.name} staff who need it", *policy.purposes[name].recipients))
        for name in _concerned(store, turn)
    }
    return turn.words("utter_privacy_who_sees", recipients=_lines(store, turn, recipients))


def _officer(store: Vault, turn: Turn) -> str:
    controller = store.policy.controller
    contact = controller.officer or controller.contact
    return turn.words("utter_privacy_officer", contact=contact, policy_url=controller.policy_url)
