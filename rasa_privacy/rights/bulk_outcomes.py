"""Who goes and who stays where many people are erased at once (`bulk_erasure`, rules 3 and 6); nothing is changed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias

from rasa_privacy.access.permit import Permit
from rasa_privacy.storage import holds, links
from rasa_privacy.storage.crowd import Member
from rasa_privacy.storage.vault import SERVICE, Vault

#: `erased`, or why not: nothing is stored, an open legal hold, a silent one (`disclosure`), beyond the role, a row that
#: was changed (found by another's sender id, or with a link that is not ours), or in use.
Outcome = Literal["erased", "unknown", "held", "must_stay", "beyond_role", "changed", "in_use"]
#: To whom the links of each person lead who has any; None where one was changed.
Links: TypeAlias = Mapping[bytes, Sequence[bytes] | None]


def why_each_stays(permit: Permit, connection: Any, members: dict[bytes, Member]) -> dict[bytes, Outcome]:
    """Return why some of these people stay, each looked at alone."""
    kept = holds.held_among(connection, members)
    told = holds.told_among(connection, kept)
    found: dict[bytes, Outcome] = {}
    for subject_id, member in members.items():
        if subject_id in kept:
            found[subject_id] = "held" if subject_id in told else "must_stay"
        elif not all(permit.covers_purpose(name) for name in member.keys if name != SERVICE):
            found[subject_id] = "beyond_role"
        elif not member.is_found_truly:
            found[subject_id] = "changed"
    return found


def links_of(vault: Vault, connection: Any, subject_ids: Collection[bytes], before: datetime | None) -> Links:
    """Return to whom the links of these people lead; by a day nobody goes along."""
    return links.of_many(connection, vault.index, subject_ids) if before is None else {}


def everybody(subject_ids: Iterable[bytes], linked: Links) -> list[bytes]:
    """Return these people and those to whom their links lead, each once."""
    return list(dict.fromkeys(one for each in subject_ids for one in (each, *(linked.get(each) or ()))))


def why_one_stays(subject_id: bytes, linked: Links, outcomes: Mapping[bytes, Outcome]) -> Outcome | None:
    """Return why a person stays, as they or somebody does to whom their links lead; or None."""
    others = linked.get(subject_id, [])
    if others is None:
        return "changed"
    return next((outcomes[each] for each in (subject_id, *others) if each in outcomes), None)
