"""The bot's own intents that mean something to us: a request (`requests` in privacy.yml), a yes or a no (`replies`).

The names that are looked for are what bots call such intents in English, whole and no part of a longer name, so that
`report_delivery_complaint` is left to the builder.
"""

import re
from collections.abc import Iterable
from typing import Final

#: How the names of our own intents begin.
OURS: Final = "privacy_"

#: The requests that an intent of the bot's own may mean; each is the intent `privacy_<name>`.
REQUEST_NAMES: Final = (
    "human",
    "complain",
    "officer",
    "delete",
    "stop",
    "withdraw",
    "access",
    "export",
    "correct",
    "restrict",
    "object",
    "lift",
    "do_not_sell",
    "limit_sensitive",
    "status",
    "receipt",
    "forget_last",
    "what",
    "why",
    "how_long",
    "who_sees",
    "where",
    "who_are_you",
    "machine",
    "help",
)

_PERSON: Final = "(an?_|the_)?(human|person|(live_|human_)?agent|operator|representative|somebody|someone)"
_ASK: Final = "((talk|speak|chat|connect|transfer)(_me)?_(to|with)|ask_for|request|get|want|contact|need)"
_DATA: Final = "(my_|user_|personal_)*(data|information|info|account|profile)"
_LIKELY: Final = {
    "human": rf"{_ASK}_{_PERSON}|human|(human_|agent_)?hand_?(off|over)(_to_{_PERSON})?|(live|human)_agent",
    "complain": "((make|file|lodge|raise|submit)_(an?_)?)?(complain|complaint|complaints)",
    "delete": rf"(delete|erase|remove)_{_DATA}|(data|account)_(deletion|erasure)|forget_me",
    "stop": "opt_?out|unsubscribe|(stop|no_more)_(messages|messaging|contacting_me)",
    "withdraw": "(withdraw|revoke)_(my_)?consent",
    "access": "(show|see|view|access)_(my_|personal_)+(data|information|info)|what_do_you_know_about_me",
    "export": "(export|download)_(my_|personal_)*(data|information|info)",
    "correct": "(correct|change|update)_(my_|personal_)+(data|information|info|details)",
    "do_not_sell": "do_?not_sell(_my_(data|info|information|personal_information))?",
}
_PATTERNS: Final = {name: re.compile(pattern) for name, pattern in _LIKELY.items()}

#: What the bots of `rasa init` call their own yes and no.
REPLIES: Final = {"grant": "affirm", "refuse": "deny"}


def likely_requests(intents: Iterable[str]) -> dict[str, list[str]]:
    """Return the intents whose names clearly say a request of ours, by that request.

    Args:
        intents: Names of the bot's intents; ours among them are left out.
    """
    found: dict[str, list[str]] = {}
    for intent in intents:
        plain = re.sub(r"[\s\-/.]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", intent)).casefold()
        for name, pattern in _PATTERNS.items():
            if not plain.startswith(OURS) and pattern.fullmatch(plain):
                found.setdefault(name, []).append(intent)
    return found


def likely_replies(intents: Iterable[str]) -> dict[str, str]:
    """Return the intents that are the bot's own yes and no, by what they answer to us."""
    known = set(intents)
    return {meaning: intent for meaning, intent in REPLIES.items() if intent in known}
