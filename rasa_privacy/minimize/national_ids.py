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

from rasa_privacy.minimize.context import Context, is_alone, is_other, says
from rasa_privacy.minimize.searched_text import SearchedText, Zone

_GAP: Final = r"[ ./-]{0,2}"
_START: Final = r"(?<![A-Za-z0-9_])(?<![0-9][./-])(?<![0-9] )(?<!\+)"
_END: Final = r"(?![A-Za-z0-9_])(?![./ -]{1,2}[0-9])"
_LOOSE_START: Final = r"(?<![A-Za-z0-9_])"  # where letters of its own tell where the number begins
_LOOSE_END: Final = r"(?![A-Za-z0-9_])"
_PADDING: Final = 24  # characters around the digits that may belong to the number
_ALONE_CHARACTERS: Final = 60  # of a message that is nothing but a number
_SIGNS: Final = re.compile(r"[^0-9A-Za-z]")
_DUMMIES: Final = frozenset({"123456789", "1234567890", "12345678901", "123456789012"})


def _digits(groups: str, gap: str = _GAP) -> str:
    """Return the pattern of digits that may stand apart; `groups` gives the first digit's class."""
    first, count = groups.split("*")
    return f"{first}(?:{gap}[0-9]){{{int(count) - 1}}}"


@dataclass(frozen=True, slots=True)
class NationalId:
    """How one kind of number is found.

    Attributes:
        source: The rule that the check follows.
        shape: The number with the signs that may stand in it.
        digits: The fewest digits that the stretch must have.
        is_valid: Check of the number without its signs.
        context: What a person calls it.
        bare: Way of writing that needs no word for it; None where all do.
    """

    source: str
    shape: re.Pattern[str]
    digits: int
    is_valid: Callable[[str], bool]
    context: Context
    bare: re.Pattern[str] | None = None

    def spans(self, text: SearchedText) -> Iterator[tuple[int, int]]:
        """Yield start and end of each number of this kind."""
        if self.bare is None and not self.context.may_be_in(text) and len(text.plain) > _ALONE_CHARACTERS:
            return
        for zone in text.zones:
            if zone.digits >= self.digits:
                yield from self._in_zone(text, zone)

    def _in_zone(self, text: SearchedText, zone: Zone) -> Iterator[tuple[int, int]]:
        done = 0
        for found in self.shape.finditer(text.plain, max(0, zone.start - _PADDING), zone.end + _PADDING):
            compact = _SIGNS.sub("", found[0]).upper()
            if found.start() >= done and self.is_valid(compact) and self._is_meant(text, found, compact):
                done = found.end()
                yield found.span()

    def _is_meant(self, text: SearchedText, found: re.Match[str], compact: str) -> bool:
        if says(text, *found.span(), self.context):
            return True
        if is_other(text, found.start()) or compact in _DUMMIES:
            return False
        if self.bare is _ANY or self._is_bare(found[0]):
            return True
        # An answer that another kind's way of writing tells apart is that kind's.
        return is_alone(text, *found.span()) and not any(other._is_bare(found[0]) for other in NATIONAL_IDS.values())  # noqa: SLF001 - of this very class

    def _is_bare(self, written: str) -> bool:
        return self.bare is not None and self.bare is not _ANY and self.bare.fullmatch(written) is not None


def _nino(compact: str) -> bool:
    """Tell whether the two letters are given out (HMRC, NIM39110)."""
    return compact[:2] not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"} and compact != "QQ123456C"


def _varies(compact: str) -> bool:
    return len(set(compact)) > 1


