"""OpenDSR 2.0: requests that are passed on, their status, their end, and who is told."""

import base64
import io
import json
import logging
import threading
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from uuid import UUID, uuid4

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from rasa_privacy.console.verbs import make_console
from rasa_privacy.policy.operations import HandOver, Identity, Role
from rasa_privacy.rights.handover import offer
from rasa_privacy.rights.identity import remember
from rasa_privacy.rights.opendsr import OpenDsr
from rasa_privacy.rights.opendsr_callbacks import tell
from rasa_privacy.rights.requests import open_request, take
from rasa_privacy.storage import dsr_rows
from rasa_privacy.storage.requests import iterate
from rasa_privacy.storage.vault import Vault
from tests.console.conftest import HOOK
from tests.console.test_handover_route import FORM
from tests.support.asgi import Answer, Client
from tests.support.certificates import DOMAIN
from tests.support.databases import EACH_KIND
from tests.support.operators import records
from tests.support.vaults import SENDER, Clock, held

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
ID = "a7551968-d5d6-44b2-9831-815ac9017798"


@pytest.fixture
def platform(vault: Vault, tokens: dict[str, str], opendsr: OpenDsr) -> Client:
    """Return a client as a consent platform is one."""
    return Client(make_console(vault, set_up=opendsr), tokens["dpo"])


def request(**changes: Any) -> dict[str, Any]:
    """Return a request of the person."""
    identity = {"identity_type": "controller_customer_id", "identity_value": SENDER, "identity_format": "raw"}
    return {
        "regulation": "gdpr",
        "subject_request_id": ID,
        "subject_request_type": "erasure",
        "submitted_time": "2026-11-20T15:00:00Z",
        "subject_identities": [identity],
        "api_version": "2.0",
        "status_callback_urls": [HOOK],
        **changes,
    }


def check_signature(answer: Answer, opendsr: OpenDsr) -> None:
    """Check what a controller checks."""
    assert answer.headers["x-opendsr-processor-domain"] == DOMAIN
    verify(opendsr, answer.headers["x-opendsr-signature"], answer.body)


def verify(opendsr: OpenDsr, signature: str, body: bytes) -> None:
    """Check a signature by the certificate."""
    public = x509.load_pem_x509_certificate(opendsr.signer.chain).public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(base64.b64decode(signature), body, ec.ECDSA(SHA256()))


def test_discovery_says_what_there_is(platform: Client, opendsr: OpenDsr, vault: Vault) -> None:
    """To everybody, with the certificate; where it is not set up, that."""
    nobody = Client(platform.app)
    found = nobody.get("/v2/discovery").json()
    assert found["api_version"] == "2.0"
    assert found["supported_identities"] == [{"identity_type": "controller_customer_id", "identity_format": "raw"}]
    assert found["processor_certificate"] == f"https://{DOMAIN}/v2/certificate.pem"
    assert nobody.get("/v2/certificate.pem").body == opendsr.signer.chain
    without = Client(make_console(vault), platform.token)
    assert without.get("/v2/discovery").status == 404
    assert without.post("/v2/requests", request()).status == 404


@each_kind
def test_a_request_is_received_with_the_clock_of_the_person(platform: Client, opendsr: OpenDsr, vault: Vault) -> None:
    """Signed; asked again it is the same; its status is that of our request; nothing is erased by itself."""
    answer = platform.post("/v2/requests", request())
    assert answer.status == 201
    check_signature(answer, opendsr)
    made = answer.json()
    assert (made["controller_id"], made["subject_request_id"]) == ("northwind", ID)
    assert made["expected_completion_time"] == "2026-12-20T15:00:00Z"
    assert json.loads(base64.b64decode(made["encoded_request"])) == request()
    assert platform.post("/v2/requests", request()).json() == made
    assert platform.post("/v2/requests", request(subject_request_type="access")).status == 409
    status = platform.get(f"/v2/requests/{ID}")
    check_signature(status, opendsr)
    assert status.json()["request_status"] == "pending"
    (number,) = (each["number"] for each in platform.get("/v1/requests").json()["requests"])
    vault.database.transact(lambda conn: take(conn, number, "olga", vault.clock()))
    assert platform.get(f"/v2/requests/{ID}").json()["request_status"] == "in_progress"
    assert platform.call("DELETE", f"/v2/requests/{ID}", [], {}).status == 409
    assert len(held(vault)) > 0
    erase = {"sender": SENDER, "confirm": True, "reason": "ticket 17"}
    assert platform.post("/v1/subjects/erase", erase).json()["erased"] is True
    assert platform.get(f"/v2/requests/{ID}").json()["request_status"] == "completed"
    assert not held(vault)


