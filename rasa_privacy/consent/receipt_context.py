"""The JSON-LD context of a receipt: each field of ISO/IEC TS 27560:2023 in the W3C Data Privacy Vocabulary (DPV).

The mapping is that of the DPV guide to 27560 (https://w3id.org/dpv/guides/consent-27560), where it has one.
"""

from collections.abc import Mapping
from typing import Any, Final

#: Field name to IRI; fields whose value is itself an IRI are marked.
CONTEXT: Final[Mapping[str, Any]] = {
    "dpv": "https://w3id.org/dpv#",
    "dct": "http://purl.org/dc/terms/",
    "schema_version": "dct:conformsTo",
    "receipt_id": "dct:identifier",
    "issued_at": "dct:issued",
    "record": "dpv:hasRecordOfActivity",
    "record_id": "dpv:hasIdentifier",
    "pii_principal_id": "dpv:hasDataSubject",
    "consent_status": {"@id": "dpv:hasConsentStatus", "@type": "@id"},
    "processing": "dpv:hasProcess",
    "privacy_notice": "dpv:hasNotice",
    "url": "dpv:hasContact",
    "version": "dct:hasVersion",
    "sha256": "dct:provenance",
    "text": "dct:description",
    "language": "dct:language",
    "purpose": "dpv:hasPurpose",
    "purpose_type": {"@id": "dct:type", "@type": "@id"},
    "lawful_basis": {"@id": "dpv:hasLegalBasis", "@type": "@id"},
    "pii_information": "dpv:hasPersonalData",
    "pii_type": "dct:title",
    "pii_category": "dct:subject",
    "pii_agreed": "dpv:hasContext",
    "pii_optional": "dpv:hasNecessity",
    "sensitive_pii_category": "dpv:hasSensitivityLevel",
    "pii_controllers": "dpv:hasDataController",
    "collection_method": "dpv:hasDataSource",
    "storage_locations": "dpv:hasLocation",
    "retention_period": "dpv:hasStorageCondition",
    "jurisdiction": "dpv:hasJurisdiction",
    "recipient_third_parties": {"@id": "dpv:hasRecipient", "@container": "@set"},
    "withdrawal_method": "dpv:hasConsentControl",
    "privacy_rights": "dpv:hasRight",
    "parties": "dpv:hasEntity",
    "party_id": "dct:identifier",
    "party_name": "dpv:hasName",
    "party_address": "dpv:hasAddress",
    "party_contact": "dpv:hasContact",
    "party_phone": "dpv:hasContact",
    "party_type": {"@id": "dct:type", "@type": "@id"},
    "events": "dct:hasPart",
    "event_time": "dct:date",
    "validity_duration": "dct:valid",
    "entity_id": "dpv:isImplementedByEntity",
    "event_type": {"@id": "dpv:hasLegalBasis", "@type": "@id"},
    "event_state": {"@id": "dpv:hasConsentStatus", "@type": "@id"},
    "event_method": "dpv:hasIndicationMethod",
}
