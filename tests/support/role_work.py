"""The work of each database role: what its processes do in a day, on a store that its owner has founded."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import msgspec

from rasa_privacy.access.admission import admit, admit_local, admit_server
from rasa_privacy.access.login import login
from rasa_privacy.access.operators import add_operator, renew_token, revoke_operator
from rasa_privacy.access.permit import Permit
from rasa_privacy.access.recording import record, record_now
from rasa_privacy.access.sight import see
from rasa_privacy.access.verification import note, verified
from rasa_privacy.consent.double_opt_in import begin, confirm
from rasa_privacy.consent.ledger import Evidence, state_of
from rasa_privacy.consent.opt_out_signals import record_gpc
from rasa_privacy.policy.operations import Identity, Retention
from rasa_privacy.policy.slot_readers import Readers
from rasa_privacy.policy.verbs import PERSON, VERBS
from rasa_privacy.retention.review import make_review
from rasa_privacy.retention.review_duty import acknowledge, keep, overdue_since
from rasa_privacy.retention.review_schedule import review_when_due
from rasa_privacy.retention.runs import run, run_scheduled
from rasa_privacy.rights import holds, requests
from rasa_privacy.rights.access import holdings
from rasa_privacy.rights.audience import Tally, audience
from rasa_privacy.rights.contact_indexing import Indexed, index_contacts
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.identity import ask as ask_for_proof
from rasa_privacy.rights.identity import prove, remember, writing_people
from rasa_privacy.rights.linked import delete_part_linked, stop_linked
from rasa_privacy.rights.opendsr import Submitted, submit
from rasa_privacy.rights.own_acts import note_seen, own_act
from rasa_privacy.rights.rectification import Right, places_of, put_right
from rasa_privacy.rights.suppression import (
    OPERATOR,
    STOP,
    remove_contacts,
    remove_sender,
    suppress,
    suppress_contacts,
    suppressed,
)
from rasa_privacy.rights.withdrawal import destroy_items, withdraw
from rasa_privacy.storage import announcements, dsr_rows
from rasa_privacy.storage.attestations import Attestation
from rasa_privacy.storage.books import AUDIT, LEDGER
from rasa_privacy.storage.vault import Vault
from tests.support.operators import with_roles
from tests.support.vaults import answer, ask, evidence, give, grant, held

#: How long ago people told what is due by now.
BEFORE = timedelta(days=200)


def prepare(vault: Vault) -> None:
    """Let people agree and tell something, in two sessions each; one of them waits for a deletion."""
    now = vault.clock()
    for sender in ("ana", "bea", "cem", "dan", "eve"):
        grant(vault, "draw", "newsletter", sender=sender)
        give(vault, {"draw": {"email": f"{sender}@x.example", "postcode": "10115"}}, sender=sender)
        _new_session(vault, sender)
    give(vault, {"newsletter": {"email": "eve@x.example"}}, sender="eve")  # stays, when the draw is due
    _say(vault, "eve", "something about herons")
    vault.database.transact(lambda at: suppress(vault, at, "bea", STOP, now))
    vault.database.transact(lambda at: requests.open_request(vault, at, "erasure", _person(vault, at, "dan"), now))


def _say(vault: Vault, sender: str, text: str) -> None:
    """Store a message of somebody."""
    said = {"event": "user", "timestamp": vault.clock().timestamp(), "text": text, "parse_data": {"text": text}}
    with vault.database.write() as connection:
        version, _ = vault.conversations.head(connection, sender)
        vault.conversations.append(connection, sender, version, [said], {}, [], vault.clock())


def server(vault: Vault) -> None:
    """Store turns of an old and of a new conversation until they are compacted, read, announce, remove, and review."""
    for _ in range(40):
        give(vault, {"draw": {"email": "ana@x.example"}}, sender="ana")
    _new_session(vault, "ana")
    give(vault, {}, sender="newcomer")
    assert vault.conversations.load_last(vault.database, "ana") is not None
    assert held(vault, "ana")
    for sender in ("ana", "newcomer"):
        vault.database.transact(partial(_signal, vault, sender))
    with vault.database.read() as connection:
        vault.ledger.verify(connection)
        assert suppressed(vault, connection, "bea") == STOP
        assert state_of(vault, connection, _person(vault, connection, "ana"), vault.clock()).active
        assert vault.conversations.count(connection) > 4
        assert list(vault.conversations.sender_ids(connection))
    vault.database.transact(lambda at: vault.conversations.clear(at, "ana"))
    assert run_scheduled(vault, admit_server("scheduled sweep"), timedelta(0)) is not None
    assert review_when_due(_with_reviews(vault), Readers(), rest=0.0) is not None
    with vault.database.read() as connection:
        found = announcements.news(connection, vault.journal, vault.erasures)
    for _ in range(2):
        vault.database.transact(lambda at: announcements.announced(at, found))
    give(vault, {}, sender="dan")  # after a deletion the sender begins anew
    vault.database.transact(vault.ledger.checkpoint)


def actions(vault: Vault) -> None:
    """Ask and be answered, show, withdraw, delete, and keep the requests."""
    now = vault.clock()
    ask(vault, "fitting", sender="bea")
    answer(vault, "fitting", granted=False, sender="bea")
    grant(vault, "fitting", sender="newcomer")
    with vault.database.read() as connection:
        assert not holdings(vault, connection, "bea").is_empty
        person = _person(vault, connection, "bea")
    vault.database.transact(lambda at: destroy_items(vault, at, person, "draw", ["postcode"], now))
    later = now + timedelta(minutes=2)  # another code takes the place of the first
    vault.database.transact(lambda at: begin(vault, at, person, "fitting", "bea@x.example", now))
    code = vault.database.transact(lambda at: begin(vault, at, person, "fitting", "bea@x.example", later))
    ask(vault, "fitting", sender="bea")
    confirm(vault, person, "fitting", "bea@x.example", code, evidence(vault))
    vault.database.transact(lambda at: requests.answered(vault, at, "access", person, now))
    vault.database.transact(lambda at: requests.preview(vault, at, person, now))
    vault.database.transact(lambda at: remove_sender(vault, at, "bea"))
    vault.database.transact(lambda at: suppress(vault, at, "bea", STOP, now))
    said = evidence(vault)
    vault.database.transact(lambda at: withdraw(vault, at, person, ["draw"], said))
    vault.database.transact(lambda at: note_seen(vault, at, own_act(vault, "view", person)))
    assert erase(vault, "bea", evidence(vault), PERSON) is not None
    _linked_rights(_with_identity(vault))
    vault.database.transact(vault.audit.checkpoint)


def _linked_rights(vault: Vault) -> None:
    """Prove who somebody is, and delete, correct and opt out in the conversation that this finds."""
    now, said = vault.clock(), evidence(vault)
    with vault.database.read() as connection:
        ana = _person(vault, connection, "ana")
    vault.database.transact(lambda at: remember(vault, at, ana, {"draw": [[0, [], "email", "ana@x.example"]]}))
    code = vault.database.transact(lambda at: ask_for_proof(vault, at, "newcomer", "ana@x.example", now))
    assert prove(vault, "newcomer", code, now) == 1
    assert delete_part_linked(vault, "newcomer", ["postcode"], [], said)[1]

    def correct(at: Any) -> None:
        for place in places_of(vault, at, writing_people(vault, at, "newcomer", now), "email"):
            right = Right("email", "anna@x.example", place.purposes)
            put_right(vault, at, place.sender_id, place.subject_id, right, now)

    vault.database.transact(correct)
    assert held(vault, "ana")["draw"]["email"] == "anna@x.example"
    vault.database.transact(lambda at: stop_linked(vault, at, "newcomer", said))
    assert not held(vault, "ana").get("draw")


def _with_identity(vault: Vault) -> Vault:
    """Return the store with proofs of identity, and with an item whose values last for some time."""
    items = {**vault.policy.items, "email": msgspec.structs.replace(vault.policy.items["email"], keep="7 days")}
    return replace(vault, policy=msgspec.structs.replace(vault.policy, identity=Identity(), items=items))


def sweeper(vault: Vault) -> None:
    """Remove everything that is due, people too, and the texts of somebody who stays; make the review that is due.

    An item lasts for some time since lately, so that what was stored of it before is noted, and looked at.
    """
    email = msgspec.structs.replace(vault.policy.items["email"], keep="300 days")
    lasting = msgspec.structs.replace(vault.policy, items={**vault.policy.items, "email": email})
    found = run(replace(vault, policy=lasting), admit_local(vault, "retention"))
    assert found.people
    assert not found.left
    with vault.database.read() as connection:
        stored = vault.conversations.load(connection, "eve", all_sessions=True)
    assert stored is not None
    assert "herons" not in repr(stored.structure)
    wanting = _with_reviews(vault)
    with vault.database.read() as connection:
        assert overdue_since(wanting, connection, vault.clock()) is not None
    permit = admit_local(vault, "report")
    made = make_review(wanting, permit, Readers(), lambda _: None)
    assert made.conversations
    assert keep(wanting, permit, made) is not None


def _with_reviews(vault: Vault) -> Vault:
    """Return the store with reviews that are made twice a year."""
    return replace(vault, policy=msgspec.structs.replace(vault.policy, retention=Retention(review_every="6 months")))


def console(vault: Vault) -> None:
    """Look after operators and keys; show, export, end and delete; take over; keep and verify the audit log."""
    with vault.database.read() as connection:
        books = [verified(vault, connection, book, vault.clock()) for book in (LEDGER, AUDIT)]
    note(vault, "ana", ledger=books[0], audit=books[1])
    staffed = with_roles(vault)
    officer = login(staffed, add_operator(staffed, admit_local(staffed, "operators"), "olga", ["dpo"]))
    permits = {verb: admit(staffed, officer, verb, reason="ticket 4711", clear=True) for verb in VERBS}
    add_operator(staffed, permits["operators"], "carl", ["clerk"])
    renew_token(staffed, permits["operators"], "carl")
    revoke_operator(staffed, permits["operators"], "carl")
    with vault.database.read() as connection:
        seen = see(staffed, connection, "cem", permits["view"])
    assert seen is not None
    record_now(vault, permits["view"], subject_id=seen.subject_id, items=seen.items)
    made = make_review(vault, permits["report"], Readers(), lambda _: None)
    assert keep(vault, permits["report"], made) is not None
    acknowledge(vault, permits["retention"], made, made.number)
    learned = Attestation("olga", "data-handling", vault.clock(), 10, 10, passed=True)
    vault.database.transact(lambda at: vault.attestations.add(at, learned))
    assert list(audience(vault, permits["audience"], "newsletter", None, vault.clock(), Tally()))
    contacts = ["a@x.example"]
    _change(vault, permits["suppress"], lambda at: suppress_contacts(vault, at, contacts, STOP, vault.clock()))
    _change(vault, permits["suppress"], lambda at: suppress_contacts(vault, at, contacts, OPERATOR, vault.clock()))
    _change(vault, permits["suppress"], lambda at: remove_contacts(vault, at, contacts))
    said, person = Evidence("outside", "command line", "en", vault.clock()), seen.subject_id
    _change(vault, permits["consent"], lambda at: withdraw(vault, at, person, ["draw"], said))
    _change(vault, permits["requests"], lambda at: requests.open_request(vault, at, "erasure", person, said.at))
    passed_on = Submitted(uuid4(), "access", ("cem",), vault.clock(), ())
    submit(vault, passed_on, permits["requests"])
    vault.database.transact(lambda at: dsr_rows.note(at, passed_on.dsr_id, "received", 1, None))
    index_contacts(_with_identity(vault), permits["keys"], indexed := Indexed(), lambda _number: None)
    assert indexed.contacts
    grant(vault, "draw", "fitting", sender="taken over")
    for _ in range(40):
        give(vault, {"draw": {"email": "t@x.example"}}, sender="taken over")
    _new_session(vault, "taken over")
    _change(vault, permits["retention"], lambda at: holds.add(vault, at, "eve", "matter-1", permits["retention"]))
    _change(vault, permits["retention"], lambda at: holds.release(vault, at, "matter-1", permits["retention"]))
    vault.rotation.begin_epoch(vault.clock())
    for _ in vault.rotation.rewrap():
        pass
    vault.rotation.end_epoch(1, vault.clock())
    assert erase(vault, "cem", said) is not None
    vault.database.transact(vault.audit.checkpoint)
    vault.database.transact(vault.ledger.checkpoint)
    with vault.database.read() as connection:
        vault.audit.verify(connection)
        vault.ledger.verify(connection)


def _signal(vault: Vault, sender: str, connection: Any) -> None:
    record_gpc(vault, connection, _person(vault, connection, sender), vault.clock())


def _new_session(vault: Vault, sender: str) -> None:
    """Begin another session of a conversation."""
    event = {"event": "session_started", "timestamp": vault.clock().timestamp()}
    with vault.database.write() as connection:
        version, _ = vault.conversations.head(connection, sender)
        vault.conversations.append(connection, sender, version, [event], {}, [0], vault.clock())


def _person(vault: Vault, connection: Any, sender: str) -> bytes:
    found = vault.subjects.find(connection, sender)
    assert found is not None
    return found


def _change(vault: Vault, permit: Permit, work: Callable[[Any], object]) -> None:
    def done(connection: Any) -> None:
        work(connection)
        record(vault, connection, permit)

    vault.database.transact(done)


WORK = {"server": server, "actions": actions, "sweeper": sweeper, "console": console}
