import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.minimize.detectors import Finding, find
from rasa_privacy.minimize.masking import mask

NAME = {"full_name": ["Ana Li"]}


def masked(text: str, known: dict[str, list[str]] | None = None) -> str:
    """Return the text as a caller masks it."""
    return mask(text, find(text), known or {})


def test_findings_and_known_values_become_names() -> None:
    """A reader sees what kind of data stood where."""
    text = "Hi, I'm Ana Li, ana@x.example or 0170 1234567."
    assert masked(text, NAME) == "Hi, I'm [full_name], [email] or [phone]."


@pytest.mark.parametrize(
    "text",
    [
        "ana li", "ANA LI", "\u00c1na L\u00ed", "A\u0301na Li", "Ana  Li", "Ana\nLi", "Ana\u00a0Li", "Ana-Li", "Ana_Li",
        "AnaLi", "ana.li", "Ana, Li", "\uff21\uff4e\uff41 \uff2c\uff49", "A\u200bna Li", "\U0001d400na Li",
        "\u0410na Li", "An\u0430 L\u0456", "\u0430n\u0430 L\u0399", "\u0391na L\u03b9",  # Cyrillic and Greek
    ],
)  # fmt: skip
def test_a_known_value_is_found_however_it_is_written(text: str) -> None:
    """Case, accents, wide letters, invisible signs and what stands between words make no difference."""
    assert mask(f"I am {text}!", [], NAME) == "I am [full_name]!"


@pytest.mark.parametrize(
    "name", ["\u0412\u0435\u0440\u0430 \u041d\u043e\u0432", "\u03a1\u03ad\u03b1 \u039d\u03af\u03ba\u03b7"]
)
def test_a_name_in_another_script_is_found_in_any_case(name: str) -> None:
    """Also where capitals and small letters of it look like different Latin ones."""
    for written in (name, name.lower(), name.upper(), name.title()):
        assert mask(f"- {written} -", [], {"full_name": [name]}) == "- [full_name] -"


@pytest.mark.parametrize("text", ["Anatomy lines", "banana list", "Analimited", "ali", "Li said", "an alibi"])
def test_parts_of_other_words_stay(text: str) -> None:
    """Only whole words are replaced, and short words of a name only together with the others."""
    assert mask(text, [], NAME) == text


@pytest.mark.parametrize(
    ("value", "text", "expected"),
    [
        ("Ana van Buren", "Ms. Buren", "Ms. [x]"),
        ("Ana van Buren", "Ana's prize", "[x]'s prize"),
        ("Ana Li", "Li, Ana", "[x]"),
        ("Ana Li Bo", "BO ana l\u00ed", "[x]"),
        ("O'Brien", "obrien and O\u2019Brien", "[x] and [x]"),
        ("Stra\u00dfe", "STRASSE", "[x]"),
        ("\u0130rem", "irem", "[x]"),
        ("+49 170 1234567", "491701234567", "[x]"),
        ("01701234567", "0170 1234567, 0170/12-345-67", "[x], [x]"),
        ("90210", "902 10", "[x]"),
        ("10115 Berlin", "in Berlin", "in [x]"),
        ("ana@gmail.example", "a gmail example", "a gmail example"),
        ("ana@gmail.example", "ana @ gmail.example", "[x]"),
        ("\u674e\u5b89\u5a1c", "\u6211\u53eb\u674e\u5b89\u5a1c\u8c22\u8c22", "\u6211\u53eb[x]\u8c22\u8c22"),
        ("\uc548\ub098", "\uc548\ub098\ub294", "[x]\ub294"),
        ("\u0661\u0662\u0663\u0664\u0665", "12345", "[x]"),
        ("7", "7 of 77", "[x] of 77"),
        ("Ana Li", "An ali", "[x]"),  # where the words are parted makes no difference either
        ("", "nothing", "nothing"),
        ("!?", "nothing!?", "nothing!?"),
        ("We all went up the hill and saw the sea", "We all went up the hill, and saw the sea", "[x]"),
        ("We all went up the hill and saw the sea", "the sea", "the sea"),
    ],
)
def test_values_of_many_kinds_are_found(value: str, text: str, expected: str) -> None:
    """Names, numbers, addresses and scripts without spaces each have their way of being repeated."""
    assert mask(text, [], {"x": [value]}) == expected


def test_a_long_value_is_replaced_to_its_end() -> None:
    """A value longer than what is looked for at once leaves nothing readable either."""
    value = " ".join(f"word{number}" for number in range(300))
    assert "word" not in mask(f"so: {value}.", [], {"story": [value]})


