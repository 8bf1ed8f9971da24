"""Messages with personal data, and where it stands: made by rules of their own, not by the detectors' patterns.

Numbers come from `stdnum`, `phonenumbers` and the issuers' rules, in the countries' usual ways of writing; a part of
them is disguised as people do it: other scripts' digits, wide letters, blanks, invisible signs, spoken signs. Traps are
messages with numbers that are nobody's: orders, prices, times, versions, sizes.
"""

import hashlib
import random
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import phonenumbers
from stdnum import luhn, verhoeff
from stdnum.br import cpf
from stdnum.de import idnr
from stdnum.es import dni
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.iso7064 import mod_11_10, mod_97_10
from stdnum.it import codicefiscale
from stdnum.nl import bsn

Choice = random.Random
Make = Callable[[Choice], str]


@dataclass(frozen=True, slots=True)
class Message:
    """A message and what is personal in it.

    Attributes:
        text: What was said.
        kind: The kind of the one value in it, or None for a trap.
        start: Where the value begins.
        end: Where it ends.
    """

    text: str
    kind: str | None
    start: int = 0
    end: int = 0


def _digits(choice: Choice, count: int, first: str = string.digits) -> str:
    return choice.choice(first) + "".join(choice.choices(string.digits, k=count - 1))


def _letters(choice: Choice, count: int, alphabet: str = string.ascii_uppercase) -> str:
    return "".join(choice.choices(alphabet, k=count))


def _grouped(number: str, sizes: Sequence[int], sign: str) -> str:
    parts, done = [], 0
    for size in sizes:
        parts.append(number[done : done + size])
        done += size
    return sign.join(parts)


def _valid(choice: Choice, make: Make, is_valid: Callable[[str], bool]) -> str:
    """Return the first of many random numbers that passes the issuer's check."""
    for _ in range(100_000):
        number = make(choice)
        if is_valid(number):
            return number
    raise AssertionError("no number passes the check")


_NAMES: Final = "ana lena marco joao sofia pierre ines tom olga priya jan maria kwame yuki noor sean".split()  # noqa: SIM905
_DOMAINS: Final = ("mail.example", "gmail.com", "web.de", "orange.fr", "x.co.uk", "post.example.org", "firma.test")


def email(choice: Choice) -> str:
    """Return an address."""
    name = choice.choice(_NAMES)
    forms = (
        name,
        f"{name}.{choice.choice(_NAMES)}",
        f"{name}{choice.randrange(99)}",
        f"{name}+{choice.choice('abc')}x",
    )
    address = f"{choice.choice(forms)}@{choice.choice(_DOMAINS)}"
    return address.upper() if choice.random() < 0.1 else address  # noqa: PLR2004 - one in ten shouts


_SPOKEN: Final = (
    (" at ", " dot "), (" (at) ", " (dot) "), ("[at]", "[dot]"), (" AT ", " DOT "), (" (\u00e4t) ", " (punkt) "),
    (" arroba ", " punto "), (" arobase ", " point "), (" chiocciola ", " punto "), (" arroba ", " ponto "),
    (" apenstaartje ", " punt "), (" @ ", " . "), ("(at)", "."),
)  # fmt: skip


def spoken_email(choice: Choice) -> str:
    """Return an address whose signs are spoken or bracketed."""
    name, _, domain = email(choice).lower().replace("+", "").partition("@")
    at, dot = choice.choice(_SPOKEN)
    return f"{name}{at}{domain.replace('.', dot)}"


_PHONE_REGIONS: Final = ("US", "GB", "DE", "FR", "ES", "IT", "PT", "NL", "BR", "IN", "CA", "AU")


