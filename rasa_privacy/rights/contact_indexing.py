"""Indexing the contacts that were stored before `identity:` was written, so that a proof finds their people (ADR 31).

Rules:

1. People are taken in the order of their ids, a page in a transaction, in which each is locked: what is indexed is held
   at that moment, and who is erased or takes a consent back meanwhile leaves no hash behind.
2. How far it came is noted with each page. Stopped or killed, it goes on from there; two at once are refused.
3. Who is under a legal hold is indexed as everybody: nothing of theirs is changed. What the law keeps of somebody who
   was erased is not: nobody is to be found by it.
4. Whose keys are gone or whose rows are damaged is counted and left out; the others go on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from rasa_privacy.access.permit import Permit
from rasa_privacy.errors import ConfigurationError, StorageError
from rasa_privacy.rights.identity import remember
from rasa_privacy.storage import contact_marks
from rasa_privacy.storage.audience_contacts import contacts_of_many
from rasa_privacy.storage.contact_marks import Progress
from rasa_privacy.storage.conversation_rows import kept_name
from rasa_privacy.storage.vault import Vault

#: People of one transaction, for whom a turn of theirs waits. On SQLite nobody else can write meanwhile.
PAGE: Final = 200


@dataclass(slots=True)
class Indexed:
    """What a run did.

    Attributes:
        people: People who were looked at.
        contacts: Contacts by which somebody is found now who was not.
        unreadable: People of whom something cannot be opened.
    """

    people: int = 0
    contacts: int = 0
    unreadable: int = 0


def index_contacts(vault: Vault, permit: Permit, done: Indexed, note: Callable[[int], object]) -> None:
    """Index what is held of everybody, or go on where the last run stopped.

    Args:
        vault: The open store.
        permit: A permit for `keys`.
        done: Is counted up, page by page.
        note: Called with the number of people of each page.

    Raises:
        AccessError: The permit is for something else.
        ConfigurationError: privacy.yml has no `identity:`.
        StorageError: Another process indexes too, or opened the store without `identity:`; or the database does not
            answer. What was done stays.
    """
    permit.require("keys")
    if vault.policy.identity is None:
        raise ConfigurationError("privacy.yml has no 'identity:', so nobody is found by a contact; write it first")
    now = vault.database.transact(lambda connection: _begin(vault, connection))
    while not now.is_complete:
        now, page = vault.database.transact(lambda connection, now=now: _page(vault, connection, now))  # type: ignore[misc]
        done.people += page.people
        done.contacts += page.contacts
        done.unreadable += page.unreadable
        note(page.people)


def _begin(vault: Vault, connection: Any) -> Progress:
    """Return where to go on; a new run begins where there is none that was not finished."""
    found = contact_marks.progress(connection, vault.policy)
    if found is None or found.is_complete:
        found = Progress()
        contact_marks.note(connection, vault.policy, found)
    return found


def _page(vault: Vault, connection: Any, before: Progress) -> tuple[Progress, Indexed]:
    """Index the next people, and note that; return how far that came, and what was done."""
    page = vault.crowd.after(connection, before.after, PAGE)
    there = [each for each in page if vault.subjects.lock(connection, each)]
    if contact_marks.progress(connection, vault.policy, lock=True) != before:
        raise StorageError("another process indexes contacts, or opened the store without 'identity:'; run it again")
    unreadable: set[bytes] = set()
    contacts = 0
    for purpose, people in vault.crowd.by_purpose(connection, there).items():
        if purpose not in vault.policy.purposes:
            continue
        for subject_id, stored in contacts_of_many(connection, vault.data_keys, people, purpose).items():
            if stored is None:
                unreadable.add(subject_id)
            elif all(each.sender_id != kept_name(subject_id) for each in stored):
                entries = [entry for each in stored for entry in each.entries]
                contacts += remember(vault, connection, subject_id, {purpose: entries})
    after = Progress(page[-1]) if len(page) == PAGE else Progress(is_complete=True)
    contact_marks.note(connection, vault.policy, after)
    return after, Indexed(len(there), contacts, len(unreadable))
