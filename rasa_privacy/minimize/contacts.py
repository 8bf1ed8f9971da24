"""One form for each way of writing an email address or a phone number, so that a contact is found again.

Rules:

1. Email addresses are compared without regard to case, Unicode form and how an international domain is written. Nothing
   else is folded: whether `a.b@` and `ab@` are one mailbox is the mail server's business. A domain with ß or another
   letter that old mail programs replace and new ones do not (IDNA2003, RFC 5892) has a form for both readings.
2. Phone numbers become E.164 (ITU-T). A number without a country code may belong to several regions: it has a form for
   each of them in which it is possible, so that a suppression rather holds for one too many.
3. A sender id may be such a contact itself: `whatsapp:+491705558172`, or the bare digits that messengers use.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

import phonenumbers

from rasa_privacy.errors import ContactError
from rasa_privacy.minimize.e164 import is_e164
from rasa_privacy.minimize.regions import DEFAULT_REGIONS

_MAX_CHARACTERS: Final = 320  # 64 + @ + 255, RFC 5321, section 4.5.3.1
_PREFIX: Final = re.compile(r"^(?:whatsapp|sms|tel|mailto|messenger|viber|signal):", re.IGNORECASE)
_DIGITS_ONLY: Final = re.compile(r"^[0-9]{8,15}$")
#: RFC 5894, section 7.2: sharp s, final sigma, and the two joiners.
_REPLACED: Final = re.compile("[\u00df\u03c2\u200c\u200d]")
_PHONE: Final = re.compile(r"^[+(]?[0-9][0-9 ()./\-]*$")


def contact_forms(contact: str, regions: tuple[str, ...] = DEFAULT_REGIONS) -> tuple[str, ...]:
    """Return the forms of an email address or a phone number, such as `email:ana@x.example` or `phone:+491705558172`.

    Args:
        contact: As somebody wrote it.
        regions: ISO 3166-1 codes of the countries whose numbers are written without a country code.

    Raises:
        ContactError: It is neither.
    """
    plain = _normal(contact)
    forms = () if len(plain) > _MAX_CHARACTERS else _email_forms(plain) or _phone_forms(plain, regions)
    if not forms:
        raise ContactError("this is neither an email address nor a phone number; write one such as +49 170 1234567")
    return forms


def sender_forms(sender_id: str, regions: tuple[str, ...] = DEFAULT_REGIONS) -> tuple[str, ...]:
    """Return the forms of a sender id that is an email address or a phone number; nothing for any other."""
    plain = _normal(sender_id)
    if not plain.isdigit():
        plain = _PREFIX.sub("", plain)
    if _DIGITS_ONLY.match(plain):
        plain = "+" + plain
        if is_e164(plain):  # as `contact_forms` finds, after it has looked for an address
            return (f"phone:{plain}",)
    try:
        return contact_forms(plain, regions)
    except ContactError:
        return ()


def _email_forms(plain: str) -> tuple[str, ...]:
    local, _, domain = plain.rpartition("@")
    if not local or not domain or len(plain.split()) > 1:
        return ()
    domains = _domains(domain)
    if local.isascii():  # in which neither case folding nor normalization does anything more
        if len(domains) == 1:
            return (f"email:{local.lower()}@{domains[0]}",)
        return tuple(f"email:{local.lower()}@{host}" for host in domains)
    locals_ = dict.fromkeys(unicodedata.normalize("NFKC", each) for each in (local.lower(), local.casefold()))
    return tuple(f"email:{name}@{host}" for name in locals_ for host in domains)


@lru_cache(maxsize=4096)
def _domains(domain: str) -> tuple[str, ...]:
    """Return the forms of a domain, none where it is none; many people share one."""
    try:
        hosts = dict.fromkeys((_kept_apart(domain.rstrip(".").lower()), domain.rstrip(".").casefold()))
        return tuple(each.encode("idna").decode() for each in hosts)
    except UnicodeError:
        return ()


def _normal(text: str) -> str:
    """Return a text in Unicode's form NFKC, which leaves ASCII as it is, without the blanks around it."""
    return (text if text.isascii() else unicodedata.normalize("NFKC", text)).strip()


def _kept_apart(domain: str) -> str:
    """Return a domain with each label encoded that has a letter which IDNA2003 would replace."""
    labels = (
        f"xn--{each.encode('punycode').decode()}" if _REPLACED.search(each) else each for each in domain.split(".")
    )
    return ".".join(labels)


def _phone_forms(plain: str, regions: tuple[str, ...]) -> tuple[str, ...]:
    if is_e164(plain):
        return (f"phone:{plain}",)
    if not _PHONE.match(plain):
        return ()
    written = "+" + plain[2:] if plain.startswith("00") else plain
    asked = (None,) if written.startswith("+") else regions
    numbers = (_number(written, region) for region in asked)
    return tuple(dict.fromkeys(f"phone:{number}" for number in numbers if number is not None))


def _number(written: str, region: str | None) -> str | None:
    """Return the number in E.164, or None where it is none of that region."""
    try:
        parsed = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None
    # `possible` and not `valid`: a number range that the library does not know yet must be suppressed all the same.
    if not phonenumbers.is_possible_number(parsed):
        return None
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
