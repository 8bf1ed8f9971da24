"""Each operation against each role, and what each does, on every kind of database."""

import json
from collections.abc import Mapping
from dataclasses import replace

import msgspec
import pytest

from rasa_privacy.access.admission import admit
from rasa_privacy.access.login import login
from rasa_privacy.access.operators import add_operator, renew_token
from rasa_privacy.consent.ledger import state_of
from rasa_privacy.console.operation import Operation
from rasa_privacy.console.verbs import OPERATIONS, make_console
from rasa_privacy.errors import SenderError
from rasa_privacy.policy.operations import Role
from rasa_privacy.policy.verbs import VERBS
from rasa_privacy.storage.vault import Vault
from tests.console.conftest import As
from tests.support.asgi import Answer, Client
from tests.support.databases import EACH_KIND
from tests.support.operators import records
from tests.support.vaults import SENDER, Clock, active, give, held

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
REASON = "ticket 17"
WHO = {"sender": SENDER, "reason": REASON}
GIVEN = {"sender": "web-7", "purpose": "newsletter", "at": "2026-11-01T12:00:00Z", "evidence": "form A, folder 3"}

IDENTITY = {"identity_type": "controller_customer_id", "identity_value": SENDER, "identity_format": "raw"}
PASSED_ON = {
    "regulation": "gdpr",
    "subject_request_id": "a7551968-d5d6-44b2-9831-815ac9017798",
    "subject_request_type": "erasure",
    "submitted_time": "2026-11-20T15:00:00Z",
    "subject_identities": [IDENTITY],
}

#: A call of each operation, and the verb that it needs.
CALLS: dict[str, tuple[str, Mapping[str, object] | None]] = {
    "findSubject": ("view", WHO),
    "showSubject": ("view", WHO),
    "exportSubject": ("export", WHO),
    "eraseSubject": ("erase", {**WHO, "confirm": True}),
    "rectifySubject": ("rectify", {**WHO, "item": "email", "value": "ana.li@example.com"}),
    "restrictSubject": ("restrict", {**WHO, "purposes": ["draw"]}),
    "unrestrictSubject": ("restrict", {**WHO, "purposes": ["draw"]}),
    "doNotSellSubject": ("restrict", WHO),
    "limitSensitiveSubject": ("restrict", WHO),
    "showConsents": ("view", WHO),
    "importConsents": ("consent", {"consents": [GIVEN], "reason": REASON}),
    "revokeConsents": ("consent", {**WHO, "confirm": True}),
    "listRequests": ("requests", None),
    "openRequest": ("requests", {**WHO, "kind": "access"}),
    "showRequest": ("requests", None),
    "takeRequest": ("requests", {}),
    "acknowledgeRequest": ("requests", {}),
    "identityRequest": ("requests", {"step": "asked"}),
    "extendRequest": ("requests", {"because": "complexity", "told": "yes"}),
    "refuseRequest": ("requests", {"because": "excessive", "told": "yes"}),
    "completeRequest": ("requests", {}),
    "listHolds": ("retention", None),
    "addHold": ("retention", {**WHO, "matter": "case-17"}),
    "releaseHold": ("retention", {**WHO, "matter": "case-17"}),
    "addSuppressions": ("suppress", {"contacts": ["bo@example.com"], "reason": REASON}),
    "checkSuppressions": ("suppress", {"contacts": ["bo@example.com"]}),
    "liftSuppressions": ("suppress", {"contacts": ["bo@example.com"], "confirm": True}),
    "exportAudience": ("audience", {"purpose": "newsletter", "item": "email", "reason": REASON}),
    "planRetention": ("report", {}),
    "runRetention": ("retention", {"confirm": True}),
    "eraseSubjects": ("erase", {"senders": [SENDER], "confirm": True, "reason": REASON}),
    "eraseSilentSubjects": ("erase", {"before": "2026-11-01", "confirm": True, "reason": REASON}),
    "status": ("report", None),
    "submitDataSubjectRequest": ("requests", PASSED_ON),
    "dataSubjectRequestStatus": ("requests", None),
    "cancelDataSubjectRequest": ("requests", None),
}
#: What roles may that are not `all`: `tests.support.operators`, and `crm` of `conftest`.
MAY = {
    "clerk": {"view", "rectify"},
    "medic": {"view"},
    "mailer": {"audience"},
    "crm": {"view", "export", "erase"},
}


