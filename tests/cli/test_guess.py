"""Which names look personal to `rasa-privacy init`."""

import pytest

from rasa_privacy.cli.guess import guess

PERSONAL = [
    ("email", "contact", "email"),
    ("user_email_address", "contact", "email"),
    ("phoneNumber", "contact", "phone"),
    ("phonenumber", "contact", "phone"),
    ("mobile", "contact", "phone"),
    ("name", "name", None),
    ("first_name", "name", None),
    ("lastName", "name", None),
    ("fullname", "name", None),
    ("customer_name", "name", None),
    ("PERSON", "name", None),
    ("date_of_birth", "demographic", None),
    ("dob", "demographic", None),
    ("age", "demographic", None),
    ("shipping_address", "location", None),
    ("postcode", "location", None),
    ("zip_code", "location", None),
    ("card_number", "financial", "payment_card"),
    ("iban", "financial", "iban"),
    ("passport_no", "government_id", None),
    ("ssn", "government_id", None),
    ("ip_address", "identifier", None),
    ("symptoms", "health", None),
    ("religion", "special", None),
    ("customer_id", "identifier", None),
    ("Geburtsdatum", "demographic", None),
]
ORDINARY = [
    "favourite_activity",
    "product_name",
    "event_name",
    "language",
    "page",
    "message",
    "package",
    "time",
    "fitting_day",
    "number",
    "quantity",
    "feedback_type",
    "cuisine",
    "on",
    "",
    "日付",
    "requested_slot",
]


@pytest.mark.parametrize(("name", "category", "detect"), PERSONAL)
def test_personal_names_are_recognised(name: str, category: str, detect: str | None) -> None:
    """Common names of personal slots get a category and, where there is one, a detector."""
    about = guess(name)
    assert about is not None
    assert (about.category, about.detect) == (category, detect)


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_names_are_left_alone(name: str) -> None:
    """Names that say nothing about a person are not made into questions of consent."""
    assert guess(name) is None


def test_the_entity_speaks_where_the_slot_is_silent() -> None:
    """A slot with a plain name that is filled from a personal entity is personal."""
    about = guess("value", ["colour", "email"])
    assert about is not None
    assert about.detect == "email"
    assert guess("value", ["colour"]) is None
