"""What leaves the bot's process: to the event broker, to an NLG server, to the action server."""

from collections.abc import Iterator
from typing import Final

from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.action_slots import readings
from rasa_privacy.policy.bot import Bot
from rasa_privacy.policy.broker_settings import BROKER_TYPE, broker_block, wrapped_broker
from rasa_privacy.policy.findings import Finding
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.needs import Needs
from rasa_privacy.policy.suggest import shown

#: The generators of Rasa's own: over HTTP, where its request is minimised, and from the domain.
_NLG_TYPES: Final = ("callback", "response")
_DUCKLING: Final = "DucklingEntityExtractor"
#: Rasa's own lock stores: in memory, where nothing stays, and in Redis, where ours takes its place.
_LOCK_TYPES: Final = ("in_memory", "redis")


def event_broker(bot: Bot, _policy: Policy, _file: str) -> Iterator[Finding]:
    """RP027."""
    if not bot.endpoints.has("event_broker"):
        return
    kind, place = bot.endpoints.get("event_broker").get("type").text, str(bot.endpoints_file)
    if kind != BROKER_TYPE:
        named = f"is {shown(kind)}" if kind else "has no type, which means RabbitMQ"
        why = f"the event broker {named}; 'rasa export' sends it whole conversations, and erasures are not announced"
        yield Finding("RP027", place, why, f"write 'type: {BROKER_TYPE}' and put the block under 'broker'")
        return
    try:
        wrapped_broker(broker_block(bot.endpoints_file), f"{place}: event_broker")
    except ConfigurationError as error:
        place, _, why = str(error).partition(": ")  # the error's own words begin with the place
        yield Finding("RP027", place, why, "until then the server does not start")


def nlg(bot: Bot, _policy: Policy, _file: str) -> Iterator[Finding]:
    """RP028 for a generator of the bot's own."""
    kind = bot.endpoints.get("nlg").get("type").text
    if kind is not None and kind.lower() not in _NLG_TYPES:
        why = f"the generator {shown(kind)} of 'nlg' gets whole conversations, with the sender id"
        remedy = (
            "write 'nlg: {url: ...}', whose requests are minimised, or make sure that nothing of it is kept or sent"
        )
        yield Finding("RP028", str(bot.endpoints_file), why, remedy, severity="warning")


def lock_store(bot: Bot, _policy: Policy, _file: str) -> Iterator[Finding]:
    """RP028 for a lock store of the bot's own."""
    kind = bot.endpoints.get("lock_store").get("type").text
    if kind is not None and kind not in _LOCK_TYPES:
        why = f"the lock store {shown(kind)} gets sender ids as they are"
        remedy = "write 'type: redis', where a keyed hash stands for them, or make sure that it does the same"
        yield Finding("RP028", str(bot.endpoints_file), why, remedy, severity="warning")


def remote_nlu(bot: Bot, _policy: Policy, _file: str) -> Iterator[Finding]:
    """RP028 for what reads messages in another process: Rasa's extractor over HTTP, and an NLU server."""
    for word in bot.config.pipeline:
        if word.text == _DUCKLING or word.text.endswith(f".{_DUCKLING}"):
            why = f"{shown(word.text)} sends every message in full to its server"
            remedy = "write 'rasa_privacy.PrivateDuckling' with the same options, which hides what it does not need"
            yield Finding("RP028", str(word.place), why, remedy, severity="warning")
    if bot.endpoints.get("nlu").get("url").text is not None:
        why = "'nlu' names another server, which gets every message in full, and DataMinimizer does not run here"
        yield Finding("RP028", str(bot.endpoints_file), why, "remove it, and train the pipeline into this bot's model")


def unsent(bot: Bot, policy: Policy, file: str) -> Iterator[Finding]:
    """RP029."""
    forms = {name: form.required_slots for name, form in bot.domain.forms.items()}
    needs = Needs(policy, forms)
    reported: set[tuple[str, str]] = set()
    for reading in readings(bot.folder):
        item, sent = policy.item_of_slot(reading.slot), needs.of_action(reading.action)
        if item is None or sent is None or item in sent or (reading.action, item) in reported:
            continue
        reported.add((reading.action, item))
        why = f"{shown(reading.action)} reads slot {shown(reading.slot)}, and no purpose with it guards that action"
        remedy = f"it gets nothing there; name '{item}' for it under 'actions: items:' in {file}"
        yield Finding("RP029", reading.place, why, remedy, severity="warning")
