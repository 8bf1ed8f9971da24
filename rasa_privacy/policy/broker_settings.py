"""The block `event_broker:` of endpoints.yml, as far as it concerns what leaves the process."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.endpoints_file import read_endpoints
from rasa_privacy.policy.key_settings import known_only

BROKER_TYPE: Final = "rasa_privacy.PrivateEventBroker"


def wrapped_broker(block: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the settings of the broker that ours publishes through.

    Args:
        block: The block `event_broker:`, with or without `type`.
        where: The place to name in messages, for example `endpoints.yml: event_broker`.

    Raises:
        ConfigurationError: `broker` is missing, is ours again, or there are other keys. No value is quoted.
    """
    known_only(block, ("type", "broker"), where)
    inner = block.get("broker")
    if not isinstance(inner, Mapping) or not isinstance(inner.get("type"), str):
        raise ConfigurationError(
            f"{where}: 'broker' must name the broker to publish through, as Rasa knows it; write for example "
            "'broker: {type: pika, url: localhost, username: ..., password: ..., queues: [events]}'"
        )
    if inner["type"] == BROKER_TYPE:
        raise ConfigurationError(f"{where}.broker: 'type' is '{BROKER_TYPE}' again; write pika, kafka, sql or file")
    return dict(inner)


def broker_block(endpoints: Path) -> Mapping[str, Any]:
    """Return the block `event_broker:` of an endpoints file; empty where there is none.

    Raises:
        ConfigurationError: The file cannot be read, or a variable is not set.
    """
    content = read_endpoints(endpoints)
    block = content.get("event_broker") if isinstance(content, dict) else None
    return block if isinstance(block, Mapping) else {}
