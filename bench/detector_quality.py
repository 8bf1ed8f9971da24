"""What the detectors find and what they take for personal, beside Presidio's own recognisers by patterns.

Presidio is installed from `bench/presidio.txt` (with hashes) into `.build/presidio`, by itself: beside Rasa only an
older Presidio can be installed, and a newer one is to be measured.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.support.personal_corpus import KINDS, Message, corpus
from bench.support.report import ROOT, Table, publish, verdict
from rasa_privacy.minimize.detectors import find

SEED: Final = 20_261  # not the one that the detectors were made with
PER_KIND: Final = 200
TRAPS: Final = 2_000
COVERED: Final = 0.8  # of a value's characters, for it to count as found
THRESHOLD: Final = 0.4  # Presidio's score
RECALL, PRECISION, ALARMS = 0.95, 0.98, 0.03
_ENVIRONMENT: Final = ROOT / ".build" / "presidio"

#: Presidio's types for each of our kinds; where it has none, there is nothing that it could find.
TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "email": ("EMAIL_ADDRESS",), "spoken email": ("EMAIL_ADDRESS",), "phone": ("PHONE_NUMBER",),
    "payment_card": ("CREDIT_CARD",), "iban": ("IBAN_CODE",), "us_ssn": ("US_SSN",), "gb_nhs": ("UK_NHS",),
    "gb_nino": ("UK_NINO",), "de_tax_id": ("DE_TAX_ID",), "fr_nir": (), "es_dni": ("ES_NIF",), "es_nie": ("ES_NIE",),
    "it_codice_fiscale": ("IT_FISCAL_CODE",), "nl_bsn": (), "br_cpf": (), "in_aadhaar": ("IN_AADHAAR",),
    "in_pan": ("IN_PAN",), "ca_sin": ("CA_SIN",), "au_tfn": ("AU_TFN",), "ip_address": ("IP_ADDRESS",),
    "mac_address": ("MAC_ADDRESS",), "birth_date": ("DATE_TIME",),
    "postcode": ("UK_POSTCODE", "CA_POSTAL_CODE", "DE_PLZ"),
    "passport": ("US_PASSPORT", "UK_PASSPORT", "DE_PASSPORT", "ES_PASSPORT", "IT_PASSPORT", "IN_PASSPORT"),
    "driving_licence": ("US_DRIVER_LICENSE", "UK_DRIVING_LICENCE", "DE_FUEHRERSCHEIN", "IT_DRIVER_LICENSE"),
    "vehicle_plate": ("UK_VEHICLE_REGISTRATION", "DE_KFZ", "IN_VEHICLE_REGISTRATION"), "coordinates": (),
    "url_credentials": (), "api_key": (), "password": (), "crypto_wallet": ("CRYPTO",),
}  # fmt: skip

METHOD: Final = f"""Generated messages in six languages, {PER_KIND} of each kind and {TRAPS:,} harmless ones with
numbers in them (`bench/support/personal_corpus.py`, seed {SEED}); where people do so, a fifth is in another script
or has invisible signs, and a fourth is an answer without a word for it. A value is found when a finding of its kind
covers {COVERED:.0%} of it; any finding elsewhere, or of another kind alone, counts against the precision of its kind.
Presidio is its analyzer with every recogniser by patterns that it ships, its context words, and a threshold of
{THRESHOLD}; only its types that stand for one of these kinds count, DATE_TIME as the date of birth. "-" where it has no
such type; those count as not found in the last rows. Corpus and detectors have one author: another's messages will
show more misses."""

Found = tuple[int, int, str]


@dataclass
class Score:
    """Counts of one kind."""

    values: int = 0
    hits: int = 0
    right: int = 0
    wrong: int = 0

    def recall(self) -> float:
        """Return the share of the values that were found."""
        return self.hits / self.values if self.values else 0.0

    def precision(self) -> float:
        """Return the share of the findings that are right."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0


@dataclass
class Result:
    """Counts of one finder."""

    kinds: dict[str, Score] = field(default_factory=dict)
    alarms: int = 0

    def of(self, kind: str) -> Score:
        """Return the counts of a kind."""
        return self.kinds.setdefault(kind, Score())

    def all(self) -> Score:
        """Return the counts of all kinds together."""
        total = Score()
        for each in self.kinds.values():
            total.values += each.values
            total.hits += each.hits
            total.right += each.right
            total.wrong += each.wrong
        return total