def call(client: Client, each: Operation, number: str, body: Mapping[str, object] | None) -> Answer:
    """Call an operation."""
    path = each.path.replace("{number}", number).replace("{id}", str(PASSED_ON["subject_request_id"]))
    return client.post(path, body) if body is not None else client.call(each.method, path, (), {})


def test_every_operation_is_in_the_table() -> None:
    """And each verb that reaches people has an operation."""
    assert CALLS.keys() == {each.name for each in OPERATIONS}
    assert {verb for verb, _ in CALLS.values()} == VERBS.keys() - {"import", "keys", "audit", "operators"}


@pytest.mark.parametrize("role", [*MAY, "dpo"])
def test_no_role_does_what_it_may_not(as_role: As, vault: Vault, role: str) -> None:
    """Each operation is refused where the role lacks its verb, and the refusal is in the audit log; nothing changed."""
    client, may = as_role(role), MAY.get(role, {*VERBS})
    number = as_role("dpo").post("/v1/requests", {**WHO, "kind": "access"}).json()["number"]
    for each in OPERATIONS:
        verb, body = CALLS[each.name]
        if verb in may:
            continue
        before = len(records(vault))
        found = call(client, each, number, body)
        assert (each.name, found.status) == (each.name, 403)
        assert [(one.verb, one.outcome) for one in records(vault)[before:]][-1:] == [(verb, "refused")]
    assert active(vault) == {"draw", "newsletter"}
    assert len(held(vault)) > 0


def test_a_role_reaches_its_items_and_purposes_alone(as_role: As) -> None:
    """As with the commands: masked, one purpose, no other item, and no copy that would not be whole."""
    clerk = as_role("clerk")
    shown = clerk.post("/v1/subjects/show", WHO).json()["values"]
    assert {(each["item"], each["purpose"]) for each in shown} == {("email", "draw")}
    assert clerk.post("/v1/subjects/show", {**WHO, "clear": True}).status == 403
    assert clerk.post("/v1/subjects/rectify", {**WHO, "item": "full_name", "value": "Bo"}).status == 403
    assert clerk.post("/v1/consents/show", WHO).json()["consents"][0]["purpose"] == "draw"
    assert as_role("mailer").post("/v1/audience", {"purpose": "draw", "reason": REASON}).status == 403


@each_kind
def test_consents_are_shown_imported_and_revoked(as_role: As, vault: Vault) -> None:
    """Nothing without `confirm`; what is there already stays as it is; a wrong line is named by its place."""
    dpo = as_role("dpo")
    shown = {each["purpose"]: each["may_be_used"] for each in dpo.post("/v1/consents/show", WHO).json()["consents"]}
    assert shown["draw"] is True
    call = {"consents": [GIVEN], "reason": REASON}
    assert dpo.post("/v1/consents/import", call).json()["new"] == 1
    assert dpo.post("/v1/consents/import", {**call, "confirm": True}).json() == {
        "recorded": True,
        "new": 1,
        "there": 0,
        "answered": 0,
        "erased": 0,
    }
    assert dpo.post("/v1/consents/import", {**call, "confirm": True}).json()["there"] == 1
    assert "newsletter" in active(vault, "web-7")
    wrong = dpo.post("/v1/consents/import", {"consents": [GIVEN, {**GIVEN, "evidence": "mail of bo@example.com"}]})
    assert (wrong.status, wrong.json()["detail"][:15]) == (422, "$.consents[1]: ")
    assert dpo.post("/v1/consents/revoke", {**WHO, "purposes": ["draw"]}).json()["revoked"] is False
    assert active(vault) == {"draw", "newsletter"}
    ended = dpo.post("/v1/consents/revoke", {**WHO, "purposes": ["draw"], "confirm": True}).json()
    assert ended["purposes"] == ["draw"]
    assert active(vault) == {"newsletter"}


def test_who_may_end_consents_and_view_nobody_is_told_the_same_of_everybody(
    vault: Vault, tokens: dict[str, str]
) -> None:
    """The preview says what a person allows, so it is refused before anybody is looked for."""
    roles = {**vault.policy.roles, "ender": Role(items="all", may=("consent",))}
    vault = replace(vault, policy=msgspec.structs.replace(vault.policy, roles=roles))
    token = add_operator(vault, admit(vault, login(vault, tokens["dpo"]), "operators"), "enno", ["ender"])
    client = Client(make_console(vault), token)
    assert [client.post("/v1/consents/revoke", {**WHO, "sender": each}).status for each in (SENDER, "nobody")] == [
        403,
        403,
    ]


