"""What Rasa's brokers do not say by themselves: whether an event has arrived, and that nothing is under way any more.

Rasa's brokers publish and forget. An erasure must not be forgotten, so here is looked at what each of them knows.
A broker of another class counts as having published when it raised nothing.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from rasa_privacy.components.rasa_api import EventBroker, KafkaEventBroker, PikaEventBroker

_FLUSH_SECONDS: Final = 10.0
_CLOSE_SECONDS: Final = 10.0


async def deliver(broker: EventBroker, event: Mapping[str, Any]) -> bool:
    """Publish one event and return whether the broker's server has it."""
    if isinstance(broker, PikaEventBroker):
        return await _through_rabbitmq(broker, dict(event))
    if isinstance(broker, KafkaEventBroker):
        return await asyncio.to_thread(_through_kafka, broker, dict(event))
    broker.publish(dict(event))
    return True


async def settle(broker: EventBroker) -> None:
    """Wait a while for what Rasa's RabbitMQ broker has begun to publish; it is lost when the broker is closed."""
    if isinstance(broker, PikaEventBroker) and broker._background_tasks:  # noqa: SLF001 - there is no other word for it
        await asyncio.wait(set(broker._background_tasks), timeout=_CLOSE_SECONDS)  # noqa: SLF001 - as above


async def _through_rabbitmq(broker: Any, event: dict[str, Any]) -> bool:
    if not broker.is_ready():
        return False
    # Returns after the server's confirmation; what failed is kept there for the next connection.
    await broker._publish(event)  # noqa: SLF001 - `publish` starts the same, and does not say how it ends
    return not any(waiting is event for waiting in broker._unpublished_events)  # noqa: SLF001 - as above


def _through_kafka(broker: Any, event: dict[str, Any]) -> bool:
    broker.publish(event)
    return broker.producer is not None and broker.producer.flush(_FLUSH_SECONDS) == 0
