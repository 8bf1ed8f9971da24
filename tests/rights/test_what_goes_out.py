"""Marked personal data is searched for in what leaves the store for the rights: none is there, or nobody else's."""

import io
import json
import logging
import re
import zipfile
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from rasa_privacy.access.permit import issue
from rasa_privacy.policy.operations import Erasure, OtherSystem
from rasa_privacy.rights.certificate_files import json_file, page_file
from rasa_privacy.rights.certificates import certificate
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.extension import extend_with_notice
from rasa_privacy.rights.portability import copy_chunks
from rasa_privacy.rights.reminders import remind
from rasa_privacy.rights.requests import open_request
from rasa_privacy.rights.staff_access import hand_out
from rasa_privacy.rights.training_messages import Gathered, as_yaml, training_messages
from rasa_privacy.rights.webhooks import deliver
from rasa_privacy.storage.requests import steps_of
from rasa_privacy.storage.vault import Vault
from tests.support.vaults import Clock, evidence, give, grant

PERSON, OTHER = "+4915199CANARYsender", "+4915188CANARYother"
NAME, EMAIL = "Jane CANARYvalue", "jane@canarymail.example"
MARK = re.compile("canary", re.IGNORECASE)


def people(vault: Vault) -> list[str]:
    """Let two people agree, give values and say them; return their random ids in hexadecimal."""
    ids = []
    for sender, name, email in ((PERSON, NAME, EMAIL), (OTHER, "Bob CANARYothers", "bob@canaryother.example")):
        ids.append(grant(vault, "draw", sender=sender).hex())
        give(vault, {"draw": {"full_name": name, "email": email}}, sender)
        said = {
            "event": "user",
            "timestamp": 1.0,
            "text": f"I am {name}, {email}",
            "parse_data": {"intent": {"name": "a"}},
        }
        with vault.database.write() as conn:
            version, _ = vault.conversations.head(conn, sender)
            vault.conversations.append(conn, sender, version, [said], {}, [], vault.clock())
    return ids


@pytest.fixture
def told(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> Vault:
    """Return the store of a bot with another system that is told of erasures."""
    monkeypatch.setenv("CRM", "secret of the crm")
    crm = OtherSystem(name="crm", url="https://crm.example/erasures", secret="CRM")
    return replace(vault, policy=msgspec.structs.replace(vault.policy, erasure=Erasure(webhooks=(crm,))))


def permit(verb: str) -> Any:
    """Return a permit that reaches everything."""
    return issue(operator="eva", role="dpo", verb=verb, reason="by letter", items=None, purposes=None, clear=True)


@pytest.mark.parametrize("status", [200, 500])
def test_another_system_gets_the_sender_id_alone(
    told: Vault, clock: Clock, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """In the body, in the one field for it, and not in a header; the log has nothing of the person at any level."""
    caplog.set_level(logging.DEBUG)
    ids, sent = people(told), list[tuple[str, bytes, dict[str, str]]]()

    def take(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        sent.append((url, body, headers))
        return status, json.dumps({"result": "done", "about": PERSON}).encode()

    assert erase(told, PERSON, evidence(told)) is not None
    deliver(told, clock(), take)
    ((url, body, headers),) = sent
    payload = json.loads(body)
    assert payload.pop("sender_ids") == [PERSON]
    assert payload.keys() == {"type", "delivery", "store", "certificate", "erased_at"}
    outside = f"{url}{payload}{headers}{caplog.text}"
    assert not MARK.search(outside)
    assert not any(each in outside for each in ids)


@pytest.mark.parametrize("answer", [b'{"result": "done"}', f'{{"result": "{PERSON}"}}'.encode()])
def test_a_certificate_holds_nobody(told: Vault, clock: Clock, answer: bytes) -> None:
    """Neither as JSON nor as a page, whatever another system answered."""
    ids = people(told)
    done = erase(told, PERSON, evidence(told))
    assert done is not None
    deliver(told, clock(), lambda *_: (200, answer))
    made = certificate(told, done.number, clock())
    for raw in (json_file(told, made), page_file(told, made, "en")):
        assert not MARK.search(raw.decode())
        assert not any(each in raw.decode() for each in ids)


def test_a_reminder_holds_nobody(vault: Vault, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """Nor does the log, for requests of people of whom everything is known."""
    caplog.set_level(logging.DEBUG)
    mails: list[str] = []

    class Box:
        def send(self, *mail: str) -> None:
            mails.append("\n".join(mail))

    ids = people(vault)
    for each in ids:
        with vault.database.write() as conn:
            open_request(vault, conn, "access", bytes.fromhex(each), clock())
    assert remind(vault, Box(), clock.advance(days=40)) == 2
    outside = f"{mails}{caplog.text}"
    assert outside.count("(access): answer OVERDUE") == 2
    assert not MARK.search(outside)
    assert not any(each in outside for each in ids)


def test_a_notice_of_an_extension_names_nobody(vault: Vault, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """It goes to the contact on file, and holds no value; the log and what is recorded of it hold neither."""
    caplog.set_level(logging.DEBUG)
    mails: list[tuple[str, str, str]] = []

    class Box:
        def send(self, to: str, subject: str, text: str) -> None:
            mails.append((to, subject, text))

    ids = people(vault)
    with vault.database.write() as conn:
        number = open_request(vault, conn, "access", bytes.fromhex(ids[0]), clock()).number
    extend_with_notice(vault, number, "complexity", permit("requests"), Box)
    ((to, *said),) = mails
    assert to == EMAIL
    assert number in said[0]
    with vault.database.read() as conn:
        outside = f"{said}{caplog.text}{steps_of(conn, number)}"
    assert not MARK.search(outside)
    assert not any(each in outside for each in ids)


def test_a_copy_is_about_one_person(vault: Vault) -> None:
    """No byte of anybody else is in a file of the zip."""
    _, other = people(vault)
    (made,) = hand_out(vault, PERSON, permit("export"))
    with zipfile.ZipFile(io.BytesIO(b"".join(copy_chunks([made])))) as packed:
        files = {name: packed.read(name).decode() for name in packed.namelist()}
        assert not MARK.search(repr(packed.infolist()) + repr(packed.comment))
    for name in ("data.json", "data.html"):
        assert NAME in files[name]
        assert EMAIL in files[name]
    assert all("canaryother" not in text.lower() and other not in text for text in files.values())
    assert not MARK.search(files["personal_data.schema.json"])


def test_training_messages_hold_nobody(vault: Vault, caplog: pytest.LogCaptureFixture) -> None:
    """What people gave is masked in what they said, and no sender is named."""
    caplog.set_level(logging.DEBUG)
    ids = people(vault)
    outside = as_yaml(training_messages(vault, permit("export"), None, Gathered())).decode()
    assert "I am [full_name], [email]" in outside
    assert not MARK.search(outside + caplog.text)
    assert not any(each in outside for each in ids)