@each_kind
def test_a_value_is_corrected_and_its_use_restricted(as_role: As, vault: Vault) -> None:
    """Wherever it is held; the consent stays, and is not used while it is restricted."""
    dpo = as_role("dpo")
    right = {**WHO, "item": "email", "value": "ana.li@example.com"}
    assert dpo.post("/v1/subjects/rectify", right).json() == {"purposes": ["draw", "newsletter"]}
    shown = dpo.post("/v1/subjects/show", {**WHO, "clear": True}).json()["values"]
    assert {each["value"] for each in shown if each["item"] == "email"} == {"ana.li@example.com"}
    assert dpo.post("/v1/subjects/restrict", {**WHO, "purposes": ["draw"]}).json() == {"purposes": ["draw"]}
    assert active(vault) == {"newsletter"}
    assert dpo.post("/v1/subjects/unrestrict", WHO).json() == {"purposes": ["draw"]}
    assert active(vault) == {"draw", "newsletter"}
    assert dpo.post("/v1/subjects/do-not-sell", WHO).json() == {"is_new": True}
    for lift, limited in ((False, True), (True, False)):
        said = {**WHO, "lift": lift}
        assert [dpo.post("/v1/subjects/limit-sensitive", said).json()["is_new"] for _ in range(2)] == [True, False]
        with vault.database.read() as conn:
            assert state_of(vault, conn, vault.subjects.find(conn, SENDER), vault.clock()).limited is limited
    assert dpo.post("/v1/subjects/restrict", {**WHO, "purposes": ["drow"]}).status == 409
    assert dpo.post("/v1/subjects/restrict", {"sender": "nobody"}).status == 404


@each_kind
def test_a_request_goes_its_way(as_role: As) -> None:
    """Opened, taken, extended once, refused for a reason of the law; what is closed stays as it is."""
    dpo = as_role("dpo")
    opened = dpo.post("/v1/requests", {**WHO, "kind": "access"}).json()
    path = f"/v1/requests/{opened['number']}"
    assert (opened["state"], opened["regulation"]) == ("received", "gdpr@2026-11")
    assert dpo.post(f"{path}/take", {"reason": REASON}).json()["owner"] == "olga"
    late = dpo.post(f"{path}/extend", {"because": "complexity", "told": "yes"}).json()
    assert late["answer_by"] > opened["answer_by"]
    assert dpo.post(f"{path}/extend", {"because": "complexity", "told": "yes"}).status == 409
    assert dpo.post(f"{path}/extend", {"because": "laziness", "told": "yes"}).status == 422
    assert dpo.get("/v1/requests?kind=access").json()["requests"][0]["number"] == opened["number"]
    assert dpo.get("/v1/requests?kind=access&kind=erasure").status == 422
    assert dpo.post(f"{path}/refuse", {"because": "excessive", "told": "yes"}).json()["state"] == "refused"
    assert dpo.post(f"{path}/complete", {}).status == 409
    steps = dpo.get(path, {"x-privacy-reason": "looking after it"}).json()["steps"]
    assert [each["step"] for each in steps] == ["received", "taken", "told_by_staff", "extended", "refused"]
    assert dpo.get("/v1/requests").json() == {"requests": []}
    assert dpo.get("/v1/requests/RQ-0000-0000-0000").status == 404
    assert dpo.get("/v1/requests/..%2f..%2fetc").status == 404


@each_kind
def test_an_extension_sends_its_notice_or_does_not_happen(vault: Vault, tokens: dict[str, str]) -> None:
    """Without a sender, and while it is away, the date stays; else the person is told and the history says so."""
    sent: list[tuple[str, str]] = []

    class Post:
        is_away = True

        def send(self, to: str, subject: str, _text: str) -> None:
            """Send a message."""
            if self.is_away:
                raise SenderError("the mail server does not answer")
            sent.append((to, subject))

    mute, post = Client(make_console(vault), tokens["dpo"]), Post()
    number = mute.post("/v1/requests", {**WHO, "kind": "access"}).json()["number"]
    path, body = f"/v1/requests/{number}", {"because": "complexity", "told": "notify"}
    assert mute.post(f"{path}/extend", body).status == 409
    dpo = Client(make_console(vault, open_sender=lambda: post), tokens["dpo"])
    assert dpo.post(f"{path}/extend", body).status == 503
    assert dpo.get(path).json()["request"]["state"] == "received"
    post.is_away = False
    assert dpo.post(f"{path}/extend", body).json()["state"] == "extended"
    assert sent == [("ana@example.com", f"Your request {number} takes longer")]
    assert [each["step"] for each in dpo.get(path).json()["steps"]] == ["received", "notice_sent", "extended"]
    assert dpo.post("/v1/requests/RQ-0000-0000-0000/extend", body).status == 404