@each_kind
def test_the_same_request_that_comes_several_times_at_once_is_one(platform: Client, vault: Vault) -> None:
    """A platform that asks again before it has an answer; of somebody who is stored, and of nobody."""
    for sender in (SENDER, "nobody"):
        identity = {"identity_type": "controller_customer_id", "identity_value": sender, "identity_format": "raw"}
        sent = request(subject_identities=[identity], subject_request_id=str(uuid4()), subject_request_type="access")
        begin, answers = threading.Barrier(4), list[Answer]()

        def call(begin: threading.Barrier = begin, sent: Any = sent, answers: list[Answer] = answers) -> None:
            mine = replace(platform)
            begin.wait(60)
            answers.append(mine.post("/v2/requests", sent))

        calls = [threading.Thread(target=call) for _ in range(4)]
        for each in calls:
            each.start()
        for each in calls:
            each.join()
        assert [each.status for each in answers] == [201] * 4
        assert len({each.body for each in answers}) == 1
    with vault.database.read() as connection:
        assert len([each for each in iterate(connection) if each.kind == "access"]) == 2


@each_kind
def test_an_erasure_may_be_done_at_once(platform: Client, vault: Vault) -> None:
    """Where the other system says so under our domain, and its operator may erase."""
    at_once = request(extensions={DOMAIN: {"act": "now"}, "other.example": {"what": ["ever"]}})
    assert platform.post("/v2/requests", at_once).status == 201
    assert platform.get(f"/v2/requests/{ID}").json()["request_status"] == "completed"
    assert not held(vault)
    wrong = request(extensions={DOMAIN: {"act": "now"}}, subject_request_type="access")
    assert platform.post("/v2/requests", wrong).status == 400


def test_who_is_held_stays_pending(platform: Client, vault: Vault) -> None:
    """Staff see it, and answer."""
    platform.post("/v1/holds", {"sender": SENDER, "matter": "case-17"})
    assert platform.post("/v2/requests", request(extensions={DOMAIN: {"act": "now"}})).status == 201
    assert platform.get(f"/v2/requests/{ID}").json()["request_status"] == "pending"
    assert len(held(vault)) > 0


def test_of_whom_nothing_is_stored_it_is_answered_at_once(platform: Client) -> None:
    """Also for somebody who is known under another type of identity."""
    nobody = {"identity_type": "controller_customer_id", "identity_value": "nobody", "identity_format": "raw"}
    assert platform.post("/v2/requests", request(subject_identities=[nobody])).status == 201
    assert platform.get(f"/v2/requests/{ID}").json()["request_status"] == "completed"


@each_kind
def test_what_is_pending_is_cancelled(platform: Client, opendsr: OpenDsr) -> None:
    """By who passed it on, once."""
    platform.post("/v2/requests", request())
    answer = platform.call("DELETE", f"/v2/requests/{ID}", [], {})
    assert answer.status == 202
    check_signature(answer, opendsr)
    assert platform.get(f"/v2/requests/{ID}").json()["request_status"] == "cancelled"
    assert platform.call("DELETE", f"/v2/requests/{ID}", [], {}).status == 409
    other = ID.replace("a7", "b7")
    assert platform.call("DELETE", f"/v2/requests/{other}", [], {}).status == 404
    assert platform.get("/v2/requests/no-uuid").status == 404


