"""`RequestWordings`: how people word requests that name what they are about (`named_requests`), as patterns.

The words are data: the sections `object_before` to `all_held` of `packs/<language>.keywords.yml`.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from rasa_privacy.dialogue.lexicon import spelt_wordings
from rasa_privacy.dialogue.wordings import compile_wordings, fold


@dataclass(frozen=True, slots=True)
class RequestWordings:
    """How requests are worded in a language. Where a pattern has a group `list`, what is named stands there.

    Attributes:
        erase: Wishes to have something deleted.
        object: Objections.
        restrict: Wishes to have something restricted.
        change: What says that something is wrong, or is to be changed.
        change_to: The same with words such as "it is" behind it, which a value follows.
        new: Words such as "my new number is", which a value follows.
        verb_last: What stands before a value that a verb follows.
        verb: Such a verb.
        joining: Words such as "and", folded.
        all_held: All that is held, as "my account" is.
    """

    erase: tuple[re.Pattern[str], ...]
    object: tuple[re.Pattern[str], ...]
    restrict: tuple[re.Pattern[str], ...]
    change: tuple[re.Pattern[str], ...]
    change_to: tuple[re.Pattern[str], ...]
    new: tuple[re.Pattern[str], ...]
    verb_last: tuple[re.Pattern[str], ...]
    verb: re.Pattern[str]
    joining: frozenset[str]
    all_held: re.Pattern[str]


@lru_cache(maxsize=32)
def request_wordings(language: str) -> RequestWordings:
    """Return the wordings of a language that has a pack."""
    sections, where = spelt_wordings(language), f"packs/{language}.keywords.yml"

    def part(section: str) -> str:
        return compile_wordings(sections, section, where)

    before, after = f"(?:{part('opening')}){{0,3}}", f"(?:{part('closing')}){{0,2}}"
    listed = r"(?P<list>(?:\S+ )+?)"  # whole words, each with the blank behind it

    def whole(*cores: str) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(f"{before}{core}{after}") for core in cores)

    change, wrong = f"{part('change_before')}{listed}(?:{part('change_after')})?", f"{listed}{part('wrong_after')}"
    to = part("value_before")
    return RequestWordings(
        erase=whole(f"{part('erase_before')}{listed}(?:{part('erase_after')})?", f"{listed}{part('erase_after')}"),
        object=whole(f"{part('object_before')}{listed}"),
        restrict=whole(f"{part('restrict_before')}{listed}"),
        change=whole(change, f"{listed}{part('change_after')}", wrong),
        change_to=whole(f"{change}{to}", f"{wrong}{to}"),
        new=whole(f"{part('new_before')}{listed}{part('new_is')}"),
        verb_last=whole(f"{listed}{to}"),
        verb=re.compile(part("change_after")),
        joining=frozenset(fold(sections["joining"]).split()),
        all_held=re.compile(f"{before}{part('all_held')}{after}"),
    )
