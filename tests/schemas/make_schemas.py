"""Makes the JSON Schemas of receipts: `python tests/schemas/make_schemas.py`.

The lists are the mandatory fields of ISO/IEC TS 27560:2023, as the W3C DPV guide names them, and the required ones of
Kantara Consent Receipt 1.1. They stand here apart from the code that writes receipts.
"""

import json
from pathlib import Path
from typing import Any, Final

TEXT: Final = {"type": "string", "minLength": 1}
TIME: Final = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}
IRI: Final = {"type": "string", "pattern": r"^dpv:[A-Z]\w+$"}


def _object(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "required": sorted(fields), "properties": fields}


def _list(of: dict[str, Any], least: int = 1) -> dict[str, Any]:
    return {"type": "array", "items": of, "minItems": least}


def iso() -> dict[str, Any]:
    """Return the schema of a receipt by ISO/IEC TS 27560:2023 with its record."""
    pii = _object(pii_type=TEXT)
    processing = _object(
        privacy_notice={"type": "object", "minProperties": 1},
        language={"type": "string", "pattern": "^[a-z]{2,3}(-[A-Za-z0-9]+)*$"},
        purpose=TEXT,
        pii_information=_list(pii),
        pii_controllers=_list(TEXT),
        storage_locations=_list(TEXT),
        retention_period=TEXT,
        jurisdiction=_list(TEXT),
        recipient_third_parties=_list(TEXT, 0),
        withdrawal_method=TEXT,
    )
    party = _object(party_id=TEXT, party_name=TEXT, party_address=TEXT, party_contact=TEXT, party_type=IRI)
    event = _object(event_time=TIME, validity_duration=TEXT, entity_id=TEXT, event_type=IRI, event_state=IRI)
    record = _object(
        schema_version=TEXT,
        record_id=TEXT,
        pii_principal_id=TEXT,
        processing=_list(processing),
        parties=_list(party),
        events=_list(event),
    )
    context = {"type": "object", "required": ["dpv"]}
    return _object(**{"@context": context, "schema_version": TEXT, "receipt_id": TEXT, "record": record})


def kantara() -> dict[str, Any]:
    """Return the schema of a Kantara Consent Receipt 1.1."""
    controller = _object(
        piiController=TEXT, contact=TEXT, address={"type": "object", "minProperties": 1}, email=TEXT, phone=TEXT
    )
    purpose = _object(
        consentType={"enum": ["EXPLICIT", "IMPLICIT"]},
        purposeCategory=_list(TEXT),
        piiCategory=_list(TEXT),
        termination=TEXT,
        thirdPartyDisclosure={"type": "boolean"},
    )
    return _object(
        version={"const": "KI-CR-v1.1.0"},
        jurisdiction=TEXT,
        consentTimestamp={"type": "integer", "minimum": 0},
        collectionMethod=TEXT,
        consentReceiptID=TEXT,
        piiPrincipalId=TEXT,
        piiControllers=_list(controller),
        services=_list(_object(service=TEXT, purposes=_list(purpose))),
        policyUrl=TEXT,
        sensitive={"type": "boolean"},
        spiCat=_list(TEXT, 0),
    )


if __name__ == "__main__":
    for name, schema in (("receipt_27560", iso()), ("receipt_kantara", kantara())):
        whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
        Path(__file__).with_name(f"{name}.json").write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