@each_kind
def test_a_request_is_completed_where_the_deed_is_on_record(as_role: As) -> None:
    """Or where staff say that it was done elsewhere, for a reason of a closed list."""
    dpo = as_role("dpo")

    def opened(kind: str) -> str:
        return f"/v1/requests/{dpo.post('/v1/requests', {**WHO, 'kind': kind}).json()['number']}/complete"

    path = opened("rectification")
    refused = dpo.post(path, {})
    assert (refused.status, "no record tells" in refused.json()["detail"]) == (409, True)
    assert dpo.post(path, {"done_elsewhere": "because"}).status == 422
    assert dpo.post(path, {"done_elsewhere": "other_system"}).json()["reason"] == "other_system"
    path = opened("access")
    dpo.post("/v1/subjects/show", {**WHO, "reason": REASON})
    assert dpo.post(path, {}).json()["reason"] == "answered"
    assert dpo.post(opened("complaint"), {}).json()["state"] == "done"


@each_kind
def test_who_is_held_is_not_erased(as_role: As, vault: Vault) -> None:
    """One by one, by a list or by a day; until the matter is over."""
    dpo = as_role("dpo")
    assert dpo.post("/v1/holds", {**WHO, "matter": "case-17"}).json() == {"is_new": True}
    assert dpo.get("/v1/holds").json()["holds"][0]["matter"] == "case-17"
    assert dpo.post("/v1/subjects/erase", {**WHO, "confirm": True}).status == 409
    many = dpo.post("/v1/subjects/erase-many", {"senders": [SENDER], "confirm": True})
    line = {"place": 0, "outcome": "held", "certificate": "", "kept_by_law": [], "also": []}
    assert many.json()["lines"] == [line]
    assert len(held(vault)) > 0
    assert dpo.post("/v1/holds/release", {"matter": "case-17"}).status == 409
    assert dpo.post("/v1/holds/release", {"matter": "case-17", "everybody": True}).json()["people"] == 1
    assert dpo.post("/v1/subjects/erase", {**WHO, "confirm": True}).json()["erased"] is True


@each_kind
def test_a_part_of_a_person_is_erased(as_role: As, vault: Vault) -> None:
    """Said before, done after; the person stays, and twice is no error."""
    dpo, body = as_role("dpo"), {**WHO, "items": ["email"]}
    values = [
        {"purpose": "draw", "item": "email", "values": 1},
        {"purpose": "newsletter", "item": "email", "values": 1},
    ]
    said = dpo.post("/v1/subjects/erase", body).json()
    assert (said["erased"], said["parts"], held(vault)["draw"]["email"]) == (False, values, "ana@example.com")
    done = dpo.post("/v1/subjects/erase", {**body, "confirm": True}).json()
    assert (done["erased"], done["parts"], done["certificate"][:3]) == (True, values, "ER-")
    assert held(vault) == {"draw": {"full_name": "Ana Li"}}
    again = dpo.post("/v1/subjects/erase", {**body, "confirm": True}).json()
    assert (again["erased"], again["certificate"], again["parts"]) == (False, None, [])
    assert dpo.post("/v1/subjects/erase", {**WHO, "items": ["mail"]}).status == 409
    assert dpo.post("/v1/subjects/erase", {"sender": "nobody", "items": ["email"]}).status == 404
    assert as_role("clerk").post("/v1/subjects/erase", {**body, "confirm": True}).status == 403


@each_kind
def test_a_silent_hold_is_seen_by_who_looks_after_retention_alone(as_role: As, vault: Vault) -> None:
    """A support system that may find, hand out and erase learns that some data must be kept, and not of a hold."""
    dpo, crm = as_role("dpo"), as_role("crm")
    assert dpo.post("/v1/holds", {**WHO, "matter": "case-17", "silent": True}).json() == {"is_new": True}
    (listed,) = dpo.get("/v1/holds").json()["holds"]
    assert (listed["matter"], listed["is_silent"]) == ("case-17", True)
    assert dpo.post("/v1/subjects/find", WHO).json()["is_held"] is True
    refused = crm.post("/v1/subjects/erase", {**WHO, "confirm": True})
    many = crm.post("/v1/subjects/erase-many", {"senders": [SENDER], "confirm": True, "reason": REASON})
    found = crm.post("/v1/subjects/find", WHO)
    copy = crm.post("/v1/subjects/export", WHO)
    assert (refused.status, found.json()["is_held"], many.json()["lines"][0]["outcome"]) == (409, False, "must_stay")
    assert crm.get("/v1/holds").status == 403
    for answer in (refused, many, found, copy):
        assert "case-17" not in answer.body.decode()
        assert "legal hold" not in answer.body.decode()
    assert len(held(vault)) > 0


