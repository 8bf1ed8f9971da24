"""Masked messages with their intents, as examples for training a bot: what people said, and nothing of who said it.

Rules:

1. In are messages of people who allow now the purpose that is named, or some purpose that the operator's role reaches.
2. Each text is masked anew by what the detectors find and what is stored of the person, whatever `messages` says.
3. Out are privacy requests, payloads of buttons, texts that were withheld, and messages without an intent.
4. A text is given once for each intent, without name, time or order of the conversation it came from.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from rasa_privacy.access.permit import Permit
from rasa_privacy.consent.ledger import state_of
from rasa_privacy.dialogue.names import INTENTS
from rasa_privacy.errors import DAMAGED, ConfigurationError, DetectorError, LedgerError
from rasa_privacy.minimize.detection import Detection
from rasa_privacy.minimize.event_fields import texts_of
from rasa_privacy.minimize.kept_texts import WITHHELD, is_payload
from rasa_privacy.minimize.known_values import KnownValues
from rasa_privacy.minimize.masking import mask
from rasa_privacy.storage.opened_conversation import StoredConversation
from rasa_privacy.storage.vault import Vault

_VERSION: Final = "3.1"  # of Rasa's training data
_SPACES: Final = re.compile(r"\s+")
_ANNOTATION: Final = re.compile(r"(?<=\])(?=[\[({])")  # "[a](b)" would be an entity to Rasa, and "[a] (b)" is a text
_LETTERS: Final = re.compile(r"[^\W\d_]")
_PLACEHOLDER: Final = re.compile(r"\[\w{1,64}\]")


@dataclass(slots=True)
class Gathered:
    """What was looked at, and what became of it.

    Attributes:
        people: People with a message among the examples.
        messages: Examples before equal ones became one.
        unreadable: People whose stored data cannot be opened.
    """

    people: int = 0
    messages: int = 0
    unreadable: int = 0


def training_messages(
    vault: Vault, permit: Permit, purpose: str | None, gathered: Gathered
) -> Mapping[str, frozenset[str]]:
    """Return the masked texts by intent.

    Args:
        vault: The open store.
        permit: A permit for `export`.
        purpose: A purpose that the people must allow; None for any that the permit covers.
        gathered: Where it is counted.

    Raises:
        AccessError: The permit is for something else.
        ConfigurationError: privacy.yml has no such purpose, or asks for a detector that is not installed.
        StorageError: The store cannot be read.
    """
    permit.require("export")
    if purpose is not None:
        permit.require_purpose(purpose)
        if purpose not in vault.policy.purposes:
            raise ConfigurationError(
                f"privacy.yml has no purpose '{purpose}'; it has {', '.join(vault.policy.purposes)}"
            )
    detection = Detection(vault.policy)
    found: defaultdict[str, set[str]] = defaultdict(set)
    with vault.database.read() as connection:
        senders = list(vault.senders.ids(connection))
    for sender in senders:
        before = gathered.messages
        stored = _of_person(vault, sender, permit, purpose, gathered)
        for intent, text in _examples(stored, detection) if stored is not None else ():
            found[intent].add(text)
            gathered.messages += 1
        gathered.people += gathered.messages > before
    return {intent: frozenset(texts) for intent, texts in found.items()}


def _of_person(
    vault: Vault, sender: str, permit: Permit, purpose: str | None, gathered: Gathered
) -> StoredConversation | None:
    """Return what is stored of a person whose messages may be used."""
    try:
        with vault.database.read() as connection:
            subject_id = vault.subjects.find(connection, sender)
            active = state_of(vault, connection, subject_id, vault.clock()).active
            allowed = any(map(permit.covers_purpose, active)) if purpose is None else purpose in active
            return vault.conversations.load(connection, sender, all_sessions=True) if allowed else None
    except (*DAMAGED, LedgerError):  # whose consent does not verify has given none
        gathered.unreadable += 1
        return None


def _examples(stored: StoredConversation, detection: Detection) -> Iterator[tuple[str, str]]:
    known: dict[str, set[str]] = {}
    for entries in stored.values.values():
        for entry in entries:
            known.setdefault(entry[2], set()).update(texts_of(entry[3]))
    said = KnownValues(known)
    for event in stored.structure:
        if event.get("event") == "user":
            intent = ((event.get("parse_data") or {}).get("intent") or {}).get("name")
            text = _masked(event.get("text"), intent, said, detection)
            if text is not None:
                yield str(intent), text


def _masked(text: Any, intent: object, known: KnownValues, detection: Detection) -> str | None:
    """Return the text as an example, or None where it is none."""
    if not isinstance(text, str) or not isinstance(intent, str) or intent in INTENTS or is_payload(text, intent):
        return None
    try:
        once = mask(text, detection.find(text), known)
    except DetectorError:
        return None
    example = _ANNOTATION.sub(" ", _SPACES.sub(" ", once)).strip()
    says_something = _LETTERS.search(_PLACEHOLDER.sub("", example)) is not None
    return example if says_something and WITHHELD not in example else None


def as_yaml(messages: Mapping[str, frozenset[str]]) -> bytes:
    """Return the messages as training data of Rasa."""
    blocks = [
        {"intent": intent, "examples": _Literal("".join(f"- {text}\n" for text in sorted(messages[intent])))}
        for intent in sorted(messages)
    ]
    document = {"version": _VERSION, "nlu": blocks}
    return yaml.dump(document, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10_000).encode()


class _Literal(str):
    """A text of several lines, written as YAML's literal block."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Writes literal blocks."""


_Dumper.add_representer(
    _Literal, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style="|")
)
