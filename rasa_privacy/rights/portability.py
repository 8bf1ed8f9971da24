"""A copy of everything that is held of one person (GDPR Art. 15(3) and 20), for them: JSON and a page, in one zip.

Rules:

1. It is read back through the same keys that the bot uses, in pieces of whole sessions, each in a transaction of its
   own. So no more of a history is in memory than its longest session, nobody waits for who downloads slowly, and a copy
   of somebody who is erased meanwhile breaks off.
2. The JSON follows `personal_data.schema.json`, which goes into the zip as well; the page is `copy_page`. Of linked
   conversations the zip has a document each; one document alone has the others within it.
3. Names of files are fixed; what a person typed is in no name.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.resources import files
from typing import Any, Final

import msgspec

from rasa_privacy.consent.notice import name_of_item, name_of_purpose, name_of_topic
from rasa_privacy.crypto.archive import archive
from rasa_privacy.dialogue.language import choose
from rasa_privacy.dialogue.names import LANGUAGE_SLOT
from rasa_privacy.dialogue.phrases import phrases_of
from rasa_privacy.minimize.entries import join
from rasa_privacy.policy.model import Policy
from rasa_privacy.rights.access import imported_consents, source_of
from rasa_privacy.rights.copy_page import page
from rasa_privacy.storage import requests
from rasa_privacy.storage.opened_conversation import StoredConversation
from rasa_privacy.storage.vault import SERVICE, Vault

FORMAT: Final = "rasa_privacy personal data"
VERSION: Final = 1
SCHEMA: Final = "personal_data.schema.json"
#: So many events are read at once, or the rest of their session.
_EVENTS_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of one conversation and of what is known of who had it.

    Attributes:
        facts: Everything but the conversation's events, as `personal_data.schema.json` has it.
        events: Reads the events, the oldest first; each call reads them anew.
        event_count: Number of events when the copy was begun.
        made_at: When that was, aware and in UTC.
        language: The language of the conversation.
        called: What people call what they were asked about in it, by the name in the ledger.
    """

    facts: dict[str, Any] = field(repr=False)
    events: Callable[[], Iterator[dict[str, Any]]] = field(repr=False)
    event_count: int
    made_at: datetime
    language: str
    called: Mapping[str, str]

    def whole(self) -> dict[str, Any]:
        """Return the copy as one document."""
        return {**self.facts, "conversation": list(self.events())}


def copy_of(vault: Vault, sender_id: str, now: datetime) -> Copy | None:
    """Return the copy of all that is held of the person behind a sender id, or None for nobody.

    Args:
        vault: The open store.
        sender_id: Rasa's conversation key.
        now: The moment, aware and in UTC.

    Raises:
        TamperedSegmentError: What is stored is not what was written.
        KeyDestroyedError: The person was erased and rows are still there.
    """
    with vault.database.read() as connection:
        subject_id = vault.subjects.find(connection, sender_id)
        if subject_id is None:
            return None
        facts = _facts(vault, connection, subject_id, sender_id, now)
        due = vault.data_keys.due_of(connection, subject_id)
        imported = imported_consents(vault, connection, subject_id)
    latest: dict[str, dict[str, dict[str, Any]]] = {}
    count, language = 0, vault.policy.languages[0]
    for stored in _pieces(vault, sender_id):
        events = stored.structure
        _remember(latest, stored, events, imported)
        language = _language(events, vault.policy, language)
        count += len(stored.rows)
    facts["data"] = list(_data(vault.policy, latest, due, language))
    called = {each["purpose"]: name_of_topic(vault.policy, each["purpose"], language) for each in facts["consents"]}
    return Copy(facts, lambda: _events(vault, sender_id, count), count, now, language, called)


def personal_data(vault: Vault, sender_id: str, now: datetime) -> dict[str, Any] | None:
    """Return the copy as one document, or None for nobody."""
    made = copy_of(vault, sender_id, now)
    return None if made is None else made.whole()


def copy_chunks(copies: Sequence[Copy], passphrase: str | None = None) -> Iterator[bytes]:
    """Yield the zip of a person's copies: `data.json` and `data.html` of each, and the schema.

    From the second on they are numbered, as in `data-2.json`.

    Args:
        copies: One for each conversation of the person.
        passphrase: What opens the zip (`crypto.archive.checked_passphrase`); None for a plain one.
    """
    return archive(_files(copies), copies[0].made_at, passphrase)


def schema() -> bytes:
    """Return the JSON Schema of `data.json`."""
    return files(__package__).joinpath(SCHEMA).read_bytes()


