"""What `retain:` of a purpose says, as a rule that can be counted.

`90 days` (after the last use), `until withdrawn`, `until lead_form` (a form, or an action, that is done),
`30 days after action_submit_entry`, and `6 years after 31 December` (of the year of the last use).
"""

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Final

from rasa_privacy.policy.durations import Length
from rasa_privacy.policy.purpose_model import UNTIL_WITHDRAWN

YEAR_END: Final = "31 December"
_RULE: Final = re.compile(r"^(?:until (?P<until>\S+)|(?P<length>\d+ \w+)(?: after (?P<after>31 December|\S+))?)$")
_NAME: Final = re.compile(r"^[A-Za-z_]\w*$")
_FORMS: Final = "'90 days', 'until withdrawn', 'until <form>', '30 days after <action>' or '6 years after 31 December'"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        length: The duration, or None for `until`.
        event: The form or action that it is about; None for the last use or the end of the year.
        from_year_end: Whether it counts from the end of the year.
        until_withdrawn: Whether it has no end of its own.
    """

    length: str | None = None
    event: str | None = None
    from_year_end: bool = False
    until_withdrawn: bool = False

    @property
    def counts_from_use(self) -> bool:
        """Whether it is a duration after the last use and nothing else."""
        return self.length is not None and self.event is None and not self.from_year_end

    def due_at(self, used_at: datetime, *, is_done: bool, at_most: Length) -> datetime | None:
        """Return when data is due, or None for no end.

        Args:
            used_at: The time of the use, aware and in UTC.
            is_done: Whether the rule's form or action was done with this use.
            at_most: How long is waited for what never happens, where the rule has no length.
        """
        if self.until_withdrawn:
            return None
        if self.length is None:
            return used_at if is_done else used_at + at_most
        if self.from_year_end:
            return _after_year_end(self.length, used_at.year)
        return used_at + Length(self.length)


def in_words(text: str) -> str:
    """Return what `retain:` says as officers and operators read it: `90 days after the last use`."""
    rule = parse_retain(text)
    if rule.until_withdrawn:
        return "until the person takes the consent back"
    if rule.counts_from_use:
        return f"{text} after the last use"
    if rule.from_year_end:
        return f"{text} of the year of the last use"
    return f"{text} is done" if rule.length is None else text


def parse_retain(text: str) -> Rule:
    """Return the rule that `retain:` says.

    Raises:
        ValueError: It is none; `loader` turns this into a `PolicyError` with its place.
    """
    if text == UNTIL_WITHDRAWN:
        return Rule(until_withdrawn=True)
    match = _RULE.match(text)
    if match is None:
        raise ValueError(f"write {_FORMS}")
    event = match["until"] or (match["after"] if match["after"] != YEAR_END else None)
    if event is not None and _NAME.match(event) is None:
        raise ValueError(f"write {_FORMS}")
    if match["length"] is not None:
        Length(match["length"])
    return Rule(match["length"], event, match["after"] == YEAR_END)


def _after_year_end(length: str, year: int) -> datetime:
    """Return the end of a length that begins with the end of a year."""
    return datetime(year + 1, 1, 1, tzinfo=timezone.utc) + Length(length)