def _grouped(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_ANY: Final = re.compile(r".*", re.DOTALL)

#: Each kind by the name that privacy.yml uses.
NATIONAL_IDS: Final[dict[str, NationalId]] = {
    "gb_nhs": NationalId(
        "NHS Data Dictionary, NHS NUMBER: modulus 11",
        re.compile(_START + _digits("[0-9]*10") + _END), 10, nhs.is_valid,
        Context(" nhs ", " national health", " health service number", " nhsnumber"),
    ),
    "gb_nino": NationalId(
        "HMRC, National Insurance Manual NIM39110: two letters, six digits, a suffix A to D",
        re.compile(
            _LOOSE_START + r"[A-CEGHJ-PR-TW-Z]" + _GAP + r"[A-CEGHJ-NPR-TW-Z]" + f"(?:{_GAP}[0-9]){{6}}{_GAP}[A-D]"
            + _LOOSE_END, re.IGNORECASE
        ), 6, _nino,
        Context(" nino ", " ni number", " national insurance", " insurance number", " ni no "),
        _ANY,
    ),
    "de_tax_id": NationalId(
        "Bundeszentralamt f\u00fcr Steuern, Steuer-IdNr.: one digit twice or thrice, ISO 7064 mod 11,10",
        re.compile(_START + _digits("[1-9]*11") + _END), 11, idnr.is_valid,
        Context(
            " steuer id", " steueridentifikation", " steuer identifikation", " idnr", " steuernummer", " steuer nr",
            " tax id", " identifikationsnummer", " tin ", " steuerid", " tax number", " tax identification",
        ),
        _grouped(r"[0-9]{11}|[0-9]{2}([ -])[0-9]{3}\1[0-9]{3}\1[0-9]{3}"),
    ),
    "fr_nir": NationalId(
        "INSEE, num\u00e9ro d'inscription au r\u00e9pertoire: key 97 minus the number modulo 97",
        re.compile(
            _START + f"[1-478](?:{_GAP}[0-9]){{4}}{_GAP}(?:2[AB]|[0-9]{_GAP}[0-9])(?:{_GAP}[0-9]){{8}}" + _END,
            re.IGNORECASE,
        ), 13, nir.is_valid,
        Context(" nir ", " securite sociale", " secu ", " carte vitale", " insee ", " social security"),
        _ANY,
    ),
    "es_dni": NationalId(
        "Ministerio del Interior, NIF: the letter is the number modulo 23",
        re.compile(_START + _digits("[0-9]*8") + _GAP + "[A-HJ-NP-TV-Z]" + _LOOSE_END, re.IGNORECASE),
        8, dni.is_valid,
        Context(" dni ", " nif ", " documento nacional", " d n i ", " spanish id"), _ANY,
    ),
    "es_nie": NationalId(
        "Ministerio del Interior, NIE: X, Y or Z stand for 0, 1 and 2; then as the DNI",
        re.compile(
            _LOOSE_START + "[XYZ]" + _GAP + _digits("[0-9]*7") + _GAP + "[A-HJ-NP-TV-Z]" + _LOOSE_END, re.IGNORECASE
        ), 7, nie.is_valid,
        Context(" nie ", " extranjero", " n i e "), _ANY,
    ),
    "it_codice_fiscale": NationalId(
        "Agenzia delle Entrate, decreto 23/12/1976: check letter over 15 characters",
        re.compile(
            _LOOSE_START + r"(?:[A-Z]{3}[ .-]?){2}[0-9LMNP-V]{2}[ .-]?[ABCDEHLMPRST][ .-]?[0-9LMNP-V]{2}"
            r"[ .-]?[A-Z][ .-]?[0-9LMNP-V]{3}[ .-]?[A-Z]" + _LOOSE_END, re.IGNORECASE
        ), 3, codicefiscale.is_valid,
        Context(" codice fiscale", " fiscal code", " c f "), _ANY,
    ),
    "nl_bsn": NationalId(
        "Rijksdienst voor Identiteitsgegevens, BSN: the eleven test",
        re.compile(_START + f"[0-9](?:{_GAP}[0-9]){{7,8}}" + _END), 8,
        lambda compact: _varies(compact) and bsn.is_valid(compact),
        Context(" bsn ", " burgerservice", " sofinummer", " sofi ", " citizen service", " bsn nummer"),
    ),
    "br_cpf": NationalId(
        "Receita Federal, CPF: two check digits modulo 11",
        re.compile(_START + _digits("[0-9]*11") + _END), 11,
        lambda compact: _varies(compact) and cpf.is_valid(compact),
        Context(" cpf ", " cadastro de pessoa", " brazilian tax"),
        _grouped(r"[0-9]{11}|[0-9]{3}\.[0-9]{3}\.[0-9]{3}[-/.][0-9]{2}|[0-9]{3}([ -])[0-9]{3}\1[0-9]{3}[ -][0-9]{2}"),
    ),
    "in_aadhaar": NationalId(
        "UIDAI, Aadhaar: Verhoeff's check digit, no 0 or 1 first",
        re.compile(_START + _digits("[2-9]*12") + _END), 12, aadhaar.is_valid,
        Context(" aadhaar", " aadhar", " adhaar", " adhar", " uidai", " uid "),
        _grouped(r"[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}"),
    ),
    "in_pan": NationalId(
        "Income Tax Department of India, PAN: the fourth letter is the kind of holder",
        re.compile(
            _LOOSE_START + r"[A-Z]{3}[ -]?[ABCFGHJLPT][A-Z][ -]?[0-9](?:[ -]?[0-9]){3}[ -]?[A-Z]" + _LOOSE_END,
            re.IGNORECASE,
        ), 4, pan.is_valid,
        Context(" pan ", " permanent account", " income tax"), _grouped(r"[a-z]{5}[ -]?[0-9]{4}[ -]?[a-z]"),
    ),
    "ca_sin": NationalId(
        "Employment and Social Development Canada, SIN: Luhn's check digit",
        re.compile(_START + _digits("[0-9]*9") + _END), 9,
        lambda compact: _varies(compact) and luhn.is_valid(compact),
        Context(" sin ", " social insurance", " assurance sociale", " nas "),
    ),
    "au_tfn": NationalId(
        "Australian Taxation Office, TFN: weighted sum modulo 11",
        re.compile(_START + f"[0-9](?:{_GAP}[0-9]){{7,8}}" + _END), 8,
        lambda compact: _varies(compact) and tfn.is_valid(compact),
        Context(" tfn ", " tax file", " taxfile"),
    ),
    "us_ssn": NationalId(
        "US Social Security Administration: no area 000, 666 or 900 and above, no group 00, no serial 0000",
        re.compile(_START + _digits("[0-8]*9") + _END), 9, ssn.is_valid,
        Context(" ssn ", " social security", " seguro social", " socialsecurity", " ss number"),
        _grouped(r"[0-9]{3}([ -])[0-9]{2}\1[0-9]{4}"),
    ),
}  # fmt: skip
