"""The language of a conversation, of those that the bot speaks about privacy in.

It is known from, in this order:

1. the fixed wording that the message is (`recognising`);
2. the word `language` or `locale` in the message's metadata, a BCP 47 tag such as `de-AT`;
3. the language that a privacy request in free words is clearly written in (`recognisers`);
4. what the conversation had before, in the slot `privacy_language`, which the bot's own actions may set too;
5. the language that another message is clearly written in (`recognising.written_in`), so that who asks for the draw in
   German reads the notice in German; what answers a form or a question of ours tells nothing;
6. the first language of privacy.yml.

A page that a browser asks for is in the language of its link, else in the first that the browser accepts.

A language that the bot does not speak is passed over and never an error: the next in order counts. "Ok" and names are
in every language.
"""

import re
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

#: The words of a message's metadata, in the order in which they count.
_METADATA: Final = ("language", "locale")
#: So many languages of a browser are looked at.
_MOST_ACCEPTED: Final = 20
#: RFC 5646, section 4.4.1: an application need not take a longer tag than this many characters.
_LONGEST_TAG: Final = 35
_WEIGHT: Final = re.compile(r"(?:q=(1(?:\.0{0,3})?|0(?:\.[0-9]{0,3})?))?")


def choose(  # noqa: PLR0913, PLR0917 - the sources, in their order
    languages: Sequence[str],
    current: object,
    metadata: object,
    matched: str | None,
    written: str | None = None,
    heard: str | None = None,
) -> str:
    """Return the language to go on in, one of `languages`.

    Args:
        languages: The languages of privacy.yml, the first for whoever said nothing; at least one.
        current: What the conversation had before. It may have been set from outside, so it may be anything.
        metadata: The message's metadata as the channel gave it, which may be anything.
        matched: The language of the fixed wording that the message is, if it is one.
        written: The language that a request in free words is clearly written in, if it is one.
        heard: The language that another message is clearly written in.
    """
    said: Mapping[Any, Any] = metadata if isinstance(metadata, Mapping) else {}
    for tag in (matched, *(said.get(word) for word in _METADATA), written, current, heard):
        found = _spoken(languages, tag)
        if found is not None:
            return found
    return languages[0]


def of_page(languages: Sequence[str], linked: object, accepted: str) -> str:
    """Return the language of a page, one of `languages`.

    Args:
        languages: The languages of privacy.yml, the first for whoever said nothing; at least one.
        linked: What the link says, which may be anything.
        accepted: The browser's header `Accept-Language` (RFC 9110, section 12.5.4), or empty.
    """
    weighed = [_weighed(each) for each in accepted.split(",", _MOST_ACCEPTED)[:_MOST_ACCEPTED]]
    wanted = [tag for weight, tag in sorted(weighed, key=itemgetter(0), reverse=True) if weight > 0]
    return next((found for tag in (linked, *wanted) if (found := _spoken(languages, tag))), languages[0])


def _weighed(accepted: str) -> tuple[float, str]:
    """Return a language that a browser accepts with its weight; one that is written wrongly weighs nothing."""
    tag, _, weight = accepted.partition(";")
    found = _WEIGHT.fullmatch(weight.replace(" ", ""))
    return (float(found[1] or 1) if found else 0.0), tag.strip()


def current_first(languages: Sequence[str], current: str) -> tuple[str, ...]:
    """Return the languages in the order in which wordings are tried."""
    return (current, *(language for language in languages if language != current))


def _spoken(languages: Sequence[str], tag: object) -> str | None:
    """Return the bot's language for a tag, its subtags taken away from the end (RFC 4647, section 3.4)."""
    if not isinstance(tag, str) or len(tag) > _LONGEST_TAG:
        return None
    known = {language.casefold(): language for language in languages}
    subtags = tag.strip().casefold().replace("_", "-").split("-")
    candidates = ("-".join(subtags[:length]) for length in range(len(subtags), 0, -1))
    return next((known[candidate] for candidate in candidates if candidate in known), None)