def test_overlapping_names_leave_nothing_between_them() -> None:
    """Where two known values share a word, both are replaced to their ends."""
    assert mask("Bo Li Xu", [], {"a": ["Bo Li"], "b": ["Li Xu"]}) == "[a]"


def test_a_value_that_runs_past_a_finding_is_replaced_with_it() -> None:
    """The union of both goes, under the name of the longer."""
    text = "see 12 Lane, ana@x.example"
    assert mask(text, [Finding(13, 26, "email")], {"address": ["12 Lane, Ana"]}) == "see [email]"


def test_what_is_masked_already_stays() -> None:
    """A known value that is also a kind's or an item's name does not break the brackets."""
    known = {"full_name": ["Email", "Phone Full"], "email": ["name"]}
    text = "[email] [full_name] [phone]"
    assert mask(text, [], known) == text
    assert mask("[Email] email", [], known) == "[[full_name]] [full_name]"


def test_a_finding_takes_the_rest_of_its_word() -> None:
    """Half a word is no word that could be judged on its own."""
    assert mask("abcdef ghi", [Finding(2, 4, "phone")], {}) == "[phone] ghi"


ALPHABET = st.sampled_from("aAnlLi \u00e1\u0301\u00df\u0130\ufb01\u00bd\u674e\uc548.-_'[]email12\u200b@\uff21")
TEXTS = st.text(ALPHABET, max_size=40)
VALUES = st.lists(st.text(ALPHABET, max_size=8), max_size=4)


@given(
    TEXTS | st.text(max_size=60), VALUES, VALUES, st.lists(st.tuples(st.integers(0, 40), st.integers(1, 6)), max_size=3)
)
def test_masking_twice_is_masking_once(
    text: str, names: list[str], others: list[str], places: list[tuple[int, int]]
) -> None:
    """A text passes several doors and stays as the first one left it, for any findings."""
    known = {"full_name": names, "email": others}
    findings = [
        Finding(start, min(start + length, len(text)), "phone") for start, length in places if start < len(text)
    ]
    once = mask(text, findings, known)
    assert mask(once, [], known) == once


@given(
    st.text(max_size=30), st.text(st.characters(categories=["Lu", "Ll"]), min_size=1, max_size=8), st.text(max_size=30)
)
def test_a_known_word_never_stays(before: str, word: str, after: str) -> None:
    """Between spaces a known word is always replaced."""
    text = f"{before} {word} {after}"
    result = mask(text, [], {"full_name": [word]})
    assert f" {word} " not in result


@given(st.text(max_size=60))
def test_without_anything_known_a_text_stays(text: str) -> None:
    """Masking changes nothing but what it replaces."""
    assert mask(text, [], {}) == text
    assert mask(text, [], {"full_name": []}) == text


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_every_unicode_form_of_a_name_is_found(form: str) -> None:
    """How the person's keyboard writes accents makes no difference."""
    name = "Zo\u00eb \u1ee4zo\u1ecbfe"
    assert mask(unicodedata.normalize(form, name), [], {"n": [name]}) == "[n]"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("unit", "value"),
    [("a ", "a " * 300), ("1 ", "1 " * 300), ("ab", "ab"), ("[n] ", "n n"), ("\u674e", "\u674e" * 300)],
)
def test_the_time_grows_with_the_length_only(unit: str, value: str) -> None:
    """Four times the text takes about four times as long, for values made to be slow, the best of a few tries."""
    short, long = (min(_seconds((unit * length)[:length], value) for _ in range(3)) for length in (5_000, 20_000))
    assert long < 10 * short + 0.5
    assert long < 10


def _seconds(text: str, value: str) -> float:
    start = time.process_time()
    mask(text, [], {"n": [value]})
    return time.process_time() - start


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("\u0141ukasz", "lukasz"), ("lukasz", "\u0141UKASZ"), ("S\u00f8rensen", "Sorensen"),
        ("S\u00f8rensen", "Soerensen"),
        ("\u0110or\u0111evi\u0107", "dordevic"), ("M\u00fcller", "MUELLER"), ("Mu\u0308ller", "mueller"),
        ("J\u00f6rg", "joerg"),
        ("\u00c5se", "aase"), ("Y\u0131ld\u0131z", "yildiz"), ("\u00c6gir", "aegir"),
    ],
)  # fmt: skip
def test_a_name_is_found_as_a_keyboard_without_its_letters_writes_it(name: str, said: str) -> None:
    """Letters with a stroke, two in one, and umlauts that are spelt out."""
    assert mask(f"I am {said}.", [], {"full_name": {name}}) == "I am [full_name]."
