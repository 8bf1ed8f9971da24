"""Receipts hold every mandatory field, are valid JSON-LD, and cannot be changed."""

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from pyld import jsonld

from rasa_privacy.consent.ledger import record_withdrawal
from rasa_privacy.consent.receipt_forms import iso_duration
from rasa_privacy.consent.receipts import FORMS, Form, open_receipt, receipt, sign_receipt
from rasa_privacy.consent.restrictions import record_restriction
from rasa_privacy.crypto.signing import SigningKey
from rasa_privacy.errors import LedgerError, SignatureError
from rasa_privacy.policy.model import Storage
from rasa_privacy.storage.vault import Vault
from tests.support.vaults import SENDER, Clock, active, answer, ask, evidence, give, grant

POSTCODE = "draw:postcode"
SCHEMAS = {form: json.loads((Path(__file__).parents[1] / f"schemas/receipt_{form}.json").read_text()) for form in FORMS}


def make(vault: Vault, subject_id: bytes, purpose: str = "draw", form: Form = "27560") -> dict[str, Any]:
    """Make a receipt now."""
    with vault.database.read() as connection:
        return receipt(vault, connection, subject_id, purpose, vault.clock(), form)


@pytest.fixture
def person(vault: Vault) -> bytes:
    """Return somebody who said yes and gave values."""
    subject_id = grant(vault, "draw", "newsletter")
    give(vault, {"draw": {"full_name": "Ana Lindqvist", "email": "ana@example.com"}})
    return subject_id


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("purpose", ["draw", "newsletter"])
def test_a_receipt_has_every_mandatory_field(vault: Vault, person: bytes, form: Form, purpose: str) -> None:
    """It fits the schema that was made from the standard's list of fields."""
    made = make(vault, person, purpose, form)
    assert [error.message for error in jsonschema.Draft202012Validator(SCHEMAS[form]).iter_errors(made)] == []
    assert set(SCHEMAS[form]["required"]) <= set(made)


