"""Numbers that states give to people. Shape and check digits are python-stdnum's, which names the source of each.

How doubtful a number is without a word for it depends on its check: where chance passes one in ten or more, a word
must stand near it (`context.says`), or the number be the whole message, as the answer to a question is.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from stdnum import luhn
from stdnum.au import tfn
from stdnum.br import cpf
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.in_ import aadhaar, pan
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.us import ssn

from rasa_privacy.minimize.context import Context, is_answer, is_other, says
from rasa_privacy.minimize.digit_zones import Number, Zone
from rasa_privacy.minimize.searched_text import SearchedText

_GAP: Final = r"(?:[ ./-]{0,2}| - )"
_PART: Final = r"(?:[ .-]?| - )"
_START: Final = r"(?<![A-Za-z0-9_])(?<![0-9][./-])(?<![0-9] )(?<!\+)"
_LETTER_START: Final = r"(?<![A-Za-z0-9_])"  # where letters of its own tell where the number begins
_END: Final = r"(?![A-Za-z0-9_])"
_WORD_GOES_ON: Final = re.compile("[A-Za-z0-9_]")
_DIGIT_BESIDE: Final = "+_"  # signs beside a number that make it part of something else
_PADDING: Final = 24  # characters around the digits that may belong to the number
_SIGNS: Final = re.compile(r"[^0-9A-Za-z]")
_ANSWER: Final = 100  # characters of the longest message that is an answer, with its number
_DUMMIES: Final = frozenset({"123456789", "1234567890", "12345678901", "123456789012"})


def _digits(first: str, count: int) -> str:
    """Return the pattern of so many digits that may stand apart, the first of a class of its own."""
    return f"{first}(?:{_GAP}[0-9]){{{count - 1}}}"


@dataclass(frozen=True, slots=True)
class NationalId:
    """How one kind of number is found.

    Attributes:
        source: The rule that the check follows.
        is_valid: Check of the number without its signs.
        context: What a person calls it.
        digits: The fewest digits that it has.
        counts: How many digits it has, where it is of digits alone.
        shape: The number with the signs that may stand in it, where it has letters.
        bare: Way of writing that needs no word for it; None where all do.
        sign: The feature (`SearchedText.features`) of every text with a number of this shape.
    """

    source: str
    is_valid: Callable[[str], bool]
    context: Context
    digits: int
    counts: frozenset[int] = frozenset()
    shape: re.Pattern[str] | None = None
    bare: re.Pattern[str] | None = None
    sign: str = "one letter after a digit"

    @property
    def features(self) -> frozenset[str]:
        """Return the features of which a text with such a number has one."""
        return frozenset({f"{count} digits" for count in self.counts} | ({self.sign} if self.shape else set()))

    def spans(self, text: SearchedText) -> Iterator[tuple[int, int]]:
        """Yield start and end of each number of this kind."""
        for start, end, digits in self._numbers(text) if self.counts else ():
            if _stands_alone(text.plain, start, end):
                yield from self._judged(text, start, end, digits)
        for zone in text.zones_with(self.sign) if self.shape else ():
            if zone.digits >= self.digits:
                yield from self._in_zone(text, zone)

    def _numbers(self, text: SearchedText) -> list[Number]:
        """Return the numbers of the right length that may count: where a word must stand by them, those by one."""
        if self.bare is None and len(text.plain) > _ANSWER:
            return [number for number in self.context.near(text, text.numbers) if len(number.digits) in self.counts]
        return [number for count in self.counts for number in text.numbers_by_count.get(count, ())]

    def _in_zone(self, text: SearchedText, zone: Zone) -> Iterator[tuple[int, int]]:
        shape = self.shape
        for found in shape.finditer(text.plain, max(0, zone.start - _PADDING), zone.end + _PADDING) if shape else ():
            if _WORD_GOES_ON.match(text.plain, found.end()):  # beyond what was looked at
                continue
            yield from self._judged(text, *found.span(), _SIGNS.sub("", found[0]).upper())

    def _judged(self, text: SearchedText, start: int, end: int, compact: str) -> Iterator[tuple[int, int]]:
        if self._is_meant(text, start, end, compact) and self.is_valid(compact):
            yield start, end

    def _is_meant(self, text: SearchedText, start: int, end: int, compact: str) -> bool:
        if says(text, start, end, self.context):
            return True
        written = text.plain[start:end]
        is_bare = self.bare is _ANY or self._is_bare(written)
        # What begins with 0 is a phone number's, to most who read it.
        if not is_bare and (compact[0] == "0" or not is_answer(text, start, end)):
            return False
        if is_other(text, start) or compact in _DUMMIES:
            return False
        # An answer that another kind's way of writing tells apart is that kind's.
        return is_bare or not any(other._is_bare(written) for other in NATIONAL_IDS.values())  # noqa: SLF001 - of this very class

    def _is_bare(self, written: str) -> bool:
        return self.bare is not None and self.bare is not _ANY and self.bare.fullmatch(written) is not None


def _stands_alone(plain: str, start: int, end: int) -> bool:
    before, after = plain[max(0, start - 1) : start], plain[end : end + 1]
    return not (before.isalpha() or after.isalpha() or (before and before in _DIGIT_BESIDE) or after == "_")


def _nino(compact: str) -> bool:
    """Tell whether the two letters are given out (HMRC, NIM39110)."""
    return compact[:2] not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"} and compact != "QQ123456C"


def _varied(is_valid: Callable[[str], bool]) -> Callable[[str], bool]:
    """Return the check for numbers that are not one digit over and over."""
    return lambda compact: len(set(compact)) > 1 and is_valid(compact)


def _shape(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_ANY: Final = re.compile(r".*", re.DOTALL)

#: Each kind by the name that privacy.yml uses.
NATIONAL_IDS: Final[dict[str, NationalId]] = {
    "gb_nhs": NationalId(
        "NHS Data Dictionary, NHS NUMBER: modulus 11", nhs.is_valid,
        Context(" nhs ", " national health", " health service number", " nhsnumber"),
        10, counts=frozenset({10}),
    ),
    "gb_nino": NationalId(
        "HMRC, National Insurance Manual NIM39110: two letters, six digits, a suffix A to D", _nino,
        Context(" nino ", " ni number", " national insurance", " insurance number", " ni no "),
        6, bare=_ANY, shape=_shape(
            f"{_LETTER_START}[A-CEGHJ-PR-TW-Z]{_GAP}[A-CEGHJ-NPR-TW-Z](?:{_GAP}[0-9]){{6}}{_GAP}[A-D]{_END}"
        ),
    ),
    "de_tax_id": NationalId(
        "Bundeszentralamt f\u00fcr Steuern, Steuer-IdNr.: one digit twice or thrice, ISO 7064 mod 11,10", idnr.is_valid,
        Context(
            " steuer id", " steueridentifikation", " steuer identifikation", " idnr", " steuernummer", " steuer nr",
            " tax id", " identifikationsnummer", " tin ", " steuerid", " tax number", " tax identification",
        ),
        11, counts=frozenset({11}), bare=_shape(r"[0-9]{11}|[0-9]{2}([ -]| - )[0-9]{3}\1[0-9]{3}\1[0-9]{3}"),
    ),
    "fr_nir": NationalId(
        "INSEE, num\u00e9ro d'inscription au r\u00e9pertoire: key 97 minus the number modulo 97", nir.is_valid,
        Context(" nir ", " securite sociale", " secu ", " carte vitale", " insee ", " social security"),
        13, counts=frozenset({15}), bare=_ANY, sign="Corsican", shape=_shape(  # Corsica's departments are 2A and 2B
            f"{_START}[1-478](?:{_GAP}[0-9]){{4}}{_GAP}2[AB](?:{_GAP}[0-9]){{8}}{_END}"
        ),
    ),
    "es_dni": NationalId(
        "Ministerio del Interior, NIF: the letter is the number modulo 23", dni.is_valid,
        Context(" dni ", " nif ", " documento nacional", " d n i ", " spanish id"),
        8, bare=_ANY, shape=_shape(_START + _digits("[0-9]", 8) + _GAP + "[A-HJ-NP-TV-Z]" + _END),
    ),
    "es_nie": NationalId(
        "Ministerio del Interior, NIE: X, Y or Z stand for 0, 1 and 2; then as the DNI", nie.is_valid,
        Context(" nie ", " extranjero", " n i e "),
        7, bare=_ANY, shape=_shape(
            _LETTER_START + "[XYZ]" + _GAP + _digits("[0-9]", 7) + _GAP + "[A-HJ-NP-TV-Z]" + _END
        ),
    ),
    "it_codice_fiscale": NationalId(
        "Agenzia delle Entrate, decreto 23/12/1976: check letter over 15 characters", codicefiscale.is_valid,
        Context(" codice fiscale", " fiscal code", " c f "),
        3, bare=_ANY, sign="letter after three", shape=_shape(
            f"{_LETTER_START}[A-Z](?:{_PART}[A-Z]){{5}}(?:{_PART}[0-9LMNP-V]){{2}}{_PART}[ABCDEHLMPRST]"
            f"(?:{_PART}[0-9LMNP-V]){{2}}{_PART}[A-Z](?:{_PART}[0-9LMNP-V]){{3}}{_PART}[A-Z]{_END}"
        ),
    ),
    "in_pan": NationalId(
        "Income Tax Department of India, PAN: the fourth letter is the kind of holder", pan.is_valid,
        Context(" pan ", " permanent account", " income tax"),
        4, bare=_ANY, shape=_shape(
            _LETTER_START + r"(?:[A-Z]{3}[ -]?[ABCFGHJLPT][A-Z][ -]?[0-9](?:[ -]?[0-9]){3}[ -]?[A-Z]"
            r"|[A-Z]{3}\.?[ABCFGHJLPT][A-Z]\.?[0-9](?:\.?[0-9]){3}\.?[A-Z]|[A-Z]{3}[ABCFGHJLPT][A-Z] - [0-9]{4} - [A-Z]"
            r"|[A-Z](?P<each>[ .-])[A-Z](?P=each)[A-Z](?P=each)[ABCFGHJLPT](?P=each)[A-Z](?:(?P=each)[0-9]){4}"
            r"(?P=each)[A-Z])" + _END
        ),
    ),
    "br_cpf": NationalId(
        "Receita Federal, CPF: two check digits modulo 11", _varied(cpf.is_valid),
        Context(" cpf ", " cadastro de pessoa", " brazilian tax"),
        11, counts=frozenset({11}), bare=_shape(
            r"[0-9]{11}|[0-9]{3}\.[0-9]{3}\.[0-9]{3}[-/.][0-9]{2}|[0-9]{3}([ -]| - )[0-9]{3}\1[0-9]{3}"
            r"(?:[ -]| - )[0-9]{2}"
        ),
    ),
    "in_aadhaar": NationalId(
        "UIDAI, Aadhaar: Verhoeff's check digit, no 0 or 1 first", aadhaar.is_valid,
        Context(" aadhaar", " aadhar", " adhaar", " adhar", " uidai", " uid "),
        12, counts=frozenset({12}), bare=_shape(r"[0-9]{4}([ -]| - )[0-9]{4}\1[0-9]{4}"),
    ),
    "nl_bsn": NationalId(
        "Rijksdienst voor Identiteitsgegevens, BSN: the eleven test", _varied(bsn.is_valid),
        Context(" bsn ", " burgerservice", " sofinummer", " sofi ", " citizen service"),
        8, counts=frozenset({8, 9}),
    ),
    "ca_sin": NationalId(
        "Employment and Social Development Canada, SIN: Luhn's check digit", _varied(luhn.is_valid),
        Context(" sin ", " social insurance", " assurance sociale", " nas "),
        9, counts=frozenset({9}),
    ),
    "au_tfn": NationalId(
        "Australian Taxation Office, TFN: weighted sum modulo 11", _varied(tfn.is_valid),
        Context(" tfn ", " tax file", " taxfile"),
        8, counts=frozenset({8, 9}),
    ),
    "us_ssn": NationalId(
        "US Social Security Administration: areas 001 to 899 without 666, no group 00, no serial 0000", ssn.is_valid,
        Context(" ssn ", " social security", " ss number", " my social is ", " seguro social", " socialsecurity"),
        9, counts=frozenset({9}), bare=_shape(r"[0-9]{3}([ -])[0-9]{2}\1[0-9]{4}"),
    ),
}  # fmt: skip
