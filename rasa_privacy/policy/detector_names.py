"""The detectors that an item may name. `minimize.detectors` and `minimize.presidio` have them; a test compares."""

from typing import Final

DETECTOR_NAMES: Final = (
    "email", "phone", "payment_card", "iban", "birth_date", "postcode", "passport", "driving_licence", "vehicle_plate",
    "ip_address", "mac_address", "coordinates", "url_credentials", "api_key", "password", "crypto_wallet",
    "us_ssn", "gb_nhs", "gb_nino", "de_tax_id", "fr_nir", "es_dni", "es_nie", "it_codice_fiscale", "nl_bsn", "br_cpf",
    "in_aadhaar", "in_pan", "ca_sin", "au_tfn",
)  # fmt: skip

#: Those that need `detectors: presidio:`.
PRESIDIO_NAMES: Final = ("presidio_person", "presidio_location")