def phone(choice: Choice) -> str:
    """Return a number of some country, as written at home or abroad."""
    region = choice.choice(_PHONE_REGIONS)
    sample = phonenumbers.example_number_for_type(region, choice.choice((0, 1)))
    if sample is None:
        raise AssertionError("every country has an example")
    for _ in range(200):
        national = str(sample.national_number)
        changed = phonenumbers.PhoneNumber(
            country_code=sample.country_code,
            national_number=int(national[:-4] + _digits(choice, 4)),
            italian_leading_zero=sample.italian_leading_zero,
        )
        if phonenumbers.is_valid_number(changed):
            break
    # What stands in the default regions is written as at home; of others the country code tells.
    home = region in ("US", "GB", "DE") and choice.random() < 0.5  # noqa: PLR2004 - half of them
    wanted = phonenumbers.PhoneNumberFormat
    written = phonenumbers.format_number(
        changed, wanted.NATIONAL if home else choice.choice((wanted.INTERNATIONAL, wanted.E164))
    )
    return written.replace(" ", choice.choice((" ", "-", ".", " "))) if not home else written


_CARDS: Final = (
    ("4", 16),
    ("51", 16),
    ("55", 16),
    ("2221", 16),
    ("34", 15),
    ("37", 15),
    ("6011", 16),
    ("36", 14),
    ("3530", 16),
    ("62", 16),
)


def payment_card(choice: Choice) -> str:
    """Return a card's number of some brand."""
    start, length = choice.choice(_CARDS)
    body = start + _digits(choice, length - len(start) - 1)
    number = body + luhn.calc_check_digit(body)
    sizes = {15: (4, 6, 5), 14: (4, 6, 4)}.get(length, (4, 4, 4, 4))
    return choice.choice((number, _grouped(number, sizes, " "), _grouped(number, sizes, "-")))


_IBANS: Final = {
    "DE": "n18",
    "GB": "a4n14",
    "FR": "n23",
    "ES": "n20",
    "NL": "a4n10",
    "PT": "n21",
    "IT": "a1n22",
    "BE": "n12",
}


def iban(choice: Choice) -> str:
    """Return a bank account's number (ISO 13616)."""
    country, shape = choice.choice(sorted(_IBANS.items()))
    letters = int(shape[1]) if shape[0] == "a" else 0
    count = int(shape.rsplit("n", 1)[1])
    rest = _letters(choice, letters) + _digits(choice, count)
    check = mod_97_10.calc_check_digits(rest + country)
    number = f"{country}{check}{rest}"
    return choice.choice((number, " ".join(number[index : index + 4] for index in range(0, len(number), 4))))


def us_ssn(choice: Choice) -> str:
    """Return a US Social Security Number."""
    number = f"{choice.randrange(100, 665):03}{choice.randrange(10, 99)}{choice.randrange(1000, 9999)}"
    return choice.choice((_grouped(number, (3, 2, 4), "-"), _grouped(number, (3, 2, 4), " "), number))


def gb_nhs(choice: Choice) -> str:
    """Return an NHS number."""
    number = _valid(choice, lambda choice: _digits(choice, 10, "4679"), nhs.is_valid)
    return choice.choice((number, _grouped(number, (3, 3, 4), " "), _grouped(number, (3, 3, 4), "-")))


def gb_nino(choice: Choice) -> str:
    """Return a UK National Insurance number."""
    number = choice.choice(("AB", "CE", "JG", "WK", "SX", "PN")) + _digits(choice, 6) + choice.choice("ABCD")
    return choice.choice((number, _grouped(number, (2, 2, 2, 2, 1), " "), number.lower()))


def de_tax_id(choice: Choice) -> str:
    """Return a German Steuer-ID."""

    def number(choice: Choice) -> str:
        signs = choice.sample(string.digits, 9)
        signs.insert(choice.randrange(9), choice.choice(signs))
        body = "".join(signs)
        return "0" if body[0] == "0" else body + mod_11_10.calc_check_digit(body)

    found = _valid(choice, number, idnr.is_valid)
    return choice.choice((found, _grouped(found, (2, 3, 3, 3), " ")))


def fr_nir(choice: Choice) -> str:
    """Return a French NIR."""
    born = f"{choice.choice('12')}{choice.randrange(40, 99)}{choice.randrange(1, 13):02}"
    body = f"{born}{choice.randrange(10, 95)}{choice.randrange(1, 990):03}{choice.randrange(1, 999):03}"
    number = body + nir.calc_check_digits(body)
    return choice.choice((number, _grouped(number, (1, 2, 2, 2, 3, 3, 2), " ")))


