"""What leaves the bot's process: the event broker."""

from collections.abc import Iterator

from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.bot import Bot
from rasa_privacy.policy.broker_settings import BROKER_TYPE, broker_block, wrapped_broker
from rasa_privacy.policy.findings import Finding
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.suggest import shown


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
