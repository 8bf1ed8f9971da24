"""What is asked about consent: the text, the response that has its buttons, and the notices that count as shown."""

from collections.abc import Sequence
from dataclasses import dataclass

from rasa_privacy.actions.base import Turn, response_of
from rasa_privacy.consent.notice import Notice, items_in_words, name_of_item, name_of_purpose, terms_version
from rasa_privacy.dialogue.turn_view import Pending
from rasa_privacy.errors import LedgerError
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.topics import choice


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Attributes:
        text: What the person reads.
        response: The response that has the buttons.
        notices: What is recorded as shown, one for each thing that is answered.
    """

    text: str
    response: str
    notices: Sequence[Notice]


def topics_of(pending: Pending) -> list[str]:
    """Return the names under which the answer is recorded."""
    if pending.kind == "optional":
        return [choice(pending.purposes[0], item) for item in pending.items]
    return [pending.topic]


def question_of(policy: Policy, turn: Turn, pending: Pending) -> Question:
    """Return the question that waits, in full.

    Raises:
        LedgerError: It is none about consent.
    """
    response = response_of(policy, pending)
    if response is None:
        raise LedgerError(f"a question of kind '{pending.kind}' is not asked here; ask again")
    purpose, language = pending.purposes[0], turn.evidence.language
    if pending.kind == "age":
        text = turn.words(response, age=str(pending.age))
        return Question(text, response, [_notice(policy, turn, pending.topic, text)])
    named = turn.phrases.listed(name_of_item(policy, item, language) for item in pending.items)
    about = {"called": name_of_purpose(policy, purpose, language), "items": named}
    if pending.kind == "optional":
        text = turn.words(response, **about)
        return Question(text, response, [_notice(policy, turn, topic, text) for topic in topics_of(pending)])
    if pending.items:
        # The notice was shown before, and its question is still the one that is answered.
        return Question(turn.words(response, **about), response, [])
    text = _purpose_text(policy, turn, purpose, pending.action)
    return Question(text, response, [_notice(policy, turn, purpose, text)])


def _purpose_text(policy: Policy, turn: Turn, purpose: str, action: str | None) -> str:
    declared, language = policy.purposes[purpose], turn.evidence.language
    text = turn.words(
        "utter_privacy_ask",
        controller=policy.controller.name,
        called=name_of_purpose(policy, purpose, language),
        says=declared.says[language],
        items=items_in_words(policy, purpose, language, only="required"),
        retention=turn.phrases.retention(declared.retain),
        recipients=turn.phrases.listed(declared.recipients) or turn.phrases.say("nobody_else"),
        policy_url=policy.controller.policy_url,
        contact=policy.controller.contact,
    )
    bundles = [
        turn.phrases.say(
            "also_needed", called=name_of_purpose(policy, name, language), because=other.requires[purpose][language]
        )
        for name, other in policy.purposes.items()
        if purpose in other.requires and name in policy.purposes_guarding(action or "")
    ]
    return "\n".join([text, *bundles])


def _notice(policy: Policy, turn: Turn, topic: str, text: str) -> Notice:
    return Notice(topic, terms_version(policy, topic), turn.evidence.language, text)


def asked_again(policy: Policy, turn: Turn, pending: Pending) -> str:
    """Return the question in short, where its notice stands just above."""
    purpose, language = pending.purposes[0], turn.evidence.language
    return turn.words(
        "utter_privacy_ask_again",
        controller=policy.controller.name,
        says=policy.purposes[purpose].says[language],
        items=items_in_words(policy, purpose, language, only="required"),
    )
