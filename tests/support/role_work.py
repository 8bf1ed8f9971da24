"""The work of each database role: what its processes do in a day, on a store that its owner has founded."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from rasa_privacy.access.admission import admit, admit_server
from rasa_privacy.access.login import login
from rasa_privacy.access.operators import add_operator, renew_token, revoke_operator
from rasa_privacy.access.permit import Permit
from rasa_privacy.access.recording import record, record_now, recording
from rasa_privacy.access.sight import see
from rasa_privacy.access.verification import note, verified
from rasa_privacy.consent.double_opt_in import begin, confirm
from rasa_privacy.consent.ledger import Evidence, state_of
from rasa_privacy.consent.opt_out_signals import record_gpc
from rasa_privacy.console.repeats import LASTS, once
from rasa_privacy.errors import RequestError
from rasa_privacy.policy.slot_readers import Readers
from rasa_privacy.policy.verbs import PERSON, VERBS
from rasa_privacy.retention.review import make_review
from rasa_privacy.retention.review_duty import acknowledge, keep, overdue_since
from rasa_privacy.retention.review_schedule import review_when_due
from rasa_privacy.retention.runs import run, run_scheduled
from rasa_privacy.rights import holds, previews, requests
from rasa_privacy.rights.access import holdings
from rasa_privacy.rights.audience import Tally, audience
from rasa_privacy.rights.bulk_erasure import erase_listed
from rasa_privacy.rights.bulk_run import Bulk
from rasa_privacy.rights.contact_indexing import Indexed, index_contacts
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.handover import collect, offer, offer_by_staff
from rasa_privacy.rights.identity import ask as ask_for_proof
from rasa_privacy.rights.identity import prove, remember, writing_people
from rasa_privacy.rights.linked import delete_part_linked, stop_linked
from rasa_privacy.rights.opendsr import Submitted, submit
from rasa_privacy.rights.own_acts import note_seen, own_act
from rasa_privacy.rights.rectification import Right, places_of, put_right
from rasa_privacy.rights.reminders import remind
from rasa_privacy.rights.suppression import (
    OPERATOR,
    STOP,
    remove_contacts,
    remove_sender,
    suppress,
    suppress_contacts,
    suppressed,
)
from rasa_privacy.rights.webhooks import deliver
from rasa_privacy.rights.withdrawal import destroy_items, withdraw
from rasa_privacy.storage import announcements, dsr_rows
from rasa_privacy.storage.attestations import Attestation
from rasa_privacy.storage.books import AUDIT, LEDGER
from rasa_privacy.storage.vault import Vault, utc_now
from tests.support.operators import Mailbox
from tests.support.role_store import (
    ROLES,
    fill_audit,
    lasting,
    new_session,
    person_of,
    token_of,
    with_handover,
    with_identity,
    with_operators,
    with_reviews,
    with_systems,
)
from tests.support.vaults import answer, ask, evidence, give, grant, held


def server(vault: Vault) -> None:
    """Store turns of an old and of a new conversation until they are compacted, read, announce, remove, and review."""
    vault.bot_words.use(b"What the bot of this model says about prizes and opening hours. " * 5)
    for _ in range(40):
        give(vault, {"draw": {"email": "ana@x.example"}}, sender="ana")
    new_session(vault, "ana")
    give(vault, {}, sender="newcomer")
    assert vault.conversations.load_last(vault.database, "ana") is not None
    assert held(vault, "ana")
    for sender in ("ana", "newcomer"):
        vault.database.transact(partial(_signal, vault, sender))
    with vault.database.read() as connection:
        vault.ledger.verify(connection)
        assert suppressed(vault, connection, "bea") == STOP
        assert state_of(vault, connection, person_of(vault, connection, "ana"), vault.clock()).active
        assert vault.conversations.count(connection) > 4
        assert list(vault.senders.ids(connection))
    vault.database.transact(lambda at: vault.conversations.clear(at, "ana"))
    _store_contact(with_identity(vault), "ana")
    assert erase(with_systems(vault), "gus", evidence(vault), "server+automatic") is not None
    assert run_scheduled(lasting(vault), admit_server("scheduled sweep"), timedelta(0)) is not None
    assert review_when_due(with_reviews(vault), Readers(), rest=0.0) is not None
    assert deliver(with_systems(vault), vault.clock()) > 0
    fill_audit(vault)
    with vault.database.read() as connection:
        found = announcements.news(connection, vault.journal, vault.erasures)
    for _ in range(2):
        vault.database.transact(lambda at: announcements.announced(at, found))
    give(vault, {}, sender="dan")  # after a deletion the sender begins anew
    vault.database.transact(vault.ledger.checkpoint)


def _store_contact(vault: Vault, sender: str) -> None:
    """Store a value by which a person can be found, of an item that lasts for some time."""
    give(vault, {"draw": {"email": f"{sender}@x.example"}}, sender=sender)

    def note_contact(at: Any) -> None:
        remember(vault, at, person_of(vault, at, sender), {"draw": [[0, [], "email", f"{sender}@x.example"]]})

    vault.database.transact(note_contact)


def actions(vault: Vault) -> None:
    """Ask and be answered, show, withdraw, delete, and keep the requests."""
    now = vault.clock()
    ask(vault, "fitting", sender="bea")
    answer(vault, "fitting", granted=False, sender="bea")
    grant(vault, "fitting", sender="newcomer")
    with vault.database.read() as connection:
        assert not holdings(vault, connection, "bea").is_empty
        person = person_of(vault, connection, "bea")
    vault.database.transact(lambda at: destroy_items(vault, at, person, "draw", ["postcode"], now))
    later = now + timedelta(minutes=2)  # another code takes the place of the first
    vault.database.transact(lambda at: begin(vault, at, person, "fitting", "bea@x.example", now))
    code = vault.database.transact(lambda at: begin(vault, at, person, "fitting", "bea@x.example", later))
    ask(vault, "fitting", sender="bea")
    confirm(vault, person, "fitting", "bea@x.example", code, evidence(vault))
    vault.database.transact(lambda at: requests.answered(vault, at, "access", person, now))
    vault.database.transact(lambda at: previews.preview(vault, at, person, now))
    vault.database.transact(lambda at: remove_sender(vault, at, "bea"))
    vault.database.transact(lambda at: suppress(vault, at, "bea", STOP, now))
    said = evidence(vault)
    vault.database.transact(lambda at: withdraw(vault, at, person, ["draw"], said))
    vault.database.transact(lambda at: note_seen(vault, at, own_act(vault, "view", person)))
    vault.database.transact(lambda at: offer(with_handover(vault), at, "bea", now))
    assert erase(with_systems(vault), "bea", evidence(vault), PERSON) is not None
    assert deliver(with_systems(vault), vault.clock()) == 1
    _linked_rights(with_identity(vault))
    vault.database.transact(vault.audit.checkpoint)


def _linked_rights(vault: Vault) -> None:
    """Prove who somebody is, and delete, correct and opt out in the conversation that this finds."""
    now, said = vault.clock(), evidence(vault)
    with vault.database.read() as connection:
        ana = person_of(vault, connection, "ana")
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


def sweeper(vault: Vault) -> None:
    """Remove everything that is due, people too, and the texts of somebody who stays; make the review that is due.

    An item lasts for some time since lately, so that what was stored of it before is noted, and looked at.
    """
    staffed = with_operators(vault)
    timer = login(staffed, token_of("tim"))
    permits = {verb: admit(staffed, timer, verb, reason="timer") for verb in ROLES["timer"].may}
    assert remind(vault, Mailbox(), vault.clock()) > 0
    found = run(with_systems(lasting(vault)), permits["retention"])
    assert found.people
    assert not found.left
    with vault.database.read() as connection:
        stored = vault.conversations.load(connection, "eve", all_sessions=True)
    assert stored is not None
    assert "herons" not in repr(stored.structure)
    wanting = with_reviews(vault)
    with vault.database.read() as connection:
        assert overdue_since(wanting, connection, vault.clock()) is not None
    made = make_review(wanting, permits["report"], Readers(), lambda _: None)
    assert made.conversations
    assert keep(wanting, permits["report"], made) is not None
    with recording(vault, permits["requests"]) as counts:
        counts["answers"] = deliver(with_systems(vault), vault.clock())
    assert counts["answers"] > 0
    fill_audit(vault)


def console(vault: Vault) -> None:
    """Look after operators and keys; show, export, end and delete; take over; keep and verify the audit log."""
    with vault.database.read() as connection:
        books = [verified(vault, connection, book, vault.clock()) for book in (LEDGER, AUDIT)]
    note(vault, "ana", ledger=books[0], audit=books[1])
    staffed = with_operators(vault)
    officer = login(staffed, token_of("olga"))
    permits = {verb: admit(staffed, officer, verb, reason="ticket 4711", clear=True) for verb in VERBS}
    add_operator(staffed, permits["operators"], "carl", ["timer"])
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
    _for_a_person(vault, seen.subject_id, permits)
    _call_twice(vault)
    _whole_store(vault, permits)
    vault.database.transact(vault.audit.checkpoint)
    vault.database.transact(vault.ledger.checkpoint)
    with vault.database.read() as connection:
        vault.audit.verify(connection)
        vault.ledger.verify(connection)


def _for_a_person(vault: Vault, person: bytes, permits: dict[str, Permit]) -> None:
    """Hand over a copy, end consents, and note what other systems pass on."""
    said = Evidence("outside", "command line", "en", vault.clock())
    link = offer_by_staff(with_handover(vault), "cem", permits["export"])
    assert b"".join(collect(with_handover(vault), link.token, None, vault.clock()))
    _change(vault, permits["consent"], lambda at: withdraw(vault, at, person, ["draw"], said))
    _change(vault, permits["requests"], lambda at: requests.open_request(vault, at, "erasure", person, said.at))
    passed_on = Submitted(uuid4(), "access", ("cem",), vault.clock(), ())
    submit(vault, passed_on, permits["requests"])
    vault.database.transact(lambda at: dsr_rows.note(at, passed_on.dsr_id, "received", 1, None))
    assert erase(vault, "cem", said) is not None


def _whole_store(vault: Vault, permits: dict[str, Permit]) -> None:
    """Index contacts, take over, hold, change the keys, erase a list, tell other systems, and sweep."""
    index_contacts(with_identity(vault), permits["keys"], indexed := Indexed(), lambda _number: None)
    assert indexed.contacts
    grant(vault, "draw", "fitting", sender="taken over")
    for _ in range(40):
        give(lasting(vault), {"draw": {"email": "t@x.example"}}, sender="taken over")
    new_session(vault, "taken over")
    _change(vault, permits["retention"], lambda at: holds.add(vault, at, "eve", "matter-1", permits["retention"]))
    _change(vault, permits["retention"], lambda at: holds.release(vault, at, "matter-1", permits["retention"]))
    vault.rotation.begin_epoch(vault.clock())
    for _ in vault.rotation.rewrap():
        pass
    vault.rotation.end_epoch(1, vault.clock())
    erase_listed(Bulk(with_systems(vault), permits["erase"]), ["dan"])
    assert deliver(with_systems(vault), vault.clock()) == 1
    assert run(lasting(vault), permits["retention"]).people


def _call_twice(vault: Vault) -> None:
    """Make the same call of the API two times, one that fails, and another when the first is forgotten."""
    for _ in range(2):
        assert once(vault, "olga", "erase", "key-1", b"{}", lambda: b"done") == b"done"

    def fails() -> bytes:
        raise RequestError("it cannot be done")

    with contextlib.suppress(RequestError):
        once(vault, "olga", "erase", "key-2", b"{}", fails)
    later = replace(vault, clock=lambda: utc_now() + 2 * LASTS)
    once(later, "olga", "erase", "key-3", b"{}", lambda: b"done")


def _signal(vault: Vault, sender: str, connection: Any) -> None:
    record_gpc(vault, connection, person_of(vault, connection, sender), vault.clock())


def _change(vault: Vault, permit: Permit, work: Callable[[Any], object]) -> None:
    def done(connection: Any) -> None:
        work(connection)
        record(vault, connection, permit)

    vault.database.transact(done)


#: Roles in whose work an operator logs in; the others do theirs in a store without operators, too.
STAFFED = frozenset(("sweeper", "console"))
WORK = {"server": server, "actions": actions, "sweeper": sweeper, "console": console}
