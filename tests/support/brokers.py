"""The servers of event brokers, for tests: what arrived there.

RabbitMQ and SQLite are real. Kafka is the test cluster of librdkafka, which speaks Kafka's protocol on a local port
from inside the client library.
"""

import asyncio
import json
import secrets
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aio_pika
import confluent_kafka

#: Address of RabbitMQ as compose.yml starts it.
AMQP: Final = "amqp://guest:guest@127.0.0.1:5672/"
_WAIT_SECONDS: Final = 30.0
_PAUSE_SECONDS: Final = 0.02
_TOPIC: Final = "events"

Read = Callable[[], Awaitable[list[bytes]]]


@dataclass(frozen=True)
class Server:
    """A broker's server.

    Attributes:
        settings: The block `broker:` that publishes to it.
        read: Returns the messages that arrived since it was called last, as bytes.
    """

    settings: dict[str, Any]
    read: Read

    async def messages(self, count: int) -> list[bytes]:
        """Return the next messages, once there are this many."""
        found: list[bytes] = []

        async def collect() -> None:
            while len(found) < count:
                found.extend(await self.read())
                await asyncio.sleep(_PAUSE_SECONDS)

        await asyncio.wait_for(collect(), _WAIT_SECONDS)
        return found

    async def events(self, count: int) -> list[dict[str, Any]]:
        """Return the next messages as events."""
        return [json.loads(raw) for raw in await self.messages(count)]


@asynccontextmanager
async def rabbitmq(_folder: Path) -> AsyncIterator[Server]:
    """Yield RabbitMQ, with a queue and an exchange of their own that are deleted afterwards."""
    name = f"test-{secrets.token_hex(6)}"
    connection = await aio_pika.connect(AMQP)
    channel = await connection.channel()
    queue = await channel.declare_queue(name, durable=True)

    async def read() -> list[bytes]:
        message = await queue.get(fail=False, no_ack=True)
        return [] if message is None else [message.body]

    settings = {"type": "pika", "url": "127.0.0.1", "username": "guest", "password": "guest"}
    yield Server({**settings, "queues": [name], "exchange_name": name, "connection_attempts": 2}, read)
    await queue.delete(if_unused=False, if_empty=False)
    await channel.exchange_delete(name)
    await connection.close()


@asynccontextmanager
async def kafka(_folder: Path) -> AsyncIterator[Server]:
    """Yield a Kafka cluster of one broker that lives as long as this block."""
    cluster = confluent_kafka.Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 1, "log_level": 0})
    (broker,) = cluster.list_topics(timeout=_WAIT_SECONDS).brokers.values()
    url = f"{broker.host}:{broker.port}"
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": url, "group.id": "test", "auto.offset.reset": "earliest", "log_level": 0}
    )
    consumer.assign([confluent_kafka.TopicPartition(_TOPIC, number, 0) for number in range(4)])

    async def read() -> list[bytes]:
        found = await asyncio.to_thread(consumer.consume, 100, 0.2)
        return [message.value() or b"" for message in found if message.error() is None]

    yield Server({"type": "kafka", "url": url, "topic": _TOPIC, "security_protocol": "PLAINTEXT"}, read)
    consumer.close()
    cluster.flush(1)


@asynccontextmanager
async def sql(folder: Path) -> AsyncIterator[Server]:
    """Yield a file of SQLite, in which Rasa's SQL broker makes its table."""
    path, seen = folder / "events.db", [0]

    async def read() -> list[bytes]:
        with closing(sqlite3.connect(path)) as connection:
            rows = connection.execute("SELECT id, sender_id || ' ' || data FROM events WHERE id > ?", seen).fetchall()
        seen[0] = rows[-1][0] if rows else seen[0]
        return [row[1].partition(" ")[2].encode() for row in rows]

    yield Server({"type": "sql", "dialect": "sqlite", "db": str(path), "url": None}, read)


#: How each kind of broker's server is had for a test; gets a folder.
SERVERS: Final[dict[str, Callable[[Path], AbstractAsyncContextManager[Server]]]] = {
    "rabbitmq": rabbitmq,
    "kafka": kafka,
    "sql": sql,
}
