"""A request in a language that the bot does not speak is read by the fixed wordings of its pack."""

import re
from pathlib import Path

import pytest
import yaml

from rasa_privacy.dialogue.packs import available_languages, load_keywords, load_ordinary
from rasa_privacy.dialogue.recognising import Recognised, recognise, recognise_foreign
from rasa_privacy.dialogue.samples import samples
from rasa_privacy.dialogue.wordings import fold

HERE = Path(__file__).parent
WORDINGS = {
    "privacy_delete": "privacy_delete",
    "privacy_access": "privacy_access",
    "privacy_export": "privacy_export",
    "privacy_withdraw": "privacy_withdraw",
    "opt_out": "privacy_withdraw",
}


@pytest.mark.parametrize(
    ("text", "languages", "intent"),
    [
        ("L\u00f6schen Sie meine Daten", ("en", "nl"), "privacy_delete"),
        ("supprimez mes donn\u00e9es, merci", ("en",), "privacy_delete"),
        ("borra mis datos por favor", ("nl", "de"), "privacy_delete"),
        ("please delete my data", ("de",), "privacy_delete"),
        ("stop it", ("de",), "privacy_withdraw"),
    ],
)
def test_a_request_is_read_and_the_language_stays(text: str, languages: tuple[str, ...], intent: str) -> None:
    """The answer is in the bot's own language; an opt-out is a withdrawal, which is asked about."""
    assert recognise_foreign(text, languages) == Recognised(intent, None)


@pytest.mark.parametrize(
    "text", ["", "STOP", "abmelden", "basta", "please delete my data", "delete my order", "x" * 999]
)
def test_one_word_and_what_the_bot_reads_itself_are_none(text: str) -> None:
    """A single word may be any in another language, and what a language of the bot reads is not read in another."""
    assert recognise_foreign(text, ("en", "nl")) is None


def test_an_answer_is_no_stop_of_another_language() -> None:
    """To a question of ours it says no, and is not the Spanish STOP. A deletion counts then too."""
    assert recognise_foreign("basta sms", ("en",)) == Recognised("privacy_withdraw", None)
    assert recognise_foreign("basta sms", ("en",), asked=True) is None
    text = "L\xf6schen Sie meine Daten"
    assert recognise_foreign(text, ("en",), asked=True) == Recognised("privacy_delete", None)


@pytest.mark.parametrize("language", [each for each in available_languages() if each != "en"])
def test_most_fixed_wordings_are_read(language: str) -> None:
    """To a bot that speaks English; what is missed is one word, or a word of English that means something there."""
    for section, intent in WORDINGS.items():
        said = samples(load_keywords(language), section, 3)
        found = [recognise_foreign(text, ("en",)) for text in said]
        assert sum(each == Recognised(intent, None) for each in found) >= 0.75 * len(said), section
        assert {each.intent for each in found if each is not None} <= {intent}, section


@pytest.mark.parametrize("language", available_languages())
def test_no_everyday_message_is_a_request_in_another_language(language: str) -> None:
    """Neither what is learned from nor what is held out, to a bot that speaks that language alone."""
    everyday = load_ordinary(language)["heard"].splitlines()
    for name in ("ordinary", "second_ordinary"):
        everyday += yaml.safe_load((HERE / f"{name}_{language}.yml").read_text(encoding="utf-8"))
    alarms = sum(recognise_foreign(text.strip(), (language,)) is not None for text in everyday)
    assert alarms == 0


def test_plain_words_of_the_bots_language_are_no_other_language() -> None:
    """What English says by words that are Portuguese, or Spanish, too is English."""
    assert recognise_foreign("no mail", ("en",)) is None
    assert recognise_foreign("remove me", ("en",)) is None
    assert recognise("remove me", ("en",), question=None, in_form=False) == Recognised("privacy_stop", "en")
    # Packs that differ on how somebody wants out agree that it is asked about.
    assert recognise_foreign("remove me", ("de",)) == Recognised("privacy_withdraw", None)


@pytest.mark.parametrize(
    ("spoken", "foreign"), [(a, b) for a in available_languages() for b in available_languages() if a != b]
)
def test_no_wording_of_plain_words_is_read_in_another_language(spoken: str, foreign: str) -> None:
    """Over all pairs of packs: where each word is one of the bot's own everyday messages, nothing foreign is read."""
    everyday = set(re.findall(r"[^\W\d_]+", fold(load_ordinary(spoken)["heard"])))
    said = [text for section in WORDINGS for text in samples(load_keywords(foreign), section, 3)]
    plain = [text for text in said if everyday.issuperset(re.findall(r"[^\W\d_]+", fold(text)))]
    assert [text for text in plain if recognise_foreign(text, (spoken,)) is not None] == []
    assert len(plain) < 0.1 * len(said)
