"""A store on which the database roles work: people of 200 days ago, operators, and what its privacy.yml may say too."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import bindparam, func, insert, select, update

from rasa_privacy.access.admission import admit
from rasa_privacy.access.login import local_operator, login
from rasa_privacy.access.operators import MAX_TOKEN_DAYS, add_operator
from rasa_privacy.consent.double_opt_in import begin
from rasa_privacy.crypto.tokens import make_token
from rasa_privacy.policy.operations import Erasure, HandOver, Identity, OtherSystem, Retention, Role
from rasa_privacy.rights import requests
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.suppression import STOP, suppress
from rasa_privacy.storage.audit_record import AuditRecord
from rasa_privacy.storage.checkpoints import EVERY_RECORDS
from rasa_privacy.storage.tables import ledger, ledger_people, meta, subjects
from rasa_privacy.storage.vault import Vault
from tests.support.vaults import evidence, give, grant

#: How long ago people told what is due by now.
BEFORE = timedelta(days=200)
#: Operators by name, with the role of each.
OPERATORS = {"olga": "dpo", "tim": "timer"}
ROLES = {
    "dpo": Role(items="all", may="all", values="clear"),
    "timer": Role(may=("retention", "report", "requests")),
}
_BEFORE_CHECKPOINT = 5
_MARKS = select(meta.c.value).where(meta.c.name == "erasure_journal")
_SET_MARKS = update(meta).where(meta.c.name == "erasure_journal").values(value=bindparam("marks"))


def prepare(vault: Vault) -> None:
    """Let people agree and tell something, in two sessions each; one of them waits for a deletion."""
    now = vault.clock()
    for sender in ("ana", "bea", "cem", "dan", "eve", "fay", "gus", "hal"):
        grant(vault, "draw", "newsletter", sender=sender)
        give(vault, {"draw": {"email": f"{sender}@x.example", "postcode": "10115"}}, sender=sender)
        new_session(vault, sender)
    give(vault, {"newsletter": {"email": "eve@x.example"}}, sender="eve")  # stays, when the draw is due
    _say(vault, "eve", "something about herons")
    vault.database.transact(lambda at: suppress(vault, at, "bea", STOP, now))
    vault.database.transact(lambda at: requests.open_request(vault, at, "erasure", person_of(vault, at, "dan"), now))
    cem, today = "cem@x.example", now + BEFORE
    vault.database.transact(lambda at: begin(vault, at, person_of(vault, at, "cem"), "draw", cem, today))
    _erase_while_others_open(vault)
    _fill_ledger(vault)
    for sender in ("ana", "bea", "cem"):  # each the one for whom a role appends to the ledger
        vault.database.transact(partial(_have_been_gone, vault, sender))


def _have_been_gone(vault: Vault, sender: str, connection: Any) -> None:
    """Leave somebody as one whose rows were put back from a backup, all but those of the ledger."""
    found = select(subjects.c.subject_id, subjects.c.ledger_mac)
    one = found.where(subjects.c.subject_id == person_of(vault, connection, sender))
    connection.execute(insert(ledger_people).from_select(["subject_id", "mac"], one))


def _erase_while_others_open(vault: Vault) -> None:
    """Erase somebody, and leave it as who opens the store meanwhile finds it: in the journal, and not known as done."""
    assert erase(vault, "hal", evidence(vault)) is not None
    with vault.database.read() as connection:
        before = connection.execute(_MARKS).scalar()
    assert erase(vault, "fay", evidence(vault)) is not None
    vault.database.transact(lambda at: at.execute(_SET_MARKS, {"marks": before}))


def hire(vault: Vault) -> None:
    """Add an officer, and the one whose token a timer has."""
    vault = with_operators(vault)
    for name, role in OPERATORS.items():
        operator = login(vault, token_of("olga")) if name != "olga" else local_operator()
        permit = admit(vault, operator, "operators")
        add_operator(vault, permit, name, [role], days=MAX_TOKEN_DAYS, random_bytes=_bytes_of(name))


def _bytes_of(name: str) -> Callable[[int], bytes]:
    return lambda number: name[:1].encode() * number


def token_of(name: str) -> str:
    """Return the token of an operator."""
    return make_token(name, _bytes_of(name))[0]


def with_operators(vault: Vault) -> Vault:
    """Return the store with the roles of its operators."""
    return replace(vault, policy=msgspec.structs.replace(vault.policy, roles=ROLES))


def told(_payload: dict[str, Any]) -> str:
    """Be another system, which answers at once."""
    return "done"


def with_systems(vault: Vault) -> Vault:
    """Return the store with another system, which is told of everything."""
    system = OtherSystem(
        name="crm", python=f"{__name__}.told", tell=("erasure", "correction", "withdrawal", "retention")
    )
    return replace(vault, policy=msgspec.structs.replace(vault.policy, erasure=Erasure(webhooks=(system,))))


def with_handover(vault: Vault) -> Vault:
    """Return the store with links by which people collect their copy."""
    return replace(vault, policy=msgspec.structs.replace(vault.policy, handover=HandOver(url="https://b.example")))


def with_reviews(vault: Vault) -> Vault:
    """Return the store with reviews that are made twice a year."""
    return replace(vault, policy=msgspec.structs.replace(vault.policy, retention=Retention(review_every="6 months")))


def lasting(vault: Vault) -> Vault:
    """Return the store in which an item lasts for some time."""
    email = msgspec.structs.replace(vault.policy.items["email"], keep="300 days")
    return replace(vault, policy=msgspec.structs.replace(vault.policy, items={**vault.policy.items, "email": email}))


def fill_audit(vault: Vault) -> None:
    """Append so many records that one of them gets a checkpoint."""
    each = AuditRecord(vault.clock(), "server+automatic", "retention")
    vault.database.transact(lambda at: vault.audit.append(at, *([each] * EVERY_RECORDS)))


def _fill_ledger(vault: Vault) -> None:
    """Let the consent ledger grow until one of the next five records gets a checkpoint."""

    def fill(at: Any) -> None:
        asked = replace(vault.ledger.of_subject(at, person_of(vault, at, "eve"))[0], subject_id=bytes(16))
        there = at.execute(select(func.count()).select_from(ledger)).scalar_one()
        vault.ledger.append_all(at, [asked] * (EVERY_RECORDS - _BEFORE_CHECKPOINT - there))

    vault.database.transact(fill)


def _say(vault: Vault, sender: str, text: str) -> None:
    """Store a message of somebody."""
    said = {"event": "user", "timestamp": vault.clock().timestamp(), "text": text, "parse_data": {"text": text}}
    with vault.database.write() as connection:
        version, _ = vault.conversations.head(connection, sender)
        vault.conversations.append(connection, sender, version, [said], {}, [], vault.clock())


def new_session(vault: Vault, sender: str) -> None:
    """Begin another session of a conversation."""
    event = {"event": "session_started", "timestamp": vault.clock().timestamp()}
    with vault.database.write() as connection:
        version, _ = vault.conversations.head(connection, sender)
        vault.conversations.append(connection, sender, version, [event], {}, [0], vault.clock())


def person_of(vault: Vault, connection: Any, sender: str) -> bytes:
    """Return the subject id of somebody."""
    found = vault.subjects.find(connection, sender)
    assert found is not None
    return found


def with_identity(vault: Vault) -> Vault:
    """Return the store with proofs of identity, and with an item whose values last for some time."""
    items = {**vault.policy.items, "email": msgspec.structs.replace(vault.policy.items["email"], keep="7 days")}
    return replace(vault, policy=msgspec.structs.replace(vault.policy, identity=Identity(), items=items))