def test_what_the_person_asked_for_is_not_cancelled_by_another_system(platform: Client, vault: Vault) -> None:
    """It has the same number, and another beginning."""
    vault.database.transact(
        lambda conn: open_request(vault, conn, "erasure", vault.subjects.find(conn, SENDER), vault.clock())
    )
    platform.post("/v2/requests", request())
    refused = platform.call("DELETE", f"/v2/requests/{ID}", [], {})
    assert (refused.status, "the person asked" in refused.json()["error"]["message"]) == (409, True)
    assert len(platform.get("/v1/requests").json()["requests"]) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"status_callback_urls": ["https://169.254.169.254/latest/meta-data"]},
        {"status_callback_urls": [HOOK + "/../../admin"]},
        {"status_callback_urls": ["file:///etc/passwd"]},
        {"subject_identities": []},
        {"subject_identities": [{"identity_type": "email", "identity_value": "a@b.example", "identity_format": "raw"}]},
        {"subject_request_id": ID.upper()},
        {"subject_request_id": "a7551968-d5d6-14b2-9831-815ac9017798"},
        {"subject_request_type": "deletion"},
        {"regulation": "lgpd"},
        {"submitted_time": "2026-11-20T15:00:00"},
        {"submitted_time": "2036-11-20T15:00:00Z"},
        {"api_version": "1.0"},
        {"extensions": {DOMAIN: {"act": "later"}}},
        {"canary": 1},
    ],
)
def test_what_is_not_of_the_form_is_an_error_of_opendsr(platform: Client, change: dict[str, Any]) -> None:
    """400 with its error object, and nothing of the person; no URL is called that endpoints.yml does not name."""
    answer = platform.post("/v2/requests", request(**change))
    assert (answer.status, answer.json()["error"]["code"]) == (400, 400)
    assert SENDER not in answer.body.decode()
    assert platform.get("/v1/requests").json() == {"requests": []}


def test_an_email_address_finds_who_gave_it(vault: Vault, tokens: dict[str, str], opendsr: OpenDsr) -> None:
    """By its keyed hash, where privacy.yml lets people be found so, and endpoints.yml lists the type."""
    vault = replace(vault, policy=msgspec.structs.replace(vault.policy, identity=Identity()))
    with vault.database.write() as conn:
        subject_id = vault.subjects.find(conn, SENDER)
        assert subject_id is not None
        remember(vault, conn, subject_id, {"draw": [[0, ["value"], "email", "ana@example.com"]]})
    settings = replace(opendsr.settings, identities=("controller_customer_id", "email"))
    platform = Client(make_console(vault, set_up=replace(opendsr, settings=settings)), tokens["dpo"])
    for address, person in (("Ana@example.com", True), ("bo@example.com", False), ("no address", False)):
        identity = {"identity_type": "email", "identity_value": address, "identity_format": "raw"}
        sent = request(subject_identities=[identity], subject_request_id=str(uuid4()))
        assert platform.post("/v2/requests", sent).status == 201
        status = platform.get(f"/v2/requests/{sent['subject_request_id']}").json()["request_status"]
        assert (status == "pending") is person, address


def test_two_people_in_one_request_are_refused(platform: Client, vault: Vault) -> None:
    """One request is one person's."""
    identities = [
        {"identity_type": "controller_customer_id", "identity_value": each, "identity_format": "raw"}
        for each in (SENDER, "web-8")
    ]
    vault.database.transact(lambda conn: vault.subjects.find_or_create(conn, "web-8", vault.clock()))
    assert platform.post("/v2/requests", request(subject_identities=identities)).status == 409


