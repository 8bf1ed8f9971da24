"""The two forms of a receipt, built of facts: pure functions, no store.

- `iso_27560`: ISO/IEC TS 27560:2023 under its own field names, with a JSON-LD context that maps each to the W3C Data
  Privacy Vocabulary as the DPV guide to 27560 does. The context is in the receipt, so nothing is fetched to read it.
- `kantara`: Kantara Consent Receipt 1.1. It has no field for a no, so an optional item without a yes is not in it.

What privacy.yml does not say stands as "not stated": the fields are mandatory, and left out they would look forgotten.
No value of a person is in a receipt, only kinds of data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final

from rasa_privacy.consent.receipt_context import CONTEXT
from rasa_privacy.policy.categories import SPECIAL
from rasa_privacy.policy.purpose_model import UNTIL_WITHDRAWN

NOT_STATED: Final = "not stated"
ISO_VERSION: Final = "ISO/IEC TS 27560:2023"
KANTARA_VERSION: Final = "KI-CR-v1.1.0"
CONTROLLER: Final = "controller"


_UNITS: Final = {"minute": "PT{}M", "hour": "PT{}H", "day": "P{}D", "week": "P{}W", "month": "P{}M", "year": "P{}Y"}
_STATES: Final = {
    "asked": "dpv:ConsentRequested",
    "granted": "dpv:ConsentGiven",
    "refused": "dpv:ConsentRefused",
    "withdrawn": "dpv:ConsentWithdrawn",
    "expired": "dpv:ConsentExpired",
    "superseded": "dpv:ConsentInvalidated",
}
#: Who answers by themselves; all else was done for them.
_BY_THEMSELVES: Final = frozenset(("granted", "refused", "withdrawn"))
_BY_OTHERS: Final = frozenset(("outside", "imported", "journal", "no_answer"))


@dataclass(frozen=True, slots=True)
class Fact:
    """One record, as a receipt tells it.

    Attributes:
        event: A word of the ledger.
        method: How it was given.
        channel: Where it was given.
        at: When, aware and in UTC.
    """

    event: str
    method: str
    channel: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What a receipt is built of.

    Attributes:
        receipt_id: Name of this receipt.
        record_id: Name of the consent record: the store and the number of the ledger record that decides.
        principal: Random id of the person.
        issued_at: When the receipt is made.
        status: What the consent is worth at that moment, a word of the ledger.
        terms: What was agreed to (`consent.terms.read_terms`).
        notice: The notice's `version`, `sha256`, `language` and `text`.
        contact: Where privacy.yml says that the controller is: `address`, `phone`, `country`; None where it does not.
        agreed: Optional items, with whether the person agreed to them; one that is not there was not asked apart.
        events: The purpose's records, the oldest first.
    """

    receipt_id: str
    record_id: str
    principal: str
    issued_at: datetime
    status: str
    terms: Mapping[str, Any]
    notice: Mapping[str, str]
    contact: Mapping[str, str | None]
    agreed: Mapping[str, bool]
    events: Sequence[Fact]


def iso_27560(facts: Facts) -> dict[str, Any]:
    """Return a receipt with all mandatory fields of ISO/IEC TS 27560:2023, as JSON-LD."""
    return {
        "@context": dict(CONTEXT),
        "@type": "dpv:ConsentReceipt",
        "schema_version": ISO_VERSION,
        "receipt_id": facts.receipt_id,
        "issued_at": _time(facts.issued_at),
        "record": {
            "@type": "dpv:ConsentRecord",
            "schema_version": ISO_VERSION,
            "record_id": facts.record_id,
            "pii_principal_id": facts.principal,
            "consent_status": _STATES[facts.status],
            "processing": [_processing(facts)],
            "parties": [_party(facts)],
            "events": [_event(facts, each) for each in facts.events],
        },
    }


def kantara(facts: Facts) -> dict[str, Any]:
    """Return a receipt with all required fields of Kantara Consent Receipt 1.1. The consent must be a yes."""
    controller = facts.terms["controller"]
    yes = next(each for each in reversed(facts.events) if each.event == "granted")
    special = sorted({item["category"] for item in _agreed_items(facts).values()} & SPECIAL)
    return {
        "version": KANTARA_VERSION,
        "jurisdiction": facts.contact.get("country") or NOT_STATED,
        "consentTimestamp": int(yes.at.timestamp()),
        "collectionMethod": f"{yes.channel}: {yes.method}",
        "consentReceiptID": facts.receipt_id.removeprefix("urn:uuid:"),
        "language": facts.notice["language"],
        "piiPrincipalId": facts.principal,
        "piiControllers": [
            {
                "piiController": controller["name"],
                "contact": controller["officer"] or controller["contact"],
                "address": {"streetAddress": facts.contact.get("address") or NOT_STATED},
                "email": controller["contact"],
                "phone": facts.contact.get("phone") or NOT_STATED,
            }
        ],
        "policyUrl": controller["policy_url"],
        "services": [{"service": controller["name"], "purposes": [_kantara_purpose(facts)]}],
        "sensitive": bool(special),
        "spiCat": special,
    }