def es_dni(choice: Choice) -> str:
    """Return a Spanish DNI."""
    body = _digits(choice, 8)
    letter = dni.calc_check_digit(body)
    return choice.choice(
        (body + letter, f"{body}-{letter}", f"{body[:2]}.{body[2:5]}.{body[5:]}-{letter}", (body + letter).lower())
    )


def es_nie(choice: Choice) -> str:
    """Return a Spanish NIE."""
    sign, body = choice.choice("XYZ"), _digits(choice, 7)
    letter = dni.calc_check_digit(f"{'XYZ'.index(sign)}{body}")
    return choice.choice((f"{sign}{body}{letter}", f"{sign}-{body}-{letter}"))


def it_codice_fiscale(choice: Choice) -> str:
    """Return an Italian codice fiscale."""
    body = (
        f"{_letters(choice, 6, 'BCDFGLMNPRSTV')}{choice.randrange(10, 99)}{choice.choice('ABCDEHLMPRST')}"
        f"{choice.randrange(1, 29):02}{choice.choice('ABFGHL')}{choice.randrange(100, 900)}"
    )
    number = body + codicefiscale.calc_check_digit(body)
    return choice.choice((number, number.lower()))


def nl_bsn(choice: Choice) -> str:
    """Return a Dutch BSN."""
    number = _valid(choice, lambda choice: _digits(choice, 9, "123456789"), bsn.is_valid)
    return choice.choice((number, _grouped(number, (3, 3, 3), " "), _grouped(number, (4, 2, 3), ".")))


def br_cpf(choice: Choice) -> str:
    """Return a Brazilian CPF."""
    body = _digits(choice, 9)
    number = body + cpf._calc_check_digits(body)  # noqa: SLF001 - the module has no public name for it
    return choice.choice((number, f"{number[:3]}.{number[3:6]}.{number[6:9]}-{number[9:]}"))


def in_aadhaar(choice: Choice) -> str:
    """Return an Indian Aadhaar number."""
    body = _digits(choice, 11, "23456789")
    number = body + verhoeff.calc_check_digit(body)
    return choice.choice((number, _grouped(number, (4, 4, 4), " "), _grouped(number, (4, 4, 4), "-")))


def in_pan(choice: Choice) -> str:
    """Return an Indian PAN."""
    return f"{_letters(choice, 3)}{choice.choice('PCHF')}{_letters(choice, 1)}{_digits(choice, 4)}{_letters(choice, 1)}"


def ca_sin(choice: Choice) -> str:
    """Return a Canadian SIN."""
    body = _digits(choice, 8, "1234567")
    number = body + luhn.calc_check_digit(body)
    return choice.choice((number, _grouped(number, (3, 3, 3), " "), _grouped(number, (3, 3, 3), "-")))


def au_tfn(choice: Choice) -> str:
    """Return an Australian TFN: the weighted sum is divisible by eleven (ATO)."""
    weights = (1, 4, 3, 7, 5, 8, 6, 9, 10)
    number = _valid(
        choice,
        lambda choice: _digits(choice, 9, "123456789"),
        lambda number: sum(weight * int(digit) for weight, digit in zip(weights, number, strict=True)) % 11 == 0,
    )
    return choice.choice((number, _grouped(number, (3, 3, 3), " ")))


def ip_address(choice: Choice) -> str:
    """Return an IPv4 or IPv6 address."""
    four = ".".join(str(choice.randrange(1, 255)) for _ in range(4))
    six = ":".join(f"{choice.randrange(0x10000):x}" for _ in range(8))
    return choice.choice(
        (four, four, six, f"fe80::{choice.randrange(0x1000, 0x10000):x}:{choice.randrange(0x10000):x}")
    )


def mac_address(choice: Choice) -> str:
    """Return a MAC address."""
    pairs = [f"{choice.randrange(256):02x}" for _ in range(6)]
    return choice.choice((":".join(pairs), "-".join(pairs).upper(), ":".join(pairs).upper()))


