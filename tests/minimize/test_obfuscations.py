"""Each way in which people write a value so that a filter does not see it, for each kind that is written so."""

import pytest

from rasa_privacy.minimize.detectors import Finding, find
from rasa_privacy.minimize.masking import mask
from rasa_privacy.minimize.national_ids import NATIONAL_IDS

#: Kind: a message with the value between bars. The words say what it is, as most people's do.
SAID = {
    "email": "write to |zoe.quartz4@mail.example| please",
    "phone": "call me on |+49 170 5558172| please",
    "payment_card": "my card is |4111111111111111| thanks",
    "iban": "iban |DE89370400440532013000| thanks",
    "us_ssn": "my ssn is |856456789| thanks",
    "gb_nhs": "my nhs number is |9434765919| thanks",
    "gb_nino": "my national insurance number is |AB123456C| thanks",
    "de_tax_id": "meine Steuer-ID ist |36574261809| danke",
    "fr_nir": "num\u00e9ro de s\u00e9curit\u00e9 sociale |185057800608491| merci",
    "es_dni": "mi dni es |54362315K| gracias",
    "es_nie": "mi nie es |X2482300W| gracias",
    "it_codice_fiscale": "codice fiscale |RSSMRA85T10A562S| grazie",
    "nl_bsn": "mijn BSN is |111222333| dank",
    "br_cpf": "meu cpf \u00e9 |39053344705| obrigado",
    "in_aadhaar": "my aadhaar is |234123412346| thanks",
    "in_pan": "my pan is |ACUPA7085R| thanks",
    "ca_sin": "my sin is |130692544| thanks",
    "au_tfn": "my tfn is |123456782| thanks",
}
WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
ARABIC_INDIC = {ord(str(digit)): 0x660 + digit for digit in range(10)}
PERSIAN = {ord(str(digit)): 0x6F0 + digit for digit in range(10)}
DEVANAGARI = {ord(str(digit)): 0x966 + digit for digit in range(10)}
CHINESE = {
    ord(str(digit)): sign for digit, sign in enumerate("\u3007\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u4e03\u516b\u4e5d")
}
BOLD = {ord(str(digit)): 0x1D7CE + digit for digit in range(10)}


def parted(value: str, sign: str, size: int = 3) -> str:
    """Return letters and digits in groups of a size with a sign between, as somebody reads a number out."""
    bare = "".join(character for character in value if character.isalnum())
    lead = "+" if value.startswith("+") else ""
    return lead + sign.join(bare[place : place + size] for place in range(0, len(bare), size))


def mixed(value: str) -> str:
    """Return the value with every other letter small."""
    return "".join(letter.lower() if place % 2 else letter.upper() for place, letter in enumerate(value))


NUMBERS = {
    "spaces": lambda value: parted(value, " "),
    "dashes": lambda value: parted(value, "-"),
    "long dashes": lambda value: parted(value, "\u2013"),
    "dots": lambda value: parted(value, "."),
    "each by itself": lambda value: parted(value, " ", 1),
    "dashes by themselves": lambda value: parted(value, "-", 1),
    "dots by themselves": lambda value: parted(value, ".", 1),
    "narrow blanks": lambda value: parted(value, "\u202f"),
}
SCRIPTS = {
    "full-width": lambda value: value.translate(WIDE),
    "Arabic-Indic": lambda value: value.translate(ARABIC_INDIC),
    "Persian": lambda value: value.translate(PERSIAN),
    "Devanagari": lambda value: value.translate(DEVANAGARI),
    "Chinese": lambda value: value.translate(CHINESE),
    "bold": lambda value: value.translate(BOLD),
    "zero-width characters": "\u200b".join,
    "joiners": "\u200d\u2060".join,
    "soft hyphens": "\u00ad".join,
    "mixed case": mixed,
    "keys of emoji": lambda value: "".join(f"{sign}\ufe0f\u20e3" if sign.isdigit() else sign for sign in value),
}
SPOKEN = ("zoe dot quartz4 at mail dot com", "Zoe.Quartz4 AT gmail DOT com", "zoe.quartz4 (at) mail [dot] example")
CASES = [
    (kind, way, hide) for kind in SAID for way, hide in {**SCRIPTS, **({} if kind == "email" else NUMBERS)}.items()
]


@pytest.mark.parametrize(("kind", "way", "hide"), CASES, ids=[f"{kind} {way}" for kind, way, _ in CASES])
def test_a_disguised_value_is_found_whole(kind: str, way: str, hide: object) -> None:
    """The finding is of its kind, and nothing of the value is left beside the name that stands for it."""
    before, value, after = SAID[kind].split("|")
    assert callable(hide)
    text = before + hide(value) + after
    found = find(text)
    assert kind in {finding.kind for finding in found}, way
    assert mask(text, found, {}) == f"{before}[{kind}]{after}"


def test_each_number_of_a_state_is_disguised_here() -> None:
    """A new one too."""
    assert NATIONAL_IDS.keys() <= SAID.keys()


IBANS = ("DE89370400440532013000", "GB29NWBK60161331926819", "MT84MALT011000012345MTLCAST001S")


@pytest.mark.parametrize("value", [*IBANS, *map(str.lower, IBANS)])
@pytest.mark.parametrize("sign", [" ", "-", "."])
def test_an_iban_is_found_with_each_character_by_itself(value: str, sign: str) -> None:
    """In small letters too."""
    written = sign.join(value)
    assert find(f"my iban: {written} thanks") == [Finding(9, 9 + len(written), "iban")]


@pytest.mark.parametrize(
    "text", ["type G O 1 2 3 now", "row A B 1 2 C D 3 4", "seats d e 8 9 and f g 1 0", "I a 1 2 3 4"]
)
def test_letters_by_themselves_before_digits_raise_no_alarm(text: str) -> None:
    """They are a country's only with its check digits."""
    assert find(text) == []


@pytest.mark.parametrize("value", SPOKEN)
def test_a_spoken_address_is_found_whole(value: str) -> None:
    """With its signs as words, in any case, in brackets or not."""
    text = f"write to {value} please"
    assert mask(text, find(text), {}) == "write to [email] please"
