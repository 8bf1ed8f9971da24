"""The detectors: time on messages of 200 characters, and on long texts, harmless and hostile."""

import random
import re
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Final

import yaml

from bench.support.personal_corpus import corpus
from bench.support.report import ROOT, Table, publish, verdict
from rasa_privacy.minimize.detectors import MAX_CHARACTERS, find

MESSAGE_CHARACTERS: Final = 200
MESSAGE_GOAL_SECONDS: Final = 100e-6  # DESIGN.md, section 8
TEXT_GOAL_MB: Final = 5.0  # a second, of a long text as people write it
SENTENCES: Final = 10  # of a letter for each with a number in it
VALUE_CHARACTERS: Final = 2_000  # of a letter for each personal value
LINEAR: Final = 2.0  # what is taken for linear: time per character at most so many times that of a tenth of the text
PART_CHARACTERS: Final = 2_000
MESSAGES: Final = 300
REPEATS: Final = 5
SECONDS_EACH: Final = 1.5

METHOD: Final = """Messages: medians over 300 generated messages of 200 characters, each searched 5 times. Letters:
everyday sentences, in one of ten a number that is nobody's, and every 2,000 characters a personal value, each of
another kind and half of them disguised. Long texts: medians; each is 10 times the same 2,000 characters, and its time
per character is set against that of these; up to 2 is taken for linear. Times are those of the processor. Every
detector runs, with the default regions. The last rows are texts made to be slow."""

_WORDS: Final = re.findall(
    r"\S+",
    "hello I would like to know when the shop is open and whether my order has left because the tent was for this "
    "weekend please tell me what to do about the boots in size 42 which are too small and cost 89.90 thank you so much",
)


def message(choice: random.Random, personal: Callable[[random.Random], str] | None = None) -> str:
    """Return 200 characters of words, with one personal value among them where there is one to make."""
    words = [choice.choice(_WORDS) for _ in range(60)]
    if personal is not None:
        words.insert(choice.randrange(8), personal(choice))
    return " ".join(words)[:MESSAGE_CHARACTERS]


def an_email(choice: random.Random) -> str:
    """Return an address."""
    return f"lena.berg{choice.randrange(1000)}@mail.example"


def a_phone(choice: random.Random) -> str:
    """Return a phone number with its country code."""
    return f"+49 30 901820{choice.randrange(100, 999)}"


def an_iban(choice: random.Random) -> str:
    """Return an account number with the right check digits (ISO 7064, mod 97-10)."""
    rest = f"{choice.randrange(10**18):018d}"
    return f"DE{98 - int(rest + '131400') % 97:02d}{rest}"


def everything(choice: random.Random) -> str:
    """Return one of each."""
    return f"{an_email(choice)} or {a_phone(choice)} or {an_iban(choice)}"


def letter(choice: random.Random, language: str) -> str:
    """Return a text as people write it: everyday sentences, one in ten with a number of an order or so, and values."""
    messages = corpus(choice.randrange(10**6), 2, 100)
    values, numbers = ([each.text for each in messages if (each.kind is None) is trap] for trap in (False, True))
    everyday = yaml.safe_load((ROOT / "tests" / "dialogue" / f"ordinary_{language}.yml").read_text(encoding="utf-8"))
    paragraphs: list[str] = []
    for value in choice.sample(values, MAX_CHARACTERS // VALUE_CHARACTERS):
        sentences = [value]
        while sum(map(len, sentences)) < VALUE_CHARACTERS:
            sentences.append(choice.choice(everyday if len(sentences) % SENTENCES else numbers))
        paragraphs.append(". ".join(sentences))
    return "\n".join(paragraphs)[:MAX_CHARACTERS]


def _seconds(text: str) -> float:
    start = time.thread_time()
    find(text)
    return time.thread_time() - start


def _median(text: str) -> float:
    """Return the median seconds of as many searches as fit into a while, three at least."""
    times: list[float] = []
    while len(times) < 3 or (sum(times) < SECONDS_EACH and len(times) < 100):  # noqa: PLR2004 - as said
        times.append(_seconds(text))
    return median(times)


def message_row(name: str, texts: Sequence[str]) -> tuple[str, ...]:
    """Return the row of messages of one kind."""
    middle = median(_seconds(text) for text in texts for _ in range(REPEATS))
    goal = f"<= {MESSAGE_GOAL_SECONDS * 1e6:.0f} us"
    return (name, *_shown(middle, texts[0]), "-", goal, verdict(met=middle <= MESSAGE_GOAL_SECONDS))


def text_row(name: str, part: str) -> tuple[str, ...]:
    """Return the row of a long text that repeats this part."""
    whole = part * (MAX_CHARACTERS // len(part))
    taken = _median(whole)
    growth = taken / _median(part) * len(part) / len(whole)
    goal = f"<= {LINEAR:.0f}x"
    return (name, *_shown(taken, whole), f"{growth:.2f}x", goal, verdict(met=growth <= LINEAR))


def letter_row(name: str, text: str) -> tuple[str, ...]:
    """Return the row of a long text as people write it."""
    taken = _median(text)
    speed = len(text.encode()) / taken / 1e6
    goal = f">= {TEXT_GOAL_MB:.0f} MB/s"
    return (name, *_shown(taken, text), "-", goal, verdict(met=speed >= TEXT_GOAL_MB))


def _shown(seconds: float, text: str) -> tuple[str, str]:
    return f"{seconds * 1e6:,.0f} us", f"{len(text.encode()) / seconds / 1e6:.2f} MB/s"


def main() -> None:
    """Measure, print, and write the document."""
    choice = random.Random(7)
    kinds = {
        "without personal data": None,
        "with an email address": an_email,
        "with a phone number": a_phone,
        "with an IBAN": an_iban,
        "with one of each": everything,
    }
    rows = [
        message_row(f"message {name}", [message(choice, personal) for _ in range(MESSAGES)])
        for name, personal in kinds.items()
    ]
    rows += [
        letter_row(f"a letter of 20,000 characters in {name}", letter(choice, language))
        for language, name in (("en", "English"), ("de", "German"), ("es", "Spanish"))
    ]
    repeats = PART_CHARACTERS // MESSAGE_CHARACTERS
    texts = {
        "without personal data": " ".join(message(choice) for _ in range(repeats)),
        "with one of each in every message": " ".join(message(choice, everything) for _ in range(repeats)),
        "of signs that addresses are made of": "a.b-c_d@" * PART_CHARACTERS,
        "of one letter": "a" * PART_CHARACTERS,
        "of digits": "".join(choice.choices("0123456789", k=PART_CHARACTERS)),
        "of digits and blanks": "1 23 456 " * PART_CHARACTERS,
        "of plus signs and digits": "+4930 " * PART_CHARACTERS,
        "of at signs": "@" * PART_CHARACTERS,
        "of spoken addresses": "a at b dot com " * PART_CHARACTERS,
        "of what begins as an IBAN does": "42 is " * PART_CHARACTERS,
    }
    rows += [text_row(f"20,000 characters {name}", text[:PART_CHARACTERS]) for name, text in texts.items()]
    head = ("text", "time", "speed", "growth per character", "goal", "")
    publish("detectors", Table("Detectors", " ".join(METHOD.split()), head, rows))


if __name__ == "__main__":
    main()