def birth_date(choice: Choice) -> str:
    """Return a date in one of the ways of writing."""
    day, month, year = choice.randrange(1, 29), choice.randrange(1, 13), choice.randrange(1935, 2008)
    name = (
        "January",
        "Februar",
        "mars",
        "abril",
        "maggio",
        "June",
        "Juli",
        "ao\u00fbt",
        "septiembre",
        "outubro",
        "november",
        "December",
    )[month - 1]
    return choice.choice(
        (
            f"{day:02}.{month:02}.{year}",
            f"{month}/{day}/{year}",
            f"{year}-{month:02}-{day:02}",
            f"{day} {name} {year}",
            f"{day}. {name} {year}",
            f"{name} {day}, {year}",
            f"{day:02}/{month:02}/{year % 100:02}",
            f"{day} de {name} de {year}",
        )
    )


_UK_AREAS: Final = ("SW1A", "M1", "B33", "CR2", "DN55", "EC1A")


def postcode(choice: Choice) -> str:
    """Return a postcode of some country."""
    return choice.choice(
        (
            f"{choice.choice(_UK_AREAS)} {choice.randrange(1, 9)}{_letters(choice, 2, 'ABDEFGHJLNPQRSTUWXYZ')}",
            f"K{choice.randrange(10)}A {choice.randrange(10)}B{choice.randrange(10)}",
            f"{choice.randrange(1000, 9999)} {_letters(choice, 2)}",
            f"{choice.randrange(10000, 99999)}",
            f"{choice.randrange(10000, 99999)}-{choice.randrange(1000, 9999)}",
            f"{choice.randrange(1000, 9999)}-{choice.randrange(100, 999)}",
        )
    )


def passport(choice: Choice) -> str:
    """Return a passport's number of some country."""
    return choice.choice(
        (
            _digits(choice, 9),
            f"{_letters(choice, 1, 'CFGHJK')}{_digits(choice, 8)}",
            f"{_letters(choice, 2)}{_digits(choice, 7)}",
            f"C{_digits(choice, 2)}X{_digits(choice, 2)}T{_digits(choice, 2)}",
            f"{_letters(choice, 3)}{_digits(choice, 6)}",
        )
    )


def driving_licence(choice: Choice) -> str:
    """Return a driving licence's number of some country."""
    birthday = f"{choice.randrange(1, 9)}{choice.randrange(1, 13):02}{choice.randrange(1, 29):02}{choice.randrange(10)}"
    return choice.choice(
        (
            f"{_letters(choice, 5)}{birthday}{_letters(choice, 2)}9{_letters(choice, 2)}",
            f"{_letters(choice, 1)}{_digits(choice, 7)}",
            f"{_letters(choice, 1)}{_digits(choice, 12)}",
            f"B{_digits(choice, 3)}RRE{_digits(choice, 1)}I{_digits(choice, 2)}",
            _digits(choice, 9),
        )
    )


def vehicle_plate(choice: Choice) -> str:
    """Return a number plate of some country."""
    return choice.choice(
        (
            f"{_letters(choice, 2, 'ABCDEFGHJKLM')}{_digits(choice, 2)} {_letters(choice, 3, 'ABCDEFGHJKLM')}",
            f"B-{_letters(choice, 2)} {choice.randrange(10, 9999)}",
            f"{_letters(choice, 2, 'ABCDEFGH')}-{_digits(choice, 3)}-{_letters(choice, 2, 'ABCDEFGH')}",
            f"{_digits(choice, 4)} {_letters(choice, 3, 'BCDFGHJKL')}",
            f"MH {_digits(choice, 2)} {_letters(choice, 2)} {_digits(choice, 4)}",
            f"{_letters(choice, 3)}{choice.randrange(10)}{_letters(choice, 1)}{_digits(choice, 2)}",
        )
    )