def iso_duration(text: str) -> str:
    """Return `P12M` for `12 months` (ISO 8601), and other words as they are."""
    number, _, unit = text.partition(" ")
    pattern = _UNITS.get(unit.removesuffix("s"))
    return pattern.format(number) if pattern and number.isdecimal() else text


def _processing(facts: Facts) -> dict[str, Any]:
    terms, language = facts.terms, facts.notice["language"]
    return {
        "@type": "dpv:Process",
        "privacy_notice": {"url": terms["controller"]["policy_url"], **facts.notice},
        "language": language,
        "purpose": _said(terms["says"], language) or terms["purpose"],
        "purpose_type": "dpv:Marketing" if terms["marketing"] else "dpv:ServiceProvision",
        "lawful_basis": "dpv:Consent",
        "pii_information": [_pii(facts, name, item) for name, item in terms["items"].items()],
        "pii_controllers": [CONTROLLER],
        "collection_method": "given by the person in a conversation with a chatbot",
        "storage_locations": [_said(terms.get("storage", {}).get("location", {}), language) or NOT_STATED],
        "retention_period": iso_duration(terms["retain"]),
        "jurisdiction": [facts.contact.get("country") or NOT_STATED],
        "recipient_third_parties": list(terms["recipients"]),
        "withdrawal_method": f"say so in the conversation at any time, or write to {terms['controller']['contact']}",
        "privacy_rights": ["access", "rectification", "erasure", "restriction", "portability", "withdrawal"],
    }


def _pii(facts: Facts, name: str, item: Mapping[str, Any]) -> dict[str, Any]:
    optional = item["need"] == "optional"
    described = {"pii_type": name, "pii_category": item["category"], "pii_optional": optional}
    if optional and name in facts.agreed:
        described["pii_agreed"] = facts.agreed[name]
    return described | ({"sensitive_pii_category": item["category"]} if item["category"] in SPECIAL else {})


def _party(facts: Facts) -> dict[str, Any]:
    controller = facts.terms["controller"]
    phone = facts.contact.get("phone")
    return {
        "party_id": CONTROLLER,
        "party_name": controller["name"],
        "party_address": facts.contact.get("address") or NOT_STATED,
        "party_contact": controller["officer"] or controller["contact"],
        "party_type": "dpv:DataController",
        **({"party_phone": phone} if phone else {}),
    }


def _event(facts: Facts, fact: Fact) -> dict[str, Any]:
    themselves = fact.event in _BY_THEMSELVES and fact.method not in _BY_OTHERS
    return {
        "event_time": _time(fact.at),
        "validity_duration": iso_duration(facts.terms["consent_lasts"] or UNTIL_WITHDRAWN),
        "entity_id": facts.principal if themselves else CONTROLLER,
        "event_type": "dpv:ExpressedConsent",
        "event_state": _STATES[fact.event],
        "event_method": f"{fact.channel}: {fact.method}",
    }


def _kantara_purpose(facts: Facts) -> dict[str, Any]:
    terms = facts.terms
    recipients = list(terms["recipients"])
    return {
        "purpose": _said(terms["says"], facts.notice["language"]) or terms["purpose"],
        "purposeCategory": ["Marketing" if terms["marketing"] else "Core Function"],
        "consentType": "EXPLICIT",
        "piiCategory": list(_agreed_items(facts)),
        "primaryPurpose": not terms["marketing"],
        "termination": iso_duration(terms["retain"]),
        "thirdPartyDisclosure": bool(recipients),
        **({"thirdPartyName": ", ".join(recipients)} if recipients else {}),
    }


def _agreed_items(facts: Facts) -> dict[str, Any]:
    """Return what the yes is about: what the purpose needs, and the optional items that were agreed to apart."""
    items = facts.terms["items"]
    return {name: item for name, item in items.items() if item["need"] != "optional" or facts.agreed.get(name)}


def _said(texts: Mapping[str, str], language: str) -> str | None:
    return texts.get(language) or next(iter(texts.values()), None)


def _time(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
