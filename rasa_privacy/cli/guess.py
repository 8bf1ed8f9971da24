"""A first guess whether a slot or entity is personal, from its name. The builder has the last word.

In doubt the guess is "personal": a wrong item is seen by the builder at once, a forgotten one by nobody.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

# Parts of names this long are also found inside longer words, as in `phonenumber`.
_INSIDE_CHARACTERS: Final = 5

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@dataclass(frozen=True, slots=True)
class Guess:
    """What a name seems to hold.

    Attributes:
        category: Kind of data.
        detect: The detector that finds such values in text, if there is one.
        keep: How much to keep, where less than all is enough for nearly every bot.
        advice: A comment for the builder, or an empty text.
    """

    category: str
    detect: str | None = None
    keep: str | None = None
    advice: str = ""


_YEAR: Final = "if the year is enough: keep: year"
_PREFIX: Final = "if a region is enough: keep: {first: 3}"
_SPECIAL: Final = "special category (GDPR Art. 9): do you need it? The consent must name it"

# The first row that fits wins, so `email_address` is an email and no address.
_ROWS: Final[tuple[tuple[str, Guess], ...]] = (
    ("email mail emails correo courriel", Guess("contact", detect="email")),
    (
        "phone mobile telephone cellphone tel cell msisdn whatsapp fax telefon telefono handy",
        Guess("contact", detect="phone"),
    ),
    ("iban", Guess("financial", detect="iban", keep="masked")),
    ("creditcard card cardnumber cvv cvc", Guess("financial", detect="payment_card", keep="masked")),
    ("bank account bic swift routing sortcode", Guess("financial", keep="masked")),
    (
        "passport ssn nino national license licence idcard tax taxid identity",
        Guess("government_id", keep="masked", advice="do you need the number, or only to have seen it?"),
    ),
    ("birth birthday birthdate dob geburtstag geburtsdatum cumpleanos", Guess("demographic", advice=_YEAR)),
    ("health medical diagnosis symptom allergy allergies disease illness", Guess("health", advice=_SPECIAL)),
    ("medication diet dietary pregnant pregnancy disability patient", Guess("health", advice=_SPECIAL)),
    (
        "religion religious ethnicity ethnic race sexuality orientation political party union biometric fingerprint",
        Guess("special", advice=_SPECIAL),
    ),
    ("age gender sex marital nationality", Guess("demographic")),
    ("surname firstname lastname fullname nickname forename vorname nachname nombre apellido person", Guess("name")),
    ("username userid login password passwort pin customer member membership client ip device", Guess("identifier")),
    ("postcode zip zipcode postal plz", Guess("location", advice=_PREFIX)),
    ("address adresse direccion street house city town location latitude longitude gps", Guess("location")),
    ("salary income employer occupation job", Guess("employment")),
)

# `name` alone says little: a product has one, too. These beside it make it a person's.
_PERSONS: Final = (
    "first last full user given family middle nick contact your my maiden guest patient customer client caller child "
    "parent recipient sender applicant owner holder driver passenger legal sur fore"
)
# An entity of a general recogniser for people's names.
_PERSON_ENTITIES: Final = frozenset({"PERSON", "PER", "person"})


def guess(name: str, entities: Iterable[str] = ()) -> Guess | None:
    """Return what a slot or entity of this name seems to hold, or None where it seems to be nothing personal.

    Args:
        name: The name of the slot or entity.
        entities: For a slot, the entities that fill it.
    """
    if name in _PERSON_ENTITIES:
        return Guess("name")
    words = [word.lower() for word in _WORD.findall(name)]
    if "name" in words and {"name", *_PERSONS.split()}.issuperset(words):
        return Guess("name")
    for known, found in _ROWS:
        if any(_fits(word, known.split()) for word in [*words, "".join(words)]):
            return found
    return next((about for about in map(guess, entities) if about is not None), None)


def _fits(word: str, known: list[str]) -> bool:
    return word in known or any(part in word for part in known if len(part) >= _INSIDE_CHARACTERS)