def test_a_role_without_the_verb_is_refused_before_anybody_is_looked_for(
    tokens: dict[str, str], vault: Vault, opendsr: OpenDsr, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whom an address belongs to is not found out for somebody who may not ask."""
    looked_for = Mock(return_value=[])
    monkeypatch.setattr("rasa_privacy.console.opendsr.senders_of", looked_for)
    email = {"identity_type": "email", "identity_value": "ana@example.com", "identity_format": "raw"}
    clerk = Client(make_console(vault, set_up=opendsr), tokens["clerk"])
    assert clerk.post("/v2/requests", request(subject_identities=[email])).status == 403
    looked_for.assert_not_called()


def test_a_role_without_the_verb_passes_nothing_on(platform: Client, tokens: dict[str, str], vault: Vault) -> None:
    """And is in the audit log; erasing at once needs the role that may erase, before anything is opened."""
    medic = Client(platform.app, tokens["medic"])
    assert medic.post("/v2/requests", request()).status == 403
    assert (records(vault)[-1].verb, records(vault)[-1].outcome) == ("requests", "refused")
    assert Client(platform.app).post("/v2/requests", request()).json()["error"]["code"] == 401


class Hook:
    """Receives callbacks, and answers as it is told."""

    def __init__(self, *answers: int | Exception) -> None:
        self.answers = list(answers)
        self.got: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self.bodies: list[bytes] = []

    def __call__(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """Take one."""
        self.got.append((url, json.loads(body), headers))
        self.bodies.append(body)
        answer = self.answers.pop(0) if self.answers else 202
        if isinstance(answer, Exception):
            raise answer
        return answer, b""


@each_kind
def test_a_change_is_told_once_signed_and_again_until_it_is_heard(
    platform: Client, vault: Vault, opendsr: OpenDsr, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """First nothing, then the change, again after a failure; at the end nothing more."""
    platform.post("/v2/requests", request())
    hook = Hook(500, OSError(f"no route for {SENDER}"), 202)
    assert (tell(vault, opendsr, clock(), hook), hook.got) == (0, [])
    (number,) = (each["number"] for each in platform.get("/v1/requests").json()["requests"])
    vault.database.transact(lambda conn: take(conn, number, "olga", vault.clock()))
    with caplog.at_level(logging.DEBUG):
        assert tell(vault, opendsr, clock(), hook) == 0
        assert tell(vault, opendsr, clock(), hook) == 0
        assert len(hook.got) == 1
        assert tell(vault, opendsr, clock.advance(minutes=1), hook) == 0
        assert tell(vault, opendsr, clock.advance(minutes=2), hook) == 1
    url, content, headers = hook.got[-1]
    assert (url, content["status_callback_url"], content["request_status"]) == (HOOK, HOOK, "in_progress")
    assert headers["X-OpenDSR-Processor-Domain"] == DOMAIN
    verify(opendsr, headers["X-OpenDSR-Signature"], hook.bodies[-1])
    assert tell(vault, opendsr, clock.advance(hours=7), hook) == 0
    platform.post("/v1/subjects/erase", {"sender": SENDER, "confirm": True, "reason": "ticket 17"})
    assert tell(vault, opendsr, clock(), hook) == 1
    assert hook.got[-1][1]["request_status"] == "completed"
    assert tell(vault, opendsr, clock.advance(days=1), hook) == 0
    assert len(hook.got) == 4
    assert SENDER not in caplog.text
    assert "consent.example" not in caplog.text
    assert SENDER.encode() not in b"".join(hook.bodies)


def test_a_url_that_endpoints_does_not_name_any_more_is_not_called(
    platform: Client, vault: Vault, opendsr: OpenDsr, clock: Clock
) -> None:
    """Neither where somebody wrote one into the table."""
    platform.post("/v2/requests", request())
    with vault.database.read() as connection:
        row = dsr_rows.find(connection, UUID(ID))
    assert row is not None
    platform.call("DELETE", f"/v2/requests/{ID}", [], {})
    hook = Hook()
    settings = type(opendsr.settings)(DOMAIN, "northwind", Path("a"), Path("b"), ("https://other.example/",))
    assert tell(vault, OpenDsr(settings, opendsr.signer), clock(), hook) == 1
    assert hook.got == []


def test_it_gives_up_after_a_month_and_says_so(
    platform: Client, vault: Vault, opendsr: OpenDsr, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """The status can still be asked for."""
    platform.post("/v2/requests", request())
    platform.call("DELETE", f"/v2/requests/{ID}", [], {})
    hook = Hook(*[503] * 200)
    for _ in range(140):
        tell(vault, opendsr, clock.advance(hours=6), hook)
    assert 100 < len(hook.got) < 140
    assert "was not told of its status in time" in caplog.text


@pytest.fixture
def with_links(vault: Vault) -> Vault:
    """Return the store of a bot that hands copies over."""
    return replace(vault, policy=msgspec.structs.replace(vault.policy, handover=HandOver(url="https://bot.example")))


@each_kind
@pytest.mark.parametrize("asked", ["access", "portability"])
def test_what_is_asked_for_is_collected_by_a_link(
    with_links: Vault, tokens: dict[str, str], opendsr: OpenDsr, clock: Clock, asked: str
) -> None:
    """At once, where the platform may hand out copies: told with the change, signed, the same each time, used once."""
    vault = with_links
    platform = Client(make_console(vault, set_up=opendsr), tokens["dpo"])
    for _ in range(2):
        assert platform.post("/v2/requests", request(subject_request_type=asked)).status == 201
    status = platform.get(f"/v2/requests/{ID}")
    check_signature(status, opendsr)
    link = status.json()["results_url"]
    assert status.json()["request_status"] == "completed"
    hook = Hook(500, 202)
    assert [tell(vault, opendsr, clock.advance(minutes=each), hook) for each in (1, 2)] == [0, 1]
    for (_url, content, headers), body in zip(hook.got, hook.bodies, strict=True):
        assert (content["request_status"], content["results_url"]) == ("completed", link)
        verify(opendsr, headers["X-OpenDSR-Signature"], body)
    collected = platform.call("POST", link.removeprefix("https://bot.example"), [b"passphrase="], FORM)
    with zipfile.ZipFile(io.BytesIO(collected.body)) as packed:
        assert json.loads(packed.read("data.json"))["sender_id"] == SENDER
    assert platform.call("POST", link.removeprefix("https://bot.example"), [b"passphrase="], FORM).status == 404
    assert platform.get(f"/v2/requests/{ID}").json()["results_url"] is None
    assert {each.verb for each in records(vault)} >= {"requests", "export"}
    with vault.database.read() as connection:
        assert [each.state for each in iterate(connection)] == ["done"]


def test_a_link_for_a_result_ends_with_its_time_and_with_the_person(
    with_links: Vault, tokens: dict[str, str], opendsr: OpenDsr, clock: Clock
) -> None:
    """It is neither in the database nor in what was signed before; the person's own link stays beside it."""
    platform = Client(make_console(with_links, set_up=opendsr), tokens["dpo"])
    own = with_links.database.transact(lambda conn: offer(with_links, conn, SENDER, with_links.clock())).url
    platform.post("/v2/requests", request(subject_request_type="access"))
    other = ID.replace("a7", "b7")
    platform.post("/v2/requests", request(subject_request_type="access", subject_request_id=other))
    links = [platform.get(f"/v2/requests/{each}").json()["results_url"] for each in (ID, other)]
    assert len({*links, own}) == 3
    for each in (*links, own):
        assert platform.get(each.removeprefix("https://bot.example")).status == 200
    platform.post("/v1/subjects/erase", {"sender": SENDER, "confirm": True, "reason": "ticket 17"})
    for each in (*links, own):
        assert platform.get(each.removeprefix("https://bot.example")).status == 404
    clock.advance(hours=24)
    assert platform.get(f"/v2/requests/{ID}").json()["results_url"] is None


def test_who_may_not_hand_out_copies_gets_no_link(with_links: Vault, tokens: dict[str, str], opendsr: OpenDsr) -> None:
    """The request waits for staff then; and the link of another's request is not shown to them."""
    roles = {**with_links.policy.roles, "clerk": Role(may=("requests",))}
    vault = replace(with_links, policy=msgspec.structs.replace(with_links.policy, roles=roles))
    app = make_console(vault, set_up=opendsr)
    clerk, officer = Client(app, tokens["clerk"]), Client(app, tokens["dpo"])
    assert clerk.post("/v2/requests", request(subject_request_type="access")).status == 201
    waiting = clerk.get(f"/v2/requests/{ID}").json()
    assert (waiting["request_status"], waiting["results_url"]) == ("pending", None)
    assert "refused" not in {each.outcome for each in records(vault)}
    other = ID.replace("a7", "b7")
    officer.post("/v2/requests", request(subject_request_type="portability", subject_request_id=other))
    assert officer.get(f"/v2/requests/{other}").json()["results_url"] is not None
    assert clerk.get(f"/v2/requests/{other}").json()["results_url"] is None


def test_what_the_person_asked_for_is_answered_to_the_person(
    with_links: Vault, tokens: dict[str, str], opendsr: OpenDsr
) -> None:
    """Another system's request for the same does not end it."""
    with_links.database.transact(lambda conn: offer(with_links, conn, SENDER, with_links.clock()))
    platform = Client(make_console(with_links, set_up=opendsr), tokens["dpo"])
    platform.post("/v2/requests", request(subject_request_type="portability"))
    found = platform.get(f"/v2/requests/{ID}").json()
    assert (found["request_status"], found["results_url"]) == ("pending", None)
