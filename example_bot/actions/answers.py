"""What a typed answer means: the name, postcode or day in it, or nothing.

Pure functions of the text, each returning the value or None where the text does not answer the question. People wrap
their answers ("my name is Ana Li"), so a short lead-in is cut off. No Rasa here, and nothing is stored or printed.
"""

import re
from typing import Final

#: What an optional slot holds after a skip. A form needs a value to move on; three characters survive a store that
#: keeps only the start of a value, and it reads well in a list of what is known.
NOT_GIVEN: Final = "n/a"

MAX_NAME_CHARACTERS: Final = 60
MAX_NAME_WORDS: Final = 6
MAX_DAY_CHARACTERS: Final = 60

_NAME_LEAD_IN: Final = re.compile(
    r"^(?:(?:hi|hello|hey|yes|sure|ok|okay)[,!. ]+)?"
    r"(?:my (?:full )?name(?: is|'s|:)|the name is|(?:full )?name(?: is|:)|i am|i'm|im|it's|it is|this is|call me)\s+",
    re.IGNORECASE,
)
# Letters of any script, with the marks that names carry between them.
_NAME: Final = re.compile(r"^[^\W\d_][^\d_@/\\<>{}\[\]?!:;=+*#%&$\"]*$")
_NOT_NAMES: Final = re.compile(
    r"^(?:(?:bye|cheers|goodbye|hello|hey|hi|no|none|nope|ok|okay|pass|skip|sure|thank|thanks|thx|what|why|yeah|yep|yes|you)"
    r"[,. ]*)+$",
    re.IGNORECASE,
)
# Words that a sentence has and a name has not; "how", "my" and "will" are names somewhere and so are not here.
_SENTENCE: Final = re.compile(
    r"\b(?:about|and|for|it|need|not|please|the|this|want|what|which|why|with|your?)\b", re.IGNORECASE
)

_POSTCODE: Final = re.compile(
    r"\b(?:"
    r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}"  # United Kingdom
    r"|[A-Z]\d[A-Z] ?\d[A-Z]\d"  # Canada
    r"|[A-Z]\d[\dW] ?[A-Z\d]{4}"  # Ireland
    r"|\d{4} ?[A-Z]{2}"  # Netherlands
    r"|\d{5}-\d{3,4}"  # United States, Brazil
    r"|\d{2}-\d{3}|\d{3} \d{2}"  # Poland; Sweden, Czechia
    r"|\d{3,6}"
    r")\b",
    re.IGNORECASE,
)

_WEEKDAY: Final = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:days?)?"
_MONTH: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DAY: Final = re.compile(
    rf"\b(?:{_WEEKDAY}|{_MONTH}|today|tonight|tomorrow|weekend|(?:next|this|any|in (?:a|one|two|three)) (?:day|week)s?"
    r"|any ?day|any ?time)\b|\d",
    re.IGNORECASE,
)
_DATE: Final = re.compile(
    rf"\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)?[ .-]*{_MONTH}\b|\b{_MONTH}[ .-]*(?:the )?\d{{1,2}}(?!\d)"
    r"|\b\d{1,2}[./-]\d{1,2}\b|\b\d{4}-\d{2}-\d{2}\b|\b(?:19|20)\d\d\b",
    re.IGNORECASE,
)
_SKIP: Final = re.compile(r"^\W*(?:skip|pass|no|nope|none|next)\b|\brather not\b|\bnot (?:to )?say\b", re.IGNORECASE)


def full_name(text: str) -> str | None:
    """Return the name in an answer, or None for a sentence, a link, a number, or a word such as "yes"."""
    name = _NAME_LEAD_IN.sub("", text.strip()).strip(" .,!")
    if len(name) > MAX_NAME_CHARACTERS or len(name.split()) > MAX_NAME_WORDS:
        return None
    refused = _NOT_NAMES.match(name) or _SENTENCE.search(name)
    return name if _NAME.match(name) and not refused else None


def postcode(text: str) -> str | None:
    """Return the first postcode in an answer, in capitals, or None."""
    match = _POSTCODE.search(text)
    return match[0].upper() if match else None


def fitting_day(text: str) -> str | None:
    """Return the answer if it names a day in words or figures, or None. Staff settle the exact time by phone."""
    day = text.strip()
    return day if len(day) <= MAX_DAY_CHARACTERS and _DAY.search(day) else None


def birthday(text: str) -> str | None:
    """Return the date in an answer without the words around it, or None."""
    dates = list(_DATE.finditer(text))
    return text[dates[0].start() : dates[-1].end()] if dates else None


def is_skip(text: str) -> bool:
    """Return whether an answer passes over an optional question."""
    return _SKIP.search(text) is not None
