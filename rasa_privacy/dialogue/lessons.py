"""What the recogniser learns from: privacy requests on one side, on the other what people say to bots every day.

Requests are the examples of the packs, as they are in the bot's training data, and sentences of the fixed wordings.
Everyday messages are those of `packs/<language>.ordinary.yml` and the bot's own examples. Both sides are in
`packs/<language>.samples.yml` too, which the bot's own classifier does not see. What is held out for measuring is no
package data, so it cannot be learned from.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Final

from rasa_privacy.dialogue.names import INTENTS, REPLIES
from rasa_privacy.dialogue.packs import available_languages, load_keywords, load_ordinary, load_pack, load_samples
from rasa_privacy.dialogue.samples import samples

#: What is no privacy intent.
ORDINARY: Final = "ordinary"

#: Sentences made of each wording: the fixed ones are recognised without learning, so a few of them do.
_OF_REQUESTS: Final = 8
_OF_MESSAGES: Final = 20
_OF_SAMPLES: Final = 12
#: Learned from a fixed wording, a single word would become a sign of its own: "info" in "more info".
_ALONE: Final = "privacy_help"


def languages_in(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the languages whose packs are in the bot's training data."""
    known = set(texts)
    return tuple(language for language in available_languages() if _first_examples(language) <= known)


def lessons(examples: Sequence[tuple[str, str]], language: str) -> list[tuple[str, str]]:
    """Return texts in a language with what each is: a privacy intent, or `ORDINARY`.

    Args:
        examples: The bot's training data: texts and their intents, the packs' among them. What is in no pack may be in
            any language, so it is learned in each.
        language: A language whose pack is in it.
    """
    others = _of_other_packs(language)
    learned = [(text, intent if intent in INTENTS else ORDINARY) for text, intent in examples if text not in others]
    keywords = load_keywords(language)
    wanted = [name for name in keywords if name in INTENTS and name not in REPLIES and name != _ALONE]
    learned += [(text, name) for name in wanted for text in samples(keywords, name, _OF_REQUESTS)]
    ordinary = load_ordinary(language)
    learned += [(text, ORDINARY) for text in samples(ordinary, "messages", _OF_MESSAGES)]
    learned += [(line.strip(), ORDINARY) for line in ordinary["heard"].splitlines()]
    return learned + sampled(language)


def sampled(language: str) -> list[tuple[str, str]]:
    """Return the messages of `packs/<language>.samples.yml`, written out, with what each is."""
    held = load_samples(language)
    wanted = [name for name in held if name == ORDINARY or (name in INTENTS and name not in REPLIES)]
    return [(text, name) for name in wanted for text in samples(held, name, _OF_SAMPLES)]


def lessons_hash() -> str:
    """Return a hash of all that is learned from beside the bot's training data, so that a change trains anew."""
    files = (load_keywords, load_ordinary, load_samples)
    held = {each: [dict(load(each)) for load in files] for each in available_languages()}
    return hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()


def _first_examples(language: str) -> set[str]:
    """Return the first example of each intent of a pack."""
    return {examples[0] for examples in _examples(language)}


def _of_other_packs(language: str) -> set[str]:
    """Return the examples of the packs of all other languages that this one's pack does not have."""
    others = (each for each in available_languages() if each != language)
    return {text for each in others for texts in _examples(each) for text in texts} - {
        text for texts in _examples(language) for text in texts
    }


def _examples(language: str) -> list[list[str]]:
    """Return the examples of each intent of a pack."""
    blocks = (str(block["examples"]).splitlines() for block in load_pack(language).nlu)
    return [[line.removeprefix("- ").strip() for line in lines] for lines in blocks]