def coordinates(choice: Choice) -> str:
    """Return a place on earth."""
    north, east = choice.uniform(-85, 85), choice.uniform(-175, 175)
    return choice.choice(
        (f"{north:.6f}, {east:.6f}", f"{north:.5f},{east:.5f}", f"{abs(north):.4f}\u00b0 N, {abs(east):.4f}\u00b0 E")
    )


def url_credentials(choice: Choice) -> str:
    """Return a link with a login or a key."""
    secret = _letters(choice, 12, string.ascii_letters + string.digits)
    return choice.choice(
        (
            f"https://{choice.choice(_NAMES)}:{secret}@host.example/path",
            f"postgres://app:{secret}@db.example:5432/x",
            f"https://api.example/v1?id=7&token={secret}",
        )
    )


def api_key(choice: Choice) -> str:
    """Return a key of a service."""
    any_sign = string.ascii_letters + string.digits
    return choice.choice(
        (
            f"sk_live_{_letters(choice, 24, any_sign)}",
            f"ghp_{_letters(choice, 36, any_sign)}",
            f"AKIA{_letters(choice, 16, string.ascii_uppercase + '234567')}",
            f"AIza{_letters(choice, 35, any_sign)}",
            f"xoxb-{_digits(choice, 11)}-{_letters(choice, 24, any_sign)}",
            f"glpat-{_letters(choice, 20, any_sign)}",
        )
    )


def password(choice: Choice) -> str:
    """Return a password as people choose them."""
    return (
        choice.choice(("hunter", "Sommer", "drag0n", "Soleil", "qwerty"))
        + _digits(choice, 3)
        + choice.choice(("", "!", "#", "$x"))
    )