@each_kind
def test_people_are_erased_by_a_day(as_role: As, vault: Vault, clock: Clock) -> None:
    """Counted first; who was heard of since stays."""
    dpo = as_role("dpo")
    clock.advance(days=10)
    give(vault, {}, sender="web-8")
    day = f"{clock():%Y-%m-%d}"
    assert dpo.post("/v1/subjects/erase-silent", {"before": day}).json()["counts"] == {"erased": 1}
    assert len(held(vault)) > 0
    done = dpo.post("/v1/subjects/erase-silent", {"before": day, "confirm": True, "reason": REASON}).json()
    assert (done["erased"], done["counts"]) == (True, {"erased": 1})
    assert not held(vault)
    assert dpo.post("/v1/subjects/find", {"sender": "web-8"}).status == 200
    assert dpo.post("/v1/subjects/erase-silent", {"before": "2040-01-01", "confirm": True}).status == 409


@each_kind
def test_what_is_due_is_counted_and_removed(as_role: As, vault: Vault, clock: Clock) -> None:
    """By the rules of privacy.yml, a day ahead too."""
    dpo = as_role("dpo")
    officer = login(vault, str(dpo.token))
    dpo = replace(dpo, token=renew_token(vault, admit(vault, officer, "operators"), "olga", days=366))
    assert dpo.post("/v1/retention/plan", {}).json()["purposes"] == {}
    assert dpo.post("/v1/retention/plan", {"at": "2027-06-01"}).json()["purposes"]["draw"] == 1
    clock.advance(days=120)
    assert dpo.post("/v1/retention/run", {}).json()["left"] > 0
    assert "draw" in held(vault)
    swept = dpo.post("/v1/retention/run", {"confirm": True, "clock_is_right": True}).json()
    assert (swept["left"], swept["is_done"]) == (0, True)
    assert "draw" not in held(vault)


@each_kind
def test_the_audience_goes_out_line_by_line(as_role: As, vault: Vault) -> None:
    """Who is suppressed is not in it; that it began and how many it was is in the audit log."""
    mailer, call = as_role("mailer"), {"purpose": "newsletter", "item": "email", "reason": REASON}
    found = mailer.post("/v1/audience", call)
    assert found.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line) for line in found.body.splitlines()] == [{"sender": SENDER, "email": "ana@example.com"}]
    assert [(each.verb, each.outcome, each.counts) for each in records(vault)][-2:] == [
        ("audience", "begun", {}),
        ("audience", "done", {"people": 1}),
    ]
    dpo = as_role("dpo")
    assert dpo.post("/v1/suppressions", {"contacts": ["ana@example.com"]}).json() == {"changed": 1, "named": 1}
    assert dpo.post("/v1/suppressions/check", {"contacts": ["ana@example.com", "bo@example.com"]}).json() == {
        "contacts": ["operator", None],
        "senders": [],
    }
    assert mailer.post("/v1/audience", call).body == b""
    assert dpo.post("/v1/suppressions/lift", {"contacts": ["ana@example.com"]}).json()["changed"] == 0
    assert dpo.post("/v1/suppressions/lift", {"contacts": ["ana@example.com"], "confirm": True}).json()["changed"] == 1
    assert len(mailer.post("/v1/audience", call).body.splitlines()) == 1
    wrong = dpo.post("/v1/suppressions", {"contacts": ["ana@example.com", "no contact"]})
    assert (wrong.status, wrong.json()["detail"][:15]) == (422, "$.contacts[1]: ")
    assert mailer.post("/v1/audience", {**call, "purpose": "drow"}).status == 409


@each_kind
def test_the_status_has_figures_and_nobody(as_role: As) -> None:
    """Requests by kind, what is due, and who is still to be told."""
    dpo = as_role("dpo")
    dpo.post("/v1/requests", {**WHO, "kind": "access"})
    found = dpo.get("/v1/status").json()
    assert (found["requests"]["access"]["open"], found["systems_to_tell"]) == (1, 0)
