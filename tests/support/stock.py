"""The table of Rasa's own SQL store, as rasa 3.6.21 makes it, and conversations in it. No Rasa is needed here."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Column, Float, Integer, MetaData, String, Table, Text, create_engine, insert

#: `SQLTrackerStore.SQLEvent`; `tests/cli/test_import_rasa.py` reads what Rasa itself wrote.
TABLE: Final = """
CREATE TABLE events (
    id INTEGER NOT NULL, sender_id VARCHAR(255) NOT NULL, type_name VARCHAR(255) NOT NULL, timestamp FLOAT,
    intent_name VARCHAR(255), action_name VARCHAR(255), data TEXT, PRIMARY KEY (id)
)
"""
#: 2026-11-20T10:00:00Z, three days before the tests' clock.
SAID_AT: Final = 1795168800.125


def conversation(
    name: str = "Ada Lovelace", email: str = "ada@example.org", at: float = SAID_AT
) -> list[dict[str, Any]]:
    """Return the events of somebody who entered the draw; one second lies between two of them."""
    events: list[dict[str, Any]] = [
        {"event": "action", "name": "action_session_start", "policy": None, "confidence": 1.0},
        {"event": "session_started"},
        {"event": "action", "name": "action_listen", "policy": None, "confidence": None},
        _said("enter the draw", "enter_draw", []),
        {"event": "active_loop", "name": "lead_form"},
        {"event": "slot", "name": "requested_slot", "value": "full_name"},
        {"event": "bot", "text": "What is your name?", "data": {}, "metadata": {"utter_action": "utter_ask_name"}},
        _said(f"I am {name}, write to {email}", "inform", [("PERSON", name), ("email", email)]),
        {"event": "slot", "name": "full_name", "value": name},
        {"event": "slot", "name": "email", "value": email},
        {"event": "slot", "name": "favourite_activity", "value": "hiking"},
        {"event": "slot", "name": "nobody_knows", "value": f"secret of {name}"},
        {"event": "bot", "text": f"Thank you, {name}.", "data": {}, "metadata": {}},
    ]
    return [{**event, "timestamp": at + number} for number, event in enumerate(events)]


def _said(text: str, intent: str, entities: Sequence[tuple[str, str]]) -> dict[str, Any]:
    found = [{"entity": entity, "value": value, "start": 0, "end": 1, "extractor": "E"} for entity, value in entities]
    parsed = {"intent": {"name": intent, "confidence": 0.75}, "entities": found, "text": text, "intent_ranking": []}
    return {
        "event": "user",
        "text": text,
        "parse_data": parsed,
        "input_channel": "rest",
        "message_id": "m",
        "metadata": {},
    }


def slot(name: str, value: object, at: float) -> dict[str, Any]:
    """Return the event that sets a slot."""
    return {"event": "slot", "name": name, "value": value, "timestamp": at}


class OldStore:
    """A SQLite file with that table.

    Args:
        path: The file, which is made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"
        self.sql(TABLE)
        self.sql("CREATE INDEX ix_events_sender_id ON events (sender_id)")

    def sql(self, statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Run a statement and return its rows."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(statement, parameters).fetchall()

    def add(self, sender_id: str, *events: dict[str, Any] | str) -> None:
        """Append events, or rows with this text in the place of an event."""
        rows = [(sender_id, "t", 0.0, event if isinstance(event, str) else json.dumps(event)) for event in events]
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.executemany(
                "INSERT INTO events (sender_id, type_name, timestamp, data) VALUES (?, ?, ?, ?)", rows
            )

    def count(self) -> int:
        """Return the number of rows."""
        return int(self.sql("SELECT COUNT(*) FROM events")[0][0])


def write_on_server(url: str, people: Sequence[tuple[str, Sequence[dict[str, Any]]]]) -> None:
    """Make that table on a server and write these people's events, one of each in turn."""
    table = Table(
        "events",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("sender_id", String(255), nullable=False, index=True),
        Column("type_name", String(255), nullable=False),
        Column("timestamp", Float),
        Column("data", Text),
    )
    engine = create_engine(url, future=True)
    with engine.begin() as connection:
        table.create(connection)
        for number in range(max(len(events) for _, events in people)):
            for sender_id, events in people:
                row = {"sender_id": sender_id, "type_name": "t", "timestamp": 0.0, "data": json.dumps(events[number])}
                connection.execute(insert(table), row)
    engine.dispose()