def _files(copies: Sequence[Copy]) -> Iterator[tuple[str, Iterable[bytes]]]:
    for number, each in enumerate(copies, start=1):
        name = "data" if number == 1 else f"data-{number}"
        yield f"{name}.json", copy_json(each)
        yield f"{name}.html", page(each.facts, each.events(), phrases_of(each.language), each.called)
    yield SCHEMA, (schema(),)


def copy_json(each: Copy, linked: Sequence[Copy] = ()) -> Iterator[bytes]:
    """Yield the document with one event a line: readable, and never as a whole in memory.

    Args:
        each: The copy.
        linked: Copies of linked conversations of the same person, which stand in it as documents of the same form.
    """
    facts = msgspec.json.format(msgspec.json.encode(each.facts), indent=1)
    yield facts.rstrip(b"}\n") + b',\n "conversation": ['
    comma = b"\n  "
    for event in each.events():
        yield comma + msgspec.json.encode(event)
        comma = b",\n  "
    yield b"\n ]"
    for number, other in enumerate(linked):
        yield b",\n" if number else b',\n "linked": [\n'
        yield from copy_json(other)
    yield b" ]\n}\n" if linked else b"\n}\n"


def _pieces(vault: Vault, sender_id: str) -> Iterator[StoredConversation]:
    """Yield the conversation by whole sessions; what is said while it is read comes along or not."""
    first, end = 0, 1
    while first < end:
        with vault.database.read() as connection:
            stored = vault.conversations.load_some(connection, sender_id, first, _EVENTS_AT_ONCE)
        if stored is None:
            return
        yield stored
        first, end = first + max(len(stored.rows), 1), stored.event_count


def _events(vault: Vault, sender_id: str, count: int) -> Iterator[dict[str, Any]]:
    """Yield the first events with the values that are held."""
    for stored in _pieces(vault, sender_id):
        events = stored.structure
        join(events, stored.first_seq, stored.values)
        for seq, event in enumerate(events, start=stored.first_seq):
            if seq >= count:
                return
            yield event


def _language(events: Iterable[Mapping[str, Any]], policy: Policy, before: str) -> str:
    """Return the language in which a conversation went on after these events."""
    kept = [each.get("value") for each in events if each.get("event") == "slot" and each.get("name") == LANGUAGE_SLOT]
    return choose(policy.languages, kept[-1], None, None) if kept else before


def _remember(
    latest: dict[str, dict[str, dict[str, Any]]],
    stored: StoredConversation,
    events: Sequence[Mapping[str, Any]],
    imported: Mapping[str, datetime],
) -> None:
    """Note the latest value of each item for each purpose, and where it came from."""
    for purpose, entries in stored.values.items():
        known = latest.setdefault(purpose, {})
        for seq, _path, item, value in entries:
            if value is None or seq < known.get(item, {"seq": -1})["seq"]:
                continue
            event = events[seq - stored.first_seq]
            source, _ = source_of(event, imported.get(purpose))
            known[item] = {"seq": seq, "value": value, "source": source, "at": event["timestamp"]}


def _facts(vault: Vault, connection: Any, subject_id: bytes, sender_id: str, now: datetime) -> dict[str, Any]:
    controller = vault.policy.controller
    return {
        "format": FORMAT,
        "version": VERSION,
        "made_at": _time(now),
        "controller": {"name": controller.name, "contact": controller.contact, "policy_url": controller.policy_url},
        "sender_id": sender_id,
        "data": [],
        "consents": list(_consents(vault, connection, subject_id)),
        "requests": list(_requests(connection, subject_id)),
        "conversation_kept_until": _time(vault.data_keys.due_of(connection, subject_id).get(SERVICE)),
    }


def _data(
    policy: Policy,
    latest: Mapping[str, Mapping[str, Mapping[str, Any]]],
    due: Mapping[str, datetime | None],
    language: str,
) -> Iterator[dict[str, Any]]:
    """Yield the latest value of each item for each purpose that holds it, with all that Art. 15(1) asks for."""
    for name, items in latest.items():
        purpose = policy.purposes.get(name)
        for item, found in items.items():
            yield {
                "item": item,
                "called": name_of_item(policy, item, language) if item in policy.items else item,
                "category": policy.items[item].category if item in policy.items else "other",
                "value": found["value"],
                "purpose": name,
                "purpose_called": name_of_purpose(policy, name, language) if purpose else name,
                "basis": purpose.basis if purpose else None,
                "recipients": list(purpose.recipients) if purpose else [],
                "source": found["source"],
                "collected_at": _time(datetime.fromtimestamp(found["at"], timezone.utc)),
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


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")