def mandatory(schema: dict[str, Any], path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each mandatory field of a schema; the first one of a list stands for all."""
    for name in schema.get("required", ()):
        yield (*path, name)
        below = schema["properties"].get(name, {})
        step: tuple[Any, ...] = ()
        while below.get("type") == "array":
            below, step = below["items"], (*step, 0)
        yield from (
            mandatory(below, (*path, name, *step)) if below.get("type") == "object" and "properties" in below else ()
        )


FIELDS = [(form, path) for form in FORMS for path in mandatory(SCHEMAS[form])]


def test_the_lists_of_fields_are_not_empty() -> None:
    """Else the next test would test nothing."""
    assert len([1 for form, _ in FIELDS if form == "27560"]) == 31
    assert len([1 for form, _ in FIELDS if form == "kantara"]) == 23


@pytest.mark.parametrize(("form", "path"), FIELDS)
def test_without_any_one_of_them_it_is_no_receipt(
    vault: Vault, person: bytes, form: Form, path: tuple[Any, ...]
) -> None:
    """Each mandatory field, taken away once, makes the schema fail."""
    made = copy.deepcopy(make(vault, person, form=form))
    place: Any = made
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    with pytest.raises(jsonschema.ValidationError, match=f"'{path[-1]}' is a required property"):
        jsonschema.validate(made, SCHEMAS[form])


def test_every_field_has_a_meaning_in_the_vocabulary(vault: Vault, person: bytes) -> None:
    """Expanded as JSON-LD no field is lost, and each has the IRI of a term of DPV or Dublin Core."""
    made = make(vault, person)
    (expanded,) = jsonld.expand(made)
    assert set(_keys(made)) - {"@context", "@type"} <= set(made["@context"])
    for key in _keys(expanded):
        assert key.startswith(("https://w3id.org/dpv#", "http://purl.org/dc/terms/", "@")), key
    (record,) = expanded["https://w3id.org/dpv#hasRecordOfActivity"]
    assert record["https://w3id.org/dpv#hasConsentStatus"] == [{"@id": "https://w3id.org/dpv#ConsentGiven"}]


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _keys(each)
    elif isinstance(value, dict):
        for key, below in value.items():
            yield key
            if key != "@context":
                yield from _keys(below)


def test_a_receipt_tells_what_was_agreed_to(vault: Vault, person: bytes) -> None:
    """Question and answer, kinds of data, retention and withdrawal; no value and no sender id."""
    made = make(vault, person)
    record = made["record"]
    (processing,), (party,) = record["processing"], record["parties"]
    assert [each["event_state"] for each in record["events"]] == ["dpv:ConsentRequested", "dpv:ConsentGiven"]
    assert [each["entity_id"] for each in record["events"]] == ["controller", record["pii_principal_id"]]
    assert {each["validity_duration"] for each in record["events"]} == {"P12M"}
    assert [each["pii_type"] for each in processing["pii_information"]] == ["email", "full_name", "postcode"]
    assert [each["pii_optional"] for each in processing["pii_information"]] == [False, False, True]
    assert (processing["retention_period"], processing["purpose"]) == ("P90D", "to enter you in the draw")
    assert processing["privacy_notice"]["text"] == "May we?"
    assert party["party_name"] == "Northwind Outdoor"
    for form in FORMS:
        written = json.dumps(make(vault, person, form=form))
        assert not [secret for secret in (SENDER, "Ana", "Lindqvist", "ana@example.com") if secret in written]


def test_what_privacy_yml_does_not_say_is_said_to_be_missing(vault: Vault, person: bytes) -> None:
    """And what it says stands in its place."""
    processing = make(vault, person)["record"]["processing"][0]
    assert (processing["jurisdiction"], processing["storage_locations"]) == (["not stated"], ["not stated"])
    controller = msgspec.structs.replace(vault.policy.controller, address="Main St 1", country="DE", phone="+49 30 1")
    changed = msgspec.structs.replace(
        vault.policy, controller=controller, storage=Storage(location={"en": "in Frankfurt"})
    )
    told = replace(vault, policy=changed)
    subject_id = grant(told, "draw", sender="bob")
    record = make(told, subject_id)["record"]
    assert record["processing"][0]["jurisdiction"] == ["DE"]
    assert record["processing"][0]["storage_locations"] == ["in Frankfurt"]
    assert record["parties"][0]["party_address"] == "Main St 1"


def test_a_receipt_says_what_was_promised_then(vault: Vault, person: bytes) -> None:
    """New terms do not change an old receipt; they make the consent superseded."""
    declared = msgspec.structs.replace(vault.policy.purposes["draw"], recipients=("Printing House",), retain="9 days")
    purposes = {**vault.policy.purposes, "draw": declared}
    changed = replace(vault, policy=msgspec.structs.replace(vault.policy, purposes=purposes))
    record = make(changed, person)["record"]
    assert record["consent_status"] == "dpv:ConsentInvalidated"
    assert (record["processing"][0]["retention_period"], record["processing"][0]["recipient_third_parties"]) == (
        "P90D",
        [],
    )
    without = replace(vault, policy=msgspec.structs.replace(vault.policy, purposes={}))
    assert make(without, person)["record"]["processing"][0]["purpose"] == "to enter you in the draw"


def test_an_expired_and_a_withdrawn_consent_say_so(vault: Vault, clock: Clock, person: bytes) -> None:
    """The status is the one of the moment at which the receipt is made."""
    clock.advance(days=400)
    assert make(vault, person)["record"]["consent_status"] == "dpv:ConsentExpired"
    with vault.database.write() as connection:
        record_withdrawal(vault, connection, person, ["draw"], evidence(vault))
    assert make(vault, person)["record"]["consent_status"] == "dpv:ConsentWithdrawn"
    with pytest.raises(LedgerError, match="the last answer is no yes"):
        make(vault, person, form="kantara")


def agreed(vault: Vault, subject_id: bytes, purpose: str = "draw") -> dict[str, bool | None]:
    """Return what a receipt says about each optional item; None where it says nothing."""
    (processing,) = make(vault, subject_id, purpose)["record"]["processing"]
    described = processing["pii_information"]
    assert not [each for each in described if "pii_agreed" in each and not each["pii_optional"]]
    return {each["pii_type"]: each.get("pii_agreed") for each in described if each["pii_optional"]}


@pytest.mark.parametrize(("said", "written"), [("yes", True), ("no", False), ("", None)])
def test_an_optional_item_is_agreed_to_only_as_it_was_answered(
    vault: Vault, person: bytes, said: str, written: object
) -> None:
    """Yes, no, and no word where there was no answer; a question alone is none."""
    ask(vault, POSTCODE)
    if said:
        answer(vault, POSTCODE, granted=said == "yes")
    assert agreed(vault, person) == {"postcode": written}
    jsonschema.validate(make(vault, person), SCHEMAS["27560"])


@pytest.mark.parametrize(("said", "listed"), [("yes", True), ("no", False), ("", False)])
def test_a_kantara_receipt_lists_no_item_without_a_yes(vault: Vault, said: str, *, listed: bool) -> None:
    """It has no field that could say no; nor is the receipt sensitive for what was left out."""
    items = {
        **vault.policy.items,
        "postcode": msgspec.structs.replace(vault.policy.items["postcode"], category="health"),
    }
    told = replace(vault, policy=msgspec.structs.replace(vault.policy, items=items))
    subject_id = grant(told, "draw")
    ask(told, POSTCODE)
    if said:
        answer(told, POSTCODE, granted=said == "yes")
    made = make(told, subject_id, form="kantara")
    (purpose,) = made["services"][0]["purposes"]
    assert purpose["piiCategory"] == ["email", "full_name", *(["postcode"] if listed else [])]
    assert (made["sensitive"], made["spiCat"]) == (listed, ["health"] if listed else [])


def test_an_answer_of_an_earlier_yes_is_in_no_later_receipt(vault: Vault, person: bytes) -> None:
    """The item's answer went with the yes that it belonged to, as the state says."""
    grant(vault, POSTCODE)
    with vault.database.write() as connection:
        record_withdrawal(vault, connection, person, ["draw", POSTCODE], evidence(vault))
    assert agreed(vault, person) == {"postcode": None}
    grant(vault, "draw")
    assert active(vault) >= {"draw"}
    assert POSTCODE not in active(vault)
    assert make(vault, person)["record"]["consent_status"] == "dpv:ConsentGiven"
    assert agreed(vault, person) == {"postcode": None}


def test_a_yes_that_ended_agrees_to_no_item_and_one_that_is_restricted_still_does(
    vault: Vault, clock: Clock, person: bytes
) -> None:
    """A restriction takes no consent back (GDPR Art. 18); an expired consent is none."""
    grant(vault, POSTCODE)
    with vault.database.write() as connection:
        record_restriction(vault, connection, person, ["draw"], evidence(vault), lift=False)
    assert agreed(vault, person) == {"postcode": True}
    clock.advance(days=400)
    assert agreed(vault, person) == {"postcode": None}


def test_without_an_answer_there_is_no_receipt(vault: Vault) -> None:
    """A question alone is none; a no is."""
    subject_id = ask(vault, "draw")
    with pytest.raises(LedgerError, match="has not answered"):
        make(vault, subject_id)
    answer(vault, "draw", granted=False)
    assert make(vault, subject_id)["record"]["consent_status"] == "dpv:ConsentRefused"


@pytest.mark.parametrize("form", FORMS)
def test_a_signed_receipt_comes_back_and_cannot_be_changed(vault: Vault, person: bytes, form: Form) -> None:
    """With the public key of the store, and with no other."""
    made = make(vault, person, form=form)
    token = sign_receipt(vault, made)
    assert open_receipt(token, vault.signer.key.public()) == made
    with pytest.raises(SignatureError):
        open_receipt(token, SigningKey(bytes(32)).public())
    with pytest.raises(SignatureError):
        open_receipt(
            sign_receipt(vault, {}).rpartition(".")[0] + "." + token.rpartition(".")[2], vault.signer.key.public()
        )


@pytest.mark.parametrize(
    ("words", "duration"),
    [("12 months", "P12M"), ("1 hour", "PT1H"), ("90 days", "P90D"), ("2 weeks", "P2W"), ("until withdrawn",) * 2],
)
def test_durations_are_those_of_iso_8601(words: str, duration: str) -> None:
    """What is no duration stays in words."""
    assert iso_duration(words) == duration
