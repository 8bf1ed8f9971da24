"""`PrivateEventBroker`: the Emit door of Rasa's event broker.

It wraps one of Rasa's own brokers (RabbitMQ, Kafka, SQL, file). What passes is the structure of events, with masked
texts, under the person's random id; no value, no sender id, no metadata of the channel. Rules:

1. Events of the tracker store are in that form; every other one is brought into it, or not published.
2. A broker that cannot be made is an error at start. Rasa would go on without one, and say so in a warning.
3. Who is erased is announced (`announcing.py`), so that consumers can delete what they hold.
"""

import logging
from asyncio import AbstractEventLoop
from collections.abc import Mapping
from typing import Any, Final

from rasa_privacy.components import delivery, log_scrubbing
from rasa_privacy.components.publishing import Published, minimised
from rasa_privacy.components.rasa_api import EndpointConfig, EventBroker
from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.broker_settings import wrapped_broker

logger = logging.getLogger(__name__)

_WHERE: Final = "endpoints.yml: event_broker"


class PrivateEventBroker(EventBroker):
    """Publishes minimised events through another broker.

    Args:
        inner: One of Rasa's brokers.
    """

    def __init__(self, inner: EventBroker) -> None:
        self._inner = inner

    @classmethod
    async def from_endpoint_config(
        cls, broker_config: EndpointConfig, event_loop: AbstractEventLoop | None = None
    ) -> "PrivateEventBroker":
        """Make the broker that the block `event_broker:` describes.

        Raises:
            ConfigurationError: The block is wrong, or the inner broker cannot be made from it.
            ConnectionException: Rasa's error where its server does not answer.
        """
        log_scrubbing.install()
        settings = wrapped_broker(_block(broker_config), _WHERE)
        try:
            inner = await EventBroker.create(EndpointConfig.from_dict(settings), event_loop)
        except (ImportError, AttributeError, TypeError, ValueError) as error:
            raise ConfigurationError(
                f"{_WHERE}.broker: the broker cannot be made of these settings ({type(error).__name__}); compare them "
                "with Rasa's documentation of event brokers"
            ) from None
        if inner is None:
            raise ConfigurationError(f"{_WHERE}.broker: there is no broker of this 'type'; write pika, kafka or sql")
        return cls(inner)

    def publish(self, event: dict[str, Any]) -> None:
        """Publish an event in its minimised form.

        What the store publishes is stored already, so that a broker that fails is logged and does not end the turn.

        Raises:
            EmitError: The event is not the store's, and cannot be minimised.
        """
        if not isinstance(event, Published):
            self._inner.publish(dict(minimised(event)))
            return
        try:
            self._inner.publish(dict(event))
        except Exception:
            logger.exception("An event was not published, because the event broker failed.")

    async def deliver(self, event: Published) -> bool:
        """Publish an event and return whether the server has it."""
        return await delivery.deliver(self._inner, event)

    def is_ready(self) -> bool:
        """Return whether the inner broker is connected."""
        ready: bool = self._inner.is_ready()
        return ready

    async def close(self) -> None:
        """Close the inner broker, after what it is about to publish."""
        await delivery.settle(self._inner)
        await self._inner.close()


def _block(config: EndpointConfig) -> Mapping[str, Any]:
    """Return the block as it stands in the file; Rasa has taken `url` and `type` out of it."""
    return {**config.kwargs, **({} if config.url is None else {"url": config.url})}
