"""A yes that leaves something out, and an age, in every language that there is a pack of."""

import msgspec
import pytest

from rasa_privacy.dialogue.limits import age_in, left_out, old_enough, year_in
from rasa_privacy.dialogue.packs import available_languages
from rasa_privacy.policy.item_model import Item
from rasa_privacy.policy.model import Policy
from tests.support.vaults import policy

#: A yes without the phone, what people call a phone, and an age of 34.
SAID = {
    "en": ("yes, but please don't use my phone number", "your phone number", "I'm 34 years old"),
    "de": ("ja, aber nicht meine Telefonnummer", "Ihre Telefonnummer", "ich bin 34 Jahre alt"),
    "es": ("s\u00ed, pero no mi tel\u00e9fono", "su tel\u00e9fono", "tengo 34 a\u00f1os"),
    "fr": ("oui, mais pas mon t\u00e9l\u00e9phone", "votre t\u00e9l\u00e9phone", "j'ai 34 ans"),
    "it": ("s\u00ec, ma non il mio telefono", "il Suo telefono", "ho 34 anni"),
    "nl": ("ja, maar niet mijn telefoonnummer", "uw telefoonnummer", "ik ben 34 jaar"),
    "pt": ("sim, mas n\u00e3o o meu telefone", "o seu telefone", "tenho 34 anos"),
}


def called(language: str) -> Policy:
    """Return a policy whose phone has a name in this language."""
    declared = policy()
    phone = Item(slot="phone", called={language: SAID[language][1]})
    return msgspec.structs.replace(declared, items={**declared.items, "phone": phone})


@pytest.mark.parametrize("language", available_languages())
def test_a_yes_leaves_an_item_out(language: str) -> None:
    """By the name that people were told."""
    text = SAID[language][0]
    assert left_out(text, (language,), called(language), ("email", "phone")) == ("phone",)
    assert left_out(text, (language,), called(language), ("email",)) == ()


@pytest.mark.parametrize("language", available_languages())
def test_an_age_is_said_in_a_sentence(language: str) -> None:
    """Beside the number there are only words that belong to it."""
    text = SAID[language][2]
    assert age_in(text, (language,)) == 34
    assert age_in(f"{text} 16", (language,)) is None
    assert age_in(text.replace("34", "0"), (language,)) is None
    assert age_in(text.replace("34", "xyz"), (language,)) is None


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("yes, everything except my phone and email", ("email", "phone")),
        ("yes", ()),
        ("no, not my phone", ()),
        ("maybe, but not my phone", ()),
        ("yes but not my neighbour's phone", ()),
        ("not my phone", ()),
        ("", ()),
    ],
)
def test_only_a_yes_with_known_items_counts(text: str, items: tuple[str, ...]) -> None:
    """What has more to it is left to a question."""
    assert left_out(text, ("en",), called("en"), ("email", "phone")) == items


def test_a_word_that_two_items_share_names_neither() -> None:
    """The number may be that of the phone or of the house."""
    declared = policy()
    names = {"phone": "your phone number", "email": "your house number"}
    items = {name: Item(slot=name, called={"en": words}) for name, words in names.items()}
    both = msgspec.structs.replace(declared, items={**declared.items, **items})
    assert left_out("yes but not the number", ("en",), both, ("phone", "email")) == ()
    assert left_out("yes but not the house number", ("en",), both, ("phone", "email")) == ("email",)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "I was born in 1999"),
        ("de", "Ich bin 1999 geboren"),
        ("es", "Nací en 1999"),
        ("fr", "Je suis née en 1999"),
        ("it", "Sono nato nel 1999"),
        ("nl", "Ik ben geboren in 1999"),
        ("pt", "Nasci em 1999"),
    ],
)
def test_a_year_of_birth_is_read_in_each_language(language: str, text: str) -> None:
    """As people say it; with a day and a month too, and not with another year or with a story."""
    assert year_in(text, [language], 2026) == 1999
    assert year_in("1999", [language], 2026) == 1999
    assert year_in("24.12.1999", [language], 2026) == 1999
    assert year_in("1999 2001", [language], 2026) is None
    assert year_in(f"{text} xylophone", [language], 2026) is None
    assert year_in("1850", [language], 2026) is None


def test_the_year_in_which_somebody_gets_old_enough_is_open() -> None:
    """It depends on the birthday."""
    assert [old_enough(year, 16, 2026) for year in (2009, 2010, 2011)] == [True, None, False]
