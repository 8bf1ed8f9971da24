"""A copy of everything that is held of one person (GDPR Art. 15(3) and 20), for them: JSON and a page, in one zip.

It is read back through the same keys that the bot uses. The JSON follows `personal_data.schema.json`, which goes into
the zip as well.
"""

import html
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from importlib.resources import files
from typing import Any, Final

import msgspec

from rasa_privacy.consent.notice import name_of_item, name_of_purpose
from rasa_privacy.minimize.events import join
from rasa_privacy.policy.model import Policy
from rasa_privacy.storage import requests
from rasa_privacy.storage.conversations import StoredConversation
from rasa_privacy.storage.vault import SERVICE, Vault

FORMAT: Final = "rasa_privacy personal data"
VERSION: Final = 1
SCHEMA: Final = "personal_data.schema.json"

_BY: Final = {"user": "you", "bot": "bot"}


def personal_data(vault: Vault, connection: Any, sender_id: str, now: datetime) -> dict[str, Any] | None:
    """Return all that is held of the person behind a sender id, or None for nobody.

    Args:
        vault: The open store.
        connection: An open read or write transaction.
        sender_id: Rasa's conversation key.
        now: The moment, aware and in UTC.

    Raises:
        TamperedSegmentError: What is stored is not what was written.
        KeyDestroyedError: The person was erased and rows are still there.
    """
    subject_id = vault.subjects.find(connection, sender_id)
    if subject_id is None:
        return None
    stored = vault.conversations.load(connection, sender_id, all_sessions=True)
    due = vault.data_keys.due_of(connection, subject_id)
    controller = vault.policy.controller
    events = [] if stored is None else stored.structure
    made = {
        "format": FORMAT,
        "version": VERSION,
        "made_at": _time(now),
        "controller": {"name": controller.name, "contact": controller.contact, "policy_url": controller.policy_url},
        "sender_id": sender_id,
        "data": [] if stored is None else list(_data(vault.policy, stored, events, due)),
        "consents": list(_consents(vault, connection, subject_id)),
        "requests": list(_requests(connection, subject_id)),
        "conversation_kept_until": _time(due.get(SERVICE)),
        "conversation": events,
    }
    if stored is not None:
        # Last, since it puts the values into the events.
        join(events, stored.first_seq, stored.values)
    return made


def as_zip(made: Mapping[str, Any]) -> bytes:
    """Return the zip of a copy: `data.json`, `data.html` and the JSON Schema of the first."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("data.json", msgspec.json.format(msgspec.json.encode(made), indent=1))
        packed.writestr("data.html", "".join(_page(made)))
        packed.writestr(SCHEMA, schema())
    return target.getvalue()


def schema() -> bytes:
    """Return the JSON Schema of `data.json`."""
    return files(__package__).joinpath(SCHEMA).read_bytes()


def _data(
    policy: Policy, stored: StoredConversation, events: list[Any], due: Mapping[str, datetime | None]
) -> Iterator[dict[str, Any]]:
    """Yield the latest value of each item for each purpose that holds it, with all that Art. 15(1) asks for."""
    language = policy.languages[0]
    for name, entries in stored.values.items():
        purpose = policy.purposes.get(name)
        latest: dict[str, list[Any]] = {}
        for entry in entries:
            if entry[3] is not None and (entry[2] not in latest or entry[0] >= latest[entry[2]][0]):
                latest[entry[2]] = entry
        for item, (seq, _path, _item, value) in latest.items():
            event = events[seq - stored.first_seq]
            yield {
                "item": item,
                "called": name_of_item(policy, item, language) if item in policy.items else item,
                "category": policy.items[item].category if item in policy.items else "other",
                "value": value,
                "purpose": name,
                "purpose_called": name_of_purpose(policy, name, language) if purpose else name,
                "basis": purpose.basis if purpose else None,
                "recipients": list(purpose.recipients) if purpose else [],
                "source": "your message" if event.get("event") == "user" else "the conversation",
                "collected_at": _time(datetime.fromtimestamp(event["timestamp"], timezone.utc)),
                "kept_until": _time(due.get(name)),
            }


def _consents(vault: Vault, connection: Any, subject_id: bytes) -> Iterator[dict[str, Any]]:
    for record in vault.ledger.of_subject(connection, subject_id):
        notice = vault.notices.get(connection, record.notice_hash)
        yield {
            "purpose": record.purpose,
            "event": record.event,
            "at": _time(record.at),
            "language": record.language,
            "method": record.method,
            "channel": record.channel,
            "notice": None if notice is None else notice.text,
        }


def _requests(connection: Any, subject_id: bytes) -> Iterator[dict[str, Any]]:
    for each in requests.all_of(connection, subject_id):
        yield {
            "number": each.number,
            "kind": each.kind,
            "state": each.state,
            "received_at": _time(each.opened_at),
            "answer_by": _time(each.answer_by),
            "closed_at": _time(each.closed_at),
            "reason": each.reason,
        }


def _page(made: Mapping[str, Any]) -> Iterator[str]:
    controller = made["controller"]
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        "<title>Your data</title>\n<style>body{font:1em/1.5 sans-serif;max-width:64em;margin:2em auto;padding:0 1em}"
        "table{border-collapse:collapse}th,td{text-align:left;vertical-align:top;padding:.2em 1em .2em 0;"
        "overflow-wrap:anywhere}</style>\n</head>\n<body>\n<h1>Your data</h1>\n"
    )
    by = f"{_shown(controller['name'])} ({_shown(controller['contact'])})"
    yield f"<p>Held by {by} on {_shown(made['made_at'])}.</p>\n"
    data = ("called", "value", "purpose_called", "basis", "recipients", "source", "collected_at", "kept_until")
    yield from _table("What is held", data, made["data"])
    yield from _table("What you agreed to", ("purpose", "event", "at", "method", "notice"), made["consents"])
    yield from _table("What you asked for", ("number", "kind", "state", "received_at", "closed_at"), made["requests"])
    yield from _table("The conversation", ("at", "by", "text"), _messages(made["conversation"]))
    yield "</body>\n</html>\n"


def _messages(events: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for event in events:
        if event.get("event") in _BY and event.get("text"):
            at = _time(datetime.fromtimestamp(event["timestamp"], timezone.utc))
            yield {"at": at, "by": _BY[event["event"]], "text": event["text"]}


def _table(title: str, columns: tuple[str, ...], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    heads = "".join(f"<th>{name.replace('_', ' ')}</th>" for name in columns)
    yield f"<h2>{title}</h2>\n<table>\n<tr>{heads}</tr>\n"
    for row in rows:
        yield f"<tr>{''.join(f'<td>{_shown(row[name])}</td>' for name in columns)}</tr>\n"
    yield "</table>\n"


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_shown, value)) or "-"
    return html.escape("-" if value is None else str(value))


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")