_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def crypto_wallet(choice: Choice) -> str:
    """Return a wallet's address."""
    raw = b"\x00" + choice.randbytes(20)
    raw += hashlib.sha256(hashlib.sha256(raw).digest()).digest()[:4]
    number, signs = int.from_bytes(raw, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        signs = _BASE58[rest] + signs
    return choice.choice(("1" + signs, "0x" + choice.randbytes(20).hex()))


#: Each kind: how a value is made, what people call it in a few languages, and whether it is disguised at times.
KINDS: Final[dict[str, tuple[Make, tuple[str, ...], bool]]] = {
    "email": (email, ("email", "E-Mail", "correo", "adresse", "mail"), True),
    "spoken email": (spoken_email, ("email", "E-Mail", "correo", "adresse", "mail"), False),
    "phone": (phone, ("phone", "Telefon", "tel\u00e9fono", "t\u00e9l\u00e9phone", "telefone"), True),
    "payment_card": (payment_card, ("card", "Karte", "tarjeta", "carte", "cart\u00e3o"), True),
    "iban": (iban, ("IBAN", "Konto", "cuenta", "compte", "conta"), True),
    "us_ssn": (us_ssn, ("SSN", "social security number"), True),
    "gb_nhs": (gb_nhs, ("NHS number", "NHS no"), True),
    "gb_nino": (gb_nino, ("NI number", "national insurance number"), True),
    "de_tax_id": (de_tax_id, ("Steuer-ID", "Steueridentifikationsnummer"), True),
    "fr_nir": (fr_nir, ("num\u00e9ro de s\u00e9curit\u00e9 sociale", "NIR"), True),
    "es_dni": (es_dni, ("DNI", "NIF"), True),
    "es_nie": (es_nie, ("NIE",), True),
    "it_codice_fiscale": (it_codice_fiscale, ("codice fiscale",), True),
    "nl_bsn": (nl_bsn, ("BSN", "burgerservicenummer"), True),
    "br_cpf": (br_cpf, ("CPF",), True),
    "in_aadhaar": (in_aadhaar, ("Aadhaar", "aadhaar number"), True),
    "in_pan": (in_pan, ("PAN", "PAN card"), True),
    "ca_sin": (ca_sin, ("SIN", "social insurance number"), True),
    "au_tfn": (au_tfn, ("TFN", "tax file number"), True),
    "ip_address": (ip_address, ("IP", "address", "server"), False),
    "mac_address": (mac_address, ("MAC", "wifi address"), False),
    "birth_date": (birth_date, ("date of birth", "birthday", "Geburtsdatum", "fecha de nacimiento"), False),
    "postcode": (postcode, ("postcode", "PLZ", "zip code", "code postal", "c\u00f3digo postal"), False),
    "passport": (passport, ("passport", "passport number", "Reisepass", "passeport", "pasaporte"), False),
    "driving_licence": (driving_licence, ("driving licence", "driver's license", "permis de conduire"), False),
    "vehicle_plate": (vehicle_plate, ("number plate", "license plate", "Kennzeichen", "matr\u00edcula"), False),
    "coordinates": (coordinates, ("location", "I am at", "Standort"), False),
    "url_credentials": (url_credentials, ("link", "url"), False),
    "api_key": (api_key, ("key", "API key", "token"), False),
    "password": (password, ("password", "Passwort", "mot de passe", "contrase\u00f1a"), False),
    "crypto_wallet": (crypto_wallet, ("wallet", "bitcoin address"), False),
}  # fmt: skip

_FRAMES: Final = (
    "my {0} is {1}", "{0}: {1}", "hi, {0} {1} thanks", "sure, the {0} is {1}, do you need more?", "mein {0} ist {1}",
    "mi {0} es {1}", "mon {0} est {1}", "il mio {0} \u00e8 {1}", "meu {0} \u00e9 {1}", "here is my {0}: {1}. Bye!",
)  # fmt: skip

#: Answers to a question of the bot's, which name nothing.
_BARE_FRAMES: Final = (
    "{1}",
    "{1}",
    "it's {1}",
    "{1} please",
    "ok, {1}.",
    "sure: {1}",
    "es ist {1}",
    "es {1}",
    "c'est {1}",
)

#: Kinds that nobody could tell without a word for them.
BY_CONTEXT: Final = frozenset(
    {
        "birth_date",
        "postcode",
        "passport",
        "driving_licence",
        "vehicle_plate",
        "password",
        "gb_nhs",
        "nl_bsn",
        "ca_sin",
        "au_tfn",
    }
)

TRAPS: Final[tuple[tuple[str, Make], ...]] = (
    ("my order number is {}", lambda choice: _digits(choice, choice.choice((8, 9, 10, 12)), "123456789")),
    ("order {} has not arrived", lambda choice: _digits(choice, choice.choice((9, 10, 11)), "123456789")),
    ("invoice no. {}", lambda choice: _digits(choice, 10, "123456789")),
    ("Bestellung {} bitte stornieren", lambda choice: _digits(choice, 9, "123456789")),
    ("tracking number {}", lambda choice: _digits(choice, 12, "123456789")),
    ("it costs {}", lambda choice: f"{choice.randrange(1, 999)},{choice.randrange(10, 99)} \u20ac"),
    ("the price was ${}", lambda choice: f"{choice.randrange(1, 99)},{choice.randrange(100, 999)}.00"),
    ("can we meet at {}", lambda choice: f"{choice.randrange(24)}:{choice.randrange(60):02}"),
    ("open from {}", lambda choice: f"{choice.randrange(6, 11)}:00-{choice.randrange(16, 22)}:30"),
    ("the event is on {}", lambda choice: f"{choice.randrange(1, 29):02}.{choice.randrange(1, 13):02}.2027"),
    ("delivery {} please", lambda choice: f"2026-{choice.randrange(1, 13):02}-{choice.randrange(1, 29):02}"),
    ("I use version {}", lambda choice: ".".join(str(choice.randrange(20)) for _ in range(choice.choice((3, 4))))),
    ("the app v{} crashes", lambda choice: f"{choice.randrange(9)}.{choice.randrange(30)}.{choice.randrange(9)}"),
    ("boots in size {}", lambda choice: f"{choice.randrange(36, 47)} and {choice.randrange(36, 47)}"),
    ("article {} in blue", lambda choice: f"{_letters(choice, 2)}-{_digits(choice, 5)}"),
    ("I need {} of them", lambda choice: f"{choice.randrange(2, 400)}"),
    ("we walked {} steps", lambda choice: f"{choice.randrange(10_000, 40_000)}"),
    ("ISBN {}", lambda choice: f"978-3-{_digits(choice, 3)}-{_digits(choice, 5)}-{choice.randrange(10)}"),
    ("flight {} at gate", lambda choice: f"{_letters(choice, 2)} {choice.randrange(100, 9999)}"),
    ("follow @{} for news", lambda choice: choice.choice(_NAMES) + "_shop"),
    ("look at {} for that", lambda choice: choice.choice(("example.com", "shop.example", "x.co.uk"))),
    ("error code {}", lambda choice: f"0x{choice.randrange(1 << 32):08x}"),
    ("my score was {} to {}", lambda choice: f"{choice.randrange(5)}"),
    ("my password does not work {}", lambda choice: choice.choice(("any more", "since 3 days", "again"))),
    ("in {} we opened the shop", lambda choice: f"{choice.randrange(1950, 2026)}"),
    ("ticket {} is open", lambda choice: f"#{choice.randrange(10_000, 9_999_999)}"),
    ("the room is {} m", lambda choice: f"{choice.randrange(2, 9)},{choice.randrange(10, 99)} x 3"),
    ("chapter {} of the manual", lambda choice: f"{choice.randrange(9)}.{choice.randrange(9)}.{choice.randrange(9)}"),
    ("serial number {}", lambda choice: f"SN{_digits(choice, 9)}"),
    ("{} people were there", lambda choice: f"{choice.randrange(1, 9)} {_digits(choice, 3)} {_digits(choice, 3)}"),
    ("the ratio is {}", lambda choice: f"{choice.random():.8f}"),
    ("customer number {}", lambda choice: f"{_digits(choice, 3)}-{_digits(choice, 3)}-{_digits(choice, 3)}"),
    ("reservation {} for two", lambda choice: _letters(choice, 6, string.ascii_uppercase + string.digits)),
    ("made on {} in the factory", lambda choice: f"{choice.randrange(1, 13)}/{choice.randrange(1, 29)}/2019"),
    ("coupon {} is not taken", lambda choice: f"{_letters(choice, 4)}{_digits(choice, 4)}"),
)  # fmt: skip

_WIDE: Final = {ord(sign): ord(sign) + 0xFEE0 for sign in string.digits + string.ascii_letters}
_ARABIC: Final = {ord(digit): 0x660 + int(digit) for digit in string.digits}
_DEVANAGARI: Final = {ord(digit): 0x966 + int(digit) for digit in string.digits}


def _disguised(choice: Choice, value: str) -> str:
    """Return the value as somebody writes it whom a filter shall not see."""
    way = choice.randrange(5)
    if way < 3:  # noqa: PLR2004 - three other scripts
        return value.translate((_WIDE, _ARABIC, _DEVANAGARI)[way])
    if way == 3:  # noqa: PLR2004 - as said
        place = choice.randrange(1, len(value))
        return f"{value[:place]}\u200b{value[place:]}"
    return "\u00ad".join((value[: len(value) // 2], value[len(value) // 2 :]))


def corpus(seed: int, per_kind: int, traps: int) -> list[Message]:
    """Return the messages.

    Args:
        seed: Of the generator, so that everybody gets the same ones.
        per_kind: Messages of each kind; a fifth is disguised where that is usual.
        traps: Harmless messages.
    """
    choice = random.Random(seed)
    messages = []
    for kind, (make, names, can_hide) in KINDS.items():
        for index in range(per_kind):
            value = make(choice)
            if can_hide and index % 5 == 0:
                value = _disguised(choice, value)
            frames = _BARE_FRAMES if kind not in BY_CONTEXT and index % 4 == 1 else _FRAMES
            before, after = choice.choice(frames).replace("{0}", choice.choice(names)).split("{1}")
            messages.append(Message(before + value + after, kind, len(before), len(before) + len(value)))
    for _ in range(traps):
        frame, make = choice.choice(TRAPS)
        messages.append(Message(frame.replace("{}", make(choice)), None))
    choice.shuffle(messages)
    return messages
