"""The conversation's language in Rasa: what the minimizer noted, the slot that keeps it, and the responses by it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rasa_privacy.components import runtime
from rasa_privacy.components.rasa_api import ACTION_LISTEN_NAME, DialogueStateTracker, Event, SlotSet
from rasa_privacy.dialogue.language import choose, current_first
from rasa_privacy.dialogue.names import LANGUAGE_SLOT, LOCAL
from rasa_privacy.dialogue.packs import Pack, in_language

#: Field of the parse data in which the minimizer says in which language a fixed wording was said.
MATCHED: Final = "privacy_language"
#: The same of a request in free words.
WRITTEN: Final = "privacy_written_language"
#: The same of another message, which counts where nothing else tells.
HEARD: Final = "privacy_heard_language"


def languages_of(tracker: DialogueStateTracker | None, metadata: object) -> tuple[str, ...]:
    """Return the bot's languages, the one of a message that has just come first.

    Args:
        tracker: The conversation before the message; None where there is none.
        metadata: The message's metadata.
    """
    running = runtime.current()
    languages = running.vault.policy.languages if running is not None else ("en",)
    return current_first(languages, choose(languages, _kept(tracker), metadata, None))


def is_open(tracker: DialogueStateTracker | None) -> bool:
    """Return whether a message may tell the language: nothing has told it so far, and it answers no form."""
    return tracker is not None and _kept(tracker) is None and tracker.active_loop_name is None


def language_events(tracker: DialogueStateTracker) -> list[Event]:
    """Return the event that keeps the language of the message that has just come.

    That is where it is another than before, and where it is clear for the first time: no later message is to be heard
    then that answers nothing.
    """
    running, message = runtime.current(), tracker.latest_message
    heard = message is not None and tracker.latest_action_name == ACTION_LISTEN_NAME
    # A model that was trained before there was such a slot goes on in the bot's first language.
    if running is None or not heard or LANGUAGE_SLOT not in tracker.slots:
        return []
    languages, before = running.vault.policy.languages, _kept(tracker)
    parsed = message.parse_data or {}
    told = (parsed.get(MATCHED), parsed.get(WRITTEN), parsed.get(HEARD))
    chosen = choose(languages, before, message.metadata, *told)
    is_clear = before is None and len(languages) > 1 and chosen in (parsed.get(WRITTEN), parsed.get(HEARD))
    if chosen == choose(languages, before, None, None) and not is_clear:
        return []
    return [SlotSet(LANGUAGE_SLOT, chosen)]


def responses_of(packs: Mapping[str, Pack]) -> dict[str, list[dict[str, Any]]]:
    """Return the responses for the domain, the bot's first language first.

    What Rasa says by itself is there in every language, on the condition of the slot. The rest is for the builder to
    reword: the actions have it in every language from the packs.
    """
    first, *others = packs
    responses = {name: list(texts) for name, texts in packs[first].responses.items()}
    for name in LOCAL:
        responses[name] += _in_others({language: packs[language].responses[name] for language in others})
    return responses


def _in_others(texts: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    return [in_language(text, language) for language, variations in texts.items() for text in variations]


def _kept(tracker: DialogueStateTracker | None) -> object:
    slot = tracker.slots.get(LANGUAGE_SLOT) if tracker is not None else None
    return slot.value if slot is not None else None