def judge(messages: Sequence[Message], findings: Sequence[Sequence[Found]]) -> Result:
    """Return how right the findings are; each is named by our kinds."""
    result = Result()
    for message, found in zip(messages, findings, strict=True):
        if message.kind is None:
            result.alarms += bool(found)
            for _, _, kind in found:
                result.of(kind).wrong += 1
            continue
        named = "email" if message.kind == "spoken email" else message.kind
        score = result.of(message.kind)
        score.values += 1
        hits = [each for each in found if each[2] == named and _covers(each, message)]
        score.hits += bool(hits)
        score.right += bool(hits)
        for start, end, kind in found:
            if (start, end, kind) not in hits:
                overlaps = start < message.end and end > message.start
                # Beside the right answer a second name for the same place misleads nobody; alone it does.
                if not (hits and overlaps):
                    result.of(kind).wrong += 1
    return result


def _covers(found: Found, message: Message) -> bool:
    start, end, _ = found
    return min(end, message.end) - max(start, message.start) >= COVERED * (message.end - message.start)


def ours(messages: Sequence[Message]) -> list[list[Found]]:
    """Return what our detectors find."""
    return [[(each.start, each.end, each.kind) for each in find(message.text)] for message in messages]


def presidio(messages: Sequence[Message]) -> list[list[Found]]:
    """Return what Presidio finds, by our names."""
    named: dict[str, str] = {}
    for kind, types in TYPES.items():
        named.update(dict.fromkeys(types, "email" if kind == "spoken email" else kind))
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "messages.json", Path(folder) / "findings.json"
        asked.write_text(json.dumps([message.text for message in messages]), encoding="utf-8")
        script = ROOT / "bench" / "support" / "presidio_side.py"
        command = [str(_ENVIRONMENT / "bin" / "python"), str(script), str(asked), str(answered)]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own script
        read = json.loads(answered.read_text(encoding="utf-8"))
    return [
        [(start, end, named[kind]) for start, end, kind, score in found if kind in named and score >= THRESHOLD]
        for found in read["findings"]
    ]


def install() -> None:
    """Make Presidio's environment where it is missing."""
    uv = Path(sys.executable).parent / "uv"
    python = _ENVIRONMENT / "bin" / "python"
    if not python.exists():
        subprocess.run([str(uv), "venv", "--quiet", "--python", sys.executable, str(_ENVIRONMENT)], check=True)  # noqa: S603 - as above
    requirements = ROOT / "bench" / "presidio.txt"
    arguments = ["pip", "install", "--quiet", "--python", str(python), "--require-hashes", "-r", str(requirements)]
    subprocess.run([str(uv), *arguments], check=True)  # noqa: S603 - as above


def rows(mine: Result, other: Result) -> list[tuple[str, ...]]:
    """Return the rows of the table."""
    lines: list[tuple[str, ...]] = []
    for kind in KINDS:
        left, right = mine.of(kind), other.of(kind)
        known = bool(TYPES[kind])
        better = not known or (left.recall() >= right.recall() and left.precision() >= right.precision())
        theirs = (f"{right.recall():.1%}", f"{right.precision():.1%}") if known else ("-", "-")
        lines.append(
            (kind, f"{left.recall():.1%}", f"{left.precision():.1%}", *theirs, ">= Presidio", verdict(met=better))
        )
    total, against = mine.all(), other.all()
    alarms = mine.alarms / TRAPS
    recall, precision = total.recall(), total.precision()
    theirs_all = (f"{against.recall():.1%}", f"{against.precision():.1%}", f"{other.alarms / TRAPS:.1%}")
    met = (verdict(met=recall >= RECALL), verdict(met=precision >= PRECISION), verdict(met=alarms <= ALARMS))
    lines += [
        ("all: found", f"{recall:.1%}", "", theirs_all[0], "", f">= {RECALL:.0%}", met[0]),
        ("all: right", "", f"{precision:.1%}", "", theirs_all[1], f">= {PRECISION:.0%}", met[1]),
        ("harmless with an alarm", f"{alarms:.1%}", "", theirs_all[2], "", f"<= {ALARMS:.0%}", met[2]),
    ]
    return lines


def main() -> None:
    """Measure, print, and write the document."""
    install()
    messages = corpus(SEED, PER_KIND, TRAPS)
    mine, other = judge(messages, ours(messages)), judge(messages, presidio(messages))
    head = ("kind", "found", "right", "Presidio found", "Presidio right", "goal", "")
    publish("detector_quality", Table("What the detectors find", " ".join(METHOD.split()), head, rows(mine, other)))


if __name__ == "__main__":
    main()
