"""Calls that are wrong on purpose: what they are told, what they cost, and what they do not learn."""

import gzip
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from rasa_privacy.console import outreach
from rasa_privacy.console.app import Limits
from rasa_privacy.console.verbs import OPERATIONS, make_console
from rasa_privacy.errors import TamperedSegmentError
from rasa_privacy.rights import staff_access
from rasa_privacy.rights.audience import Recipient
from rasa_privacy.storage import requests
from rasa_privacy.storage.requests import Step
from rasa_privacy.storage.vault import Vault
from tests.console.conftest import As
from tests.console.test_verbs import CALLS, call
from tests.support.asgi import Client
from tests.support.vaults import SENDER

WHO = {"sender": SENDER, "reason": "ticket 17"}
FIND = "/v1/subjects/find"
CANARY = "canary-7Q2X@example.com"


def raw(client: Client, body: bytes, content_type: str | None = "application/json") -> tuple[int, str]:
    """Return status and body of a call with these bytes."""
    headers = {} if content_type is None else {"content-type": content_type}
    found = client.call("POST", FIND, [body], headers)
    return found.status, found.body.decode()


@pytest.mark.parametrize(
    "content_type",
    [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp"],
)
def test_only_json_is_read(as_role: As, content_type: str | None) -> None:
    """Whatever the bytes are."""
    assert raw(as_role("crm"), json.dumps(WHO).encode(), content_type)[0] == 415
    assert raw(as_role("crm"), json.dumps(WHO).encode(), "application/json; charset=utf-8")[0] == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b'{"sender": NaN}', 400),
        (b'{"sender": "\xff"}', 400),
        (b'\xef\xbb\xbf{"sender": "a"}', 400),
        (b'{"sender": "\\ud800"}', 400),
        (b'{"sender": "a"} {"sender": "b"}', 400),
        (b"[" * 100_000, 422),
        (b'{"sender": ' + b"[" * 100_000, 422),
        (b"[]", 422),
        (b"null", 422),
        (b'{"sender": 7}', 422),
        (b'{"sender": ""}', 422),
        (b'{"sender": "a\\u0000b"}', 422),
        (b'{"sender": "a\\nb"}', 422),
        (b'{"sender": "' + b"a" * 256 + b'"}', 422),
        (b'{"sender": "a", "canary": 1}', 422),
        (b'{"sender": "a", "reason": "a\\nb"}', 422),
        (b'{"reason": "a"}', 422),
    ],
)
def test_a_body_of_another_form_is_refused_and_not_repeated(as_role: As, body: bytes, status: int) -> None:
    """It is said where it is wrong; nothing of it comes back."""
    found, said = raw(as_role("crm"), body)
    assert found == status
    assert "canary" not in said


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_a_body_is_not_unpacked(as_role: As, encoding: str) -> None:
    """A small one could become as large as it likes."""
    body = gzip.compress(json.dumps(WHO).encode())
    found = as_role("crm").call(
        "POST", FIND, [body], {"content-type": "application/json", "content-encoding": encoding}
    )
    assert found.status == 400


def test_what_may_be_anything_may_not_be_deep(as_role: As) -> None:
    """The extensions of OpenDSR hold whatever a platform writes, and break nothing by it."""
    body = b'{"regulation": "gdpr", "extensions": {"x.example": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}"
    found = as_role("dpo").call("POST", "/v2/requests", [body], {"content-type": "application/json"})
    assert found.status == 400


def test_a_huge_body_is_not_read(as_role: As, vault: Vault) -> None:
    """Neither one that says so nor one that does not; and of nobody who is not let in."""
    crm = replace(as_role("crm"), app=make_console(vault, limits=Limits(body_bytes=1000)))
    declared = {"content-type": "application/json", "content-length": "1001"}
    assert crm.call("POST", FIND, [1000.0], declared).status == 413  # the pause would be noticed
    pieces: list[bytes | float] = [b" " * 400] * 3
    assert crm.call("POST", FIND, [*pieces, 1000.0], {"content-type": "application/json"}).status == 413
    assert crm.call("POST", FIND, [1.0], {"content-length": "9" * 5000}).status == 413
    assert replace(crm, token=None).call("POST", FIND, [1000.0], declared).status == 401


