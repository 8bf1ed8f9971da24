"""Parts of sentences in one language: words from its pack, and dates, durations and lists as the language writes them.

Rules:

1. No word that people read stands in code; `packs/<language>.yml` has all of them under `phrases`.
2. A variable is filled in once. What a person typed is never read as a variable itself.
3. A phrase that counts has a form for each plural category of the language (Unicode CLDR); `_other` stands in.

Dates, durations and lists come from the CLDR through Babel, by the pack's `locale`.
"""

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timezone
from functools import lru_cache
from typing import Final

from babel import Locale
from babel.dates import format_date, format_time
from babel.lists import format_list
from babel.numbers import format_decimal
from babel.units import format_unit

from rasa_privacy.dialogue.packs import load_pack
from rasa_privacy.policy.retain import parse_retain

_VARIABLE: Final = re.compile(r"\{(\w+)\}")


def fill(text: str, variables: Mapping[str, str]) -> str:
    """Return the text with each `{variable}` that is given filled in; others stay as they are."""
    return _VARIABLE.sub(lambda found: variables.get(found[1], found[0]), text)


@dataclass(frozen=True, slots=True)
class Phrases:
    """The phrases of one language.

    Attributes:
        locale: Where dates, durations and lists get their form.
        texts: The phrases by name.
    """

    locale: Locale
    texts: Mapping[str, str]

    def say(self, name: str, **variables: str) -> str:
        """Return a phrase with its variables filled in."""
        return fill(self.texts[name], variables)

    def html(self, name: str, **variables: str) -> str:
        """Return a phrase as text of a page; the variables are markup and filled in as they are."""
        return fill(html.escape(self.texts[name]), variables)

    def count(self, name: str, number: int) -> str:
        """Return the form of a phrase that fits the number, which stands for `{count}`."""
        form = f"{name}_{self.locale.plural_form(number)}"
        written = format_decimal(number, locale=self.locale)
        return fill(self.texts[form if form in self.texts else f"{name}_other"], {"count": written})

    def listed(self, parts: Iterable[str]) -> str:
        """Return the parts as a list within a sentence: `a, b and c`."""
        return format_list(list(parts), style="standard", locale=self.locale)

    def day(self, day: date) -> str:
        """Return a date in words: `23 November 2026`."""
        return format_date(day, format="long", locale=self.locale)

    def moment(self, moment: datetime) -> str:
        """Return a date and a time of the day: `23 November 2026, 12:30 (UTC)`."""
        clock = format_time(moment.astimezone(timezone.utc), "HH:mm", locale=self.locale)
        return self.say("at_time", date=self.day(moment), time=clock)

    def duration(self, text: str) -> str:
        """Return a duration of privacy.yml, such as `90 days`, in this language."""
        number, word = text.split()
        unit = f"duration-{word.removesuffix('s')}"
        said = format_unit(int(number), unit, length="long", locale=self.locale)
        # The CLDR leaves out of its long forms what its short ones write out ("dagen"). Babel says the unit's name.
        return format_unit(int(number), unit, length="short", locale=self.locale) if unit in said else said

    def retention(self, retain: str) -> str:
        """Return how long data is kept: a duration, or until or after what is waited for."""
        rule = parse_retain(retain)
        if rule.until_withdrawn:
            return self.texts["until_withdrawn"]
        if rule.length is None:
            return self.texts["until_done"]
        if rule.event is not None:
            return self.say("after_done", duration=self.duration(rule.length))
        if rule.from_year_end:
            return self.say("after_year_end", duration=self.duration(rule.length))
        return self.duration(rule.length)

    def value(self, value: object) -> str:
        """Return a stored value for the person it is about."""
        if isinstance(value, bool):
            return self.texts["value_yes" if value else "value_no"]
        if isinstance(value, list):
            return self.listed(self.value(part) for part in value)
        return str(value)


@lru_cache(maxsize=32)
def phrases_of(language: str) -> Phrases:
    """Return the phrases of a language.

    Raises:
        ConfigurationError: There is no pack of it, or its file is not what a pack must be.
    """
    pack = load_pack(language)
    return Phrases(Locale.parse(pack.locale), pack.phrases)
