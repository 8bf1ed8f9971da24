"""`DataMinimizer`: the Collect door, an NLU component that runs after the extractors.

Rules, in order:

1. Opt-out words and the core wordings of a privacy request are recognised by fixed rules, whatever the classifier said,
   in each of the bot's languages, the conversation's first; those of the other packs where the bot's classifier is not
   sure of an intent of the bot's own.
2. While an answer of ours is awaited, a reply is read by a fixed lexicon first; only a clear yes is a yes. A long text
   passes no question by, whatever a classifier makes of it.
3. What else is a privacy request the recogniser guesses, which is trained with the bot (`recogniser`), and the bot's
   classifier. A guess counts when it is sure enough and a word of the message speaks for it; one that is less sure is
   asked back about; else the next best intent of the bot's own counts, for the request that it means (`own_intents`).
4. An entity that no active purpose covers is dropped before a slot can be filled from it. Of a privacy request nothing
   but our own entities is left.

A tracker that did not come from our store has no active purposes, so nothing is collected.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from rasa_privacy.components import runtime
from rasa_privacy.components.allowed_entities import allowed_entities, dropped_places
from rasa_privacy.components.answers import (
    RESEND,
    is_too_long,
    of_a_code,
    read_answer,
    read_own_reply,
)
from rasa_privacy.components.guessing import NEVER_CERTAIN, UNSURE_BY_A_WORD, classified, guessed, offered
from rasa_privacy.components.message_intents import intent_of, set_intent
from rasa_privacy.components.naming import (
    VALUE,
    WITHDRAW,
    chosen_in,
    is_none_of_ours,
    is_value,
    named_request,
    names_in,
)
from rasa_privacy.components.own_intents import beside, meant, taken
from rasa_privacy.components.privacy_turn import open_question
from rasa_privacy.components.rasa_api import (
    DefaultV1Recipe,
    DialogueStateTracker,
    ExecutionContext,
    GraphComponent,
    Message,
    ModelStorage,
    Resource,
    TrainingData,
)
from rasa_privacy.components.recogniser import FORM, LIKELIEST
from rasa_privacy.components.recognisers import Recognisers
from rasa_privacy.components.spoken_language import HEARD, MATCHED, WRITTEN, is_open, languages_of
from rasa_privacy.components.wordings_here import claimed_by, foreign_wording, wording_here
from rasa_privacy.dialogue.lessons import lessons_hash
from rasa_privacy.dialogue.lexicon import AGREEING, Question
from rasa_privacy.dialogue.names import INTENTS, REPLIES, UNSURE
from rasa_privacy.dialogue.recognising import (
    Recognised,
    limits_a_yes,
    recognise,
    recognise_foreign,
    tells,
    written_in,
)
from rasa_privacy.dialogue.turn_view import Kind
from rasa_privacy.errors import ModelMismatchError
from rasa_privacy.minimize.kept_texts import DROPPED
from rasa_privacy.minimize.own_values import OWN_ENTITY

#: By which words each question is answered.
_QUESTIONS: Final[Mapping[Kind, Question]] = {
    "consent": "consent",
    "optional": "consent",
    "age": "consent",
    "erase": "erase",
    "contact": "consent",
    "code": "consent",
    "correct": "consent",
    "which": "erase",
}
#: Where a model keeps what the recogniser learned.
_FILE: Final = "recogniser.npz"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class DataMinimizer(GraphComponent):
    """The last component of the NLU pipeline.

    Args:
        recognisers: What was learned of free wordings; None in a model that was trained before there was one, where
            only fixed wordings and the bot's classifier count.
        storage: Where training writes what was learned.
        resource: Its name there.
    """

    def __init__(
        self,
        recognisers: Recognisers | None = None,
        storage: ModelStorage | None = None,
        resource: Resource | None = None,
    ) -> None:
        self._recognisers = recognisers
        self._storage = storage
        self._resource = resource

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "DataMinimizer":
        """Return a component that has learned nothing."""
        return cls(None, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "DataMinimizer":
        """Return the component with what it learned.

        Raises:
            ModelMismatchError: What it learned cannot be read.
        """
        running = runtime.current()
        if running is not None:
            recognise_foreign("", running.vault.policy.languages)  # the first message need not wait for wordings
            written_in("", running.vault.policy.languages)
        with model_storage.read_from(resource) as folder:
            path = folder / _FILE
            return cls(Recognisers.read(path) if path.is_file() else None, model_storage, resource)

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Make changed packs, and another way of learning from them, train the recogniser again."""
        return f"{FORM} {lessons_hash()}"

    def train(self, training_data: TrainingData) -> Resource:
        """Learn to recognise free wordings from the bot's training data, in which the packs are."""
        if self._storage is None or self._resource is None:
            raise ModelMismatchError("the minimizer was not made by Rasa; train with 'rasa train'")
        examples = [(str(each.get("text") or ""), str(each.get("intent"))) for each in training_data.intent_examples]
        learned = Recognisers.learn(examples)
        with self._storage.write_to(self._resource) as folder:
            if learned is not None:
                learned.write(folder / _FILE)
        return self._resource

    def process_training_data(self, training_data: Any) -> Any:
        """Return the training data as it is: it is the builder's, not a customer's."""
        return training_data

    def process(self, messages: list[Message], tracker: DialogueStateTracker | None = None) -> list[Message]:
        """Recognise privacy requests and drop what may not be collected."""
        for message in messages:
            self._minimize(message, tracker)
        return messages

    def _guess(  # noqa: PLR0913 - what a guess depends on
        self, message: Message, text: str, languages: Sequence[str], *, is_payload: bool, asked: bool, in_form: bool
    ) -> tuple[str, ...]:
        """Give the message the intent that its free wording is guessed to be; return what else it is or may be."""
        # Looked at only where somebody guessed, since it reads the text once more in each language.
        is_ours = cache(lambda: not is_none_of_ours(text, languages, runtime.current(), in_form=in_form))
        guess = None
        if self._recognisers is not None and not is_payload:
            guess = self._recognisers.guess(text, languages)
        if guess is not None and guess.sure >= UNSURE_BY_A_WORD and not is_ours():
            guess = None
        claimed = claimed_by(message)
        can_ask = not (asked or in_form or is_payload)
        chosen = guessed(text, guess, languages, claimed=claimed, in_form=in_form, can_ask=can_ask) or classified(
            message,
            lambda intent: is_payload or (tells(text, languages, intent) and is_ours()),
            guess,
            asked=asked,
            in_form=in_form,
        )
        is_request = chosen[0] in INTENTS and chosen[0] not in REPLIES
        own = _meant(*chosen) if not is_payload else None
        own = own if own is not None and is_ours() else None
        may_be = offered(text, guess, languages, claimed=claimed) if can_ask and not is_request else ()
        if own is not None and may_be:
            # Where the bot's classifier and the recogniser see the same, nothing is asked back.
            may_be = () if own in may_be else (own, *may_be)[:LIKELIEST]
        if may_be and guess is not None:
            chosen = UNSURE, min(guess.sure, NEVER_CERTAIN)
        else:
            chosen = taken(own, chosen[1]) or chosen
        if chosen[0] != intent_of(message):
            set_intent(message, *chosen)
        named = may_be or beside(own, guess)
        if not is_payload and (named or (chosen[0] in INTENTS and chosen[0] not in REPLIES)):
            # What the bot's own examples say is learned in every language, so the packs' words are asked as well.
            learned = guess.language if guess is not None else None
            if (written := learned or written_in(text, languages)) is not None:
                message.set(WRITTEN, written, add_to_output=True)
        return named

    def _minimize(self, message: Message, tracker: DialogueStateTracker | None) -> None:
        running = runtime.current()
        languages = languages_of(tracker, message.get("metadata"))
        text = str(message.get("text") or "")
        pending = open_question(tracker) if tracker is not None else None
        in_form = tracker is not None and tracker.active_loop_name is not None
        # A button's payload is read by Rasa after this component; what is left with a "/" was typed.
        is_payload = text.startswith("/")
        text = text.lstrip("/ ")
        question = _QUESTIONS[pending.kind] if pending is not None else None
        recognised = recognise(text, languages, question=question, in_form=in_form, in_window=runtime.in_window())
        asked = question is not None
        found = named_request(text, languages, running, tracker, asked=asked) if recognised is None else None
        if found is not None:
            recognised = Recognised(found[0].intent, found[0].language)
        told = of_a_code(text, languages, pending, tracker, _intent_in(recognised))
        if told is not None or (recognised is not None and recognised.intent == RESEND):
            recognised = Recognised(told, None) if told is not None else None
        if is_value(text, pending, running, _intent_in(recognised)):
            recognised = Recognised(VALUE, None)
        chosen = chosen_in(text, languages, pending, running, _intent_in(recognised))
        recognised = Recognised(chosen.intent, None) if chosen is not None else recognised
        if recognised is None and not is_payload:
            here = wording_here(message, text, languages, tracker) if question is None else None
            recognised = here or foreign_wording(message, text, languages, asked=asked)
        may_be: tuple[str, ...] = ()
        if recognised is not None:
            set_intent(message, recognised.intent, 1.0)
            message.set(MATCHED, recognised.language, add_to_output=True)
        else:
            may_be = self._guess(message, text, languages, is_payload=is_payload, asked=asked, in_form=in_form)
            if running is not None and question is not None and running.vault.policy.replies is not None:
                read_own_reply(message, question, running.vault.policy.replies)
            doubted = intent_of(message) in AGREEING and limits_a_yes(text, languages)
            if doubted or (question is not None and is_too_long(text, intent_of(message))):
                set_intent(message, "privacy_unclear", 1.0)
            is_telling = not (is_payload or asked) and is_open(tracker)
            if is_telling and (heard := written_in(text, languages)) is not None:
                message.set(HEARD, heard, add_to_output=True)
        named = read_answer(message, text, languages, pending, running)
        entities = list(message.get("entities") or [])
        allowed = allowed_entities(entities, message, tracker, running)
        message.set("entities", allowed, add_to_output=True)
        written = str(message.get("text") or "")
        message.set(DROPPED, dropped_places(entities, allowed, written, running), add_to_output=True)
        language = (recognised.language if recognised is not None else message.get(WRITTEN)) or languages[0]
        if running is not None and (not is_payload or intent_of(message) == WITHDRAW):
            named = named or names_in(text, intent_of(message), running.vault.policy, language)
        named = may_be or (chosen.topics if chosen else found[1] if found is not None else named)
        _name(message, named)


def _intent_in(recognised: Recognised | None) -> str | None:
    return recognised.intent if recognised is not None else None


def _meant(intent: str | None, sure: float) -> str | None:
    """Return the request that an intent of the bot's own means here, by the privacy.yml in force."""
    running = runtime.current()
    return meant(running.vault.policy, intent, sure) if running is not None else None


def _name(message: Message, named: tuple[str, ...]) -> None:
    """Say which purposes or optional items the message names, so that the action server does not need the text."""
    if not named:
        return
    entities = [*(message.get("entities") or []), *({"entity": OWN_ENTITY, "value": name} for name in named)]
    message.set("entities", entities, add_to_output=True)