def test_who_is_slow_is_not_waited_for(as_role: As, vault: Vault) -> None:
    """A body has so long to come."""
    crm = replace(as_role("crm"), app=make_console(vault, limits=Limits(body_seconds=0.1)))
    assert crm.call("POST", FIND, [b"{", 1000.0], {"content-type": "application/json"}).status == 408


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/subjects",
        "/v1/subjects/find/",
        "//v1/subjects/find",
        "/v1/../v1/status",
        "/V1/status",
        "/docs",
        "/v1/requests/RQ-0000-0000-0000/take/x",
    ],
)
def test_what_is_not_there_is_not_guessed(as_role: As, path: str) -> None:
    """No redirect, no listing; the same with and without a token."""
    for client in (as_role("dpo"), as_role()):
        found = client.get(path)
        assert (found.status, found.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS"])
def test_another_method_is_told_the_right_one(as_role: As, method: str) -> None:
    """And nothing is done."""
    found = as_role("crm").call(method, FIND, [json.dumps(WHO).encode()], {"content-type": "application/json"})
    assert (found.status, found.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("reason", ["looking\tafter it", "nach Müller sehen", "after it\t"])
def test_a_reason_in_a_header_is_plain(as_role: As, reason: str) -> None:
    """What one server reads so and another otherwise does not get into the audit log."""
    assert as_role("dpo").get("/v1/holds", {"x-privacy-reason": reason}).status == 422
    assert as_role("dpo").get("/v1/holds", {"x-privacy-reason": "looking after it"}).status == 200


def test_a_person_in_the_address_is_refused(as_role: As) -> None:
    """It would stand in the logs of every proxy; it is not repeated either."""
    found = as_role("crm").post(f"{FIND}?sender={CANARY}", WHO)
    assert found.status == 422
    assert CANARY.encode() not in found.body


def test_every_answer_has_the_headers_that_keep_it_to_its_caller(as_role: As) -> None:
    """Not stored, not framed, not sniffed; with a number that the log names."""
    for found in (
        as_role("crm").post(FIND, WHO),
        as_role().post(FIND, WHO),
        as_role().get("/x"),
        as_role().get("/health"),
    ):
        assert found.headers["cache-control"] == "no-store"
        assert found.headers["x-content-type-options"] == "nosniff"
        assert len(found.headers["x-request-id"]) == 16


def test_an_answer_that_fails_in_the_middle_breaks_off(as_role: As, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nobody takes a half audience for the whole."""

    def broken(*_: object) -> Iterator[Any]:
        yield from [Recipient("a", "b")] * 300
        raise TamperedSegmentError("a segment was changed")

    monkeypatch.setattr(outreach, "audience", broken)
    found = as_role("mailer").post("/v1/audience", {"purpose": "newsletter", "item": "email", "reason": "ticket 17"})
    assert found.body.count(b"\n") == 200
    assert not found.is_whole


def test_an_unknown_error_says_its_kind_and_nothing_else(
    as_role: As, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its text may be somebody's."""

    def fails(*_: object) -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(staff_access, "find", fails)
    with caplog.at_level(logging.DEBUG):
        found = as_role("crm").post(FIND, WHO)
    assert found.status == 500
    assert CANARY not in found.body.decode() + caplog.text
    assert "RuntimeError" in caplog.text
    assert found.json()["request_id"] in caplog.text


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO, logging.WARNING])
def test_no_log_line_and_no_error_has_a_person_a_value_or_a_token(
    as_role: As, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Of any operation, right or wrong, at any level."""
    dpo = as_role("dpo")
    number = dpo.post("/v1/requests", {"sender": CANARY, "kind": "access"}).json()["number"]
    with caplog.at_level(level):
        for each in OPERATIONS:
            body = CALLS[each.name][1]
            if body is None:
                call(dpo, each, number, None)
                continue
            about = {
                **body,
                **({"sender": CANARY} if "sender" in body else {}),
                **({"value": CANARY} if "value" in body else {}),
            }
            for sent in (about, {**about, CANARY: CANARY}, {**about, "reason": CANARY}):
                found = call(dpo, each, number, sent)
                if found.status >= 400:
                    assert CANARY not in found.body.decode()
    assert (level > logging.INFO) or "POST /v1/subjects/find" in caplog.text
    for word in (CANARY, SENDER, "Ana Li", "ana@example", str(dpo.token), str(dpo.token)[-43:], "192.0.2"):
        assert word not in caplog.text


def test_a_regulation_that_cannot_be_read_is_a_conflict_and_says_why(as_role: As, vault: Vault) -> None:
    """A request runs by a profile whose file is gone: the date stays, and the answer names what is missing."""
    number = as_role("dpo").post("/v1/requests", {**WHO, "kind": "access"}).json()["number"]
    with vault.database.write() as connection:
        found = requests.find(connection, number)
        assert found is not None
        requests.replace(
            connection, replace(found, regulation="house@2026-12"), Step(vault.clock(), "taken", "x", None)
        )
    refused = as_role("dpo").post(f"/v1/requests/{number}/extend", {"because": "complexity", "told": "yes"})
    assert refused.status == 409
    assert "there is no profile 'house@2026-12'" in refused.json()["detail"]
