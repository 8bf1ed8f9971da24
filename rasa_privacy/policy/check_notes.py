"""`CheckNotes`: how a check of privacy.yml notes what is wrong, and what several checks look for.

A name, a duration, a word that is there twice, a text for people that is missing in a language.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from rasa_privacy.policy.decoder import dotted
from rasa_privacy.policy.durations import duration_seconds
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.positions import KeyPath, Place, Problems
from rasa_privacy.policy.retain import parse_retain
from rasa_privacy.policy.suggest import did_you_mean, listed, shown

#: What an item, a purpose or a role may be called.
NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class CheckNotes:
    """Where the checks of one file note what they find; `places` and `key_places` come from `decoder`."""

    policy: Policy
    problems: Problems
    places: Mapping[KeyPath, Place]
    key_places: Mapping[KeyPath, Place]

    def note(self, path: KeyPath, message: str) -> None:
        """Note a problem at a name, or at the value or its nearest written parent where there is no name."""
        while path not in self.key_places and path not in self.places:
            path = path[:-1]
        self.problems.add(self.key_places.get(path) or self.places[path], message)

    def name(self, here: KeyPath, kind: str, name: str) -> None:
        """Note a name that is none."""
        if not NAME.fullmatch(name):
            message = f"{kind} {shown(name)} must begin with a letter and have only letters, digits, '_' and '-'"
            self.note(here, message)

    def duration(self, here: KeyPath, text: str) -> None:
        """Note a duration that is none."""
        try:
            duration_seconds(text)
        except ValueError:
            wanted = "write for example '90 days', '12 months' or '1 hour'"
            self.note(here, f"{dotted(here)}: {shown(text)} is not a duration; {wanted}")

    def retain(self, here: KeyPath, text: str) -> None:
        """Note a `retain` that does not say how long."""
        try:
            parse_retain(text)
        except ValueError:
            wanted = (
                "write for example '90 days', 'until withdrawn', 'until lead_form', '30 days after action_submit' or "
                "'6 years after 31 December'"
            )
            self.note(here, f"{dotted(here)}: {shown(text)} does not say how long; {wanted}")

    def twice(self, here: KeyPath, words: Iterable[str]) -> None:
        """Note each word that is there already."""
        seen: set[str] = set()
        for index, word in enumerate(words):
            if word in seen:
                self.note((*here, index), f"{here[-1]} names {shown(word)} twice; remove one")
            seen.add(word)

    def texts(self, here: KeyPath, texts: Mapping[str, str], whose: str, *, required: bool = False) -> None:
        """Note what is missing of texts for people: they are in every declared language or, where they may, in none."""
        for language, text in texts.items():
            if not _LANGUAGE.fullmatch(language):
                hint = did_you_mean(language, self.policy.languages)
                self.note((*here, language), f"{shown(language)} is no language code such as 'en'{hint}")
            elif not text.strip():
                self.note((*here, language), f"{here[-1]} of {whose} is empty in {shown(language)}")
        missing = [language for language in self.policy.languages if language not in texts]
        if missing and (required or texts):
            self.note(here, f"{whose} misses '{here[-1]}' in {listed(missing)}")
