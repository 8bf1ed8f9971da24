"""What each form of a value is said to reveal is what it reveals: the rest makes no difference, and that does."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, get_args

import pytest

from rasa_privacy.minimize.transforms import keep_part
from rasa_privacy.policy.item_model import Ends, KeepWord
from rasa_privacy.policy.json_schema import policy_schema
from rasa_privacy.policy.revealed import REVEALS, revealed
from tests.minimize.test_transforms import AIDS

_PAGE: Final = Path("docs/keeping.md")

#: By form: values that nobody can tell apart once they are kept so, and one that is told apart from them.
EXAMPLES: Final[Mapping[KeepWord | Ends, tuple[tuple[object, ...], object]]] = {
    "full": (("Ana", "Ana"), "ana"),
    "masked": (("ana.li@x.example", "andrea wong", "ancestor"), "antonia"),
    "year": (("1990-05-12", "31.12.1990", "12 May 1990"), "1991-05-12"),
    "decade": (("1990-05-12", "31.12.1999", "1994"), "1989-12-31"),
    "age_band": (("30", "39", "1990-05-12"), "40"),
    "postcode_area": (("SW1A 1AA", "sw1a2bb"), "SW1 1AA"),
    "email_domain": (("ana@x.example", "bob.li@X.example"), "ana@y.example"),
    "city": (("10115 Berlin", "Unter den Linden 1, 10117 Berlin"), "80331 Munich"),
    "country": (("10115 Berlin, Germany", "Deutschland", "DE"), "Paris, France"),
    "pseudonym": (("Ana", " ANA"), "Bob"),
    "yes_no": (("Ana", "Bob", "penicillin"), "no"),
    "none": (("Ana", "1990-05-12", 7, None), ...),
    Ends(first=3): (("SW1A 1AA", "SW1 2BB", "SW1"), "SW2"),
    Ends(last=4): (("DE89 3704 0044", "0044"), "DE89 3704 0045"),
}


@pytest.mark.parametrize(("keep", "example"), EXAMPLES.items(), ids=map(str, EXAMPLES))
def test_what_is_not_revealed_makes_no_difference(
    keep: KeepWord | Ends, example: tuple[tuple[object, ...], Any]
) -> None:
    """And what is revealed makes one."""
    same, other = example
    kept = [keep_part(value, keep, AIDS) for value in same]
    assert kept == [kept[0]] * len(kept)
    if other is not ...:
        assert None not in (kept[0], keep_part(other, keep, AIDS))
        assert keep_part(other, keep, AIDS) != kept[0]


def test_masking_tells_three_lengths_apart() -> None:
    """As its sentence says: one character of five to seven, two of more."""
    assert [keep_part("x" * length, "masked") for length in (1, 4, 5, 7, 8, 80)] == [
        "****", "****", "x****", "x****", "xx******", "xx******",
    ]  # fmt: skip


def test_each_form_says_what_it_reveals() -> None:
    """In an editor that reads the schema, and in the documentation, in the same words."""
    assert set(REVEALS) == set(get_args(KeepWord)) == {keep for keep in EXAMPLES if isinstance(keep, str)}
    schema = policy_schema()["$defs"]["Item"]["properties"]["keep"]["anyOf"]
    told = {each["const"]: each["description"] for each in schema if "const" in each}
    assert {word: told[word] for word in REVEALS} == {word: f"Reveals {what}." for word, what in REVEALS.items()}
    documented = dict(re.findall(r"^\| `([^`]+)` \|.*\| ([^|]+) \|$", _PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert {word: documented[word] for word in REVEALS} == REVEALS
    assert documented["{first: 3}"] == revealed(Ends(first=3))
    assert documented["{last: 4}"] == revealed(Ends(last=4))
    assert revealed(Ends(first=1)).startswith("its first character,")
