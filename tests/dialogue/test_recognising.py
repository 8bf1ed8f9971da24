"""Fixed wordings in a bot that speaks two languages. In the other one, `fine` is an opt-out."""

from itertools import permutations

import pytest

from rasa_privacy.dialogue.packs import available_languages
from rasa_privacy.dialogue.purposes import named_purposes
from rasa_privacy.dialogue.recognising import Recognised, limits_a_yes, recognise, written_in
from tests.support.languages import OTHER, second_language
from tests.support.vaults import policy

__all__ = ["second_language"]

pytestmark = pytest.mark.usefixtures("second_language")

EN_FIRST, OTHER_FIRST = ("en", OTHER), (OTHER, "en")


@pytest.mark.parametrize("languages", [EN_FIRST, OTHER_FIRST])
@pytest.mark.parametrize(
    ("text", "intent", "language"),
    [
        ("unsubscribe me from everything", "privacy_stop", "en"),
        ("please delete my data", "privacy_delete", "en"),
        ("basta", "privacy_stop", OTHER),
        ("Basta!!!", "privacy_stop", OTHER),
        ("cancella i miei dati", "privacy_delete", OTHER),
    ],
)
def test_a_wording_is_recognised_in_each_language(
    languages: tuple[str, ...], text: str, intent: str, language: str
) -> None:
    """Whatever language the conversation had until now; the wording says which one it has from now on."""
    for in_form in (False, True):
        assert recognise(text, languages, question=None, in_form=in_form) == Recognised(intent, language)


@pytest.mark.parametrize("first", [EN_FIRST, OTHER_FIRST])
def test_a_word_of_both_languages_changes_nothing(first: tuple[str, ...]) -> None:
    """STOP is STOP in the language that the conversation has."""
    assert recognise("stop", first, question=None, in_form=False) == Recognised("privacy_stop", first[0])


def test_a_word_that_means_something_else_needs_its_language_first() -> None:
    """An English speaker who says that all is fine has not opted out."""
    assert recognise("fine", EN_FIRST, question=None, in_form=False) is None
    assert recognise("fine", EN_FIRST, question="consent", in_form=False) == Recognised("privacy_grant", None)
    assert recognise("fine", OTHER_FIRST, question=None, in_form=False) == Recognised("privacy_stop", OTHER)
    assert recognise("fine", OTHER_FIRST, question="consent", in_form=False) == Recognised("privacy_stop", OTHER)


@pytest.mark.parametrize(
    ("text", "intent"),
    [("proprio no", "privacy_refuse"), ("va bene", "privacy_grant"), ("forse", "privacy_unclear")],
)
def test_an_answer_in_the_other_language_counts_and_does_not_change_the_language(text: str, intent: str) -> None:
    """The question was understood; only an open one is answered."""
    assert recognise(text, EN_FIRST, question="consent", in_form=False) == Recognised(intent, None)
    assert recognise(text, EN_FIRST, question=None, in_form=False) is None


@pytest.mark.parametrize("text", ["si, ma forse", "yes but not my phone"])
def test_a_limit_in_any_language_is_a_limit(text: str) -> None:
    """A yes with a limit is no yes, also where the classifier takes it for one."""
    for languages in (EN_FIRST, OTHER_FIRST):
        found = recognise(text, languages, question="consent", in_form=False)
        assert found is None or found.intent != "privacy_grant"
        assert limits_a_yes(text, languages)


@pytest.mark.parametrize("text", ["when are you open", "", "x" * 10_000, "what can I win"])
@pytest.mark.parametrize("question", ["consent", None])
def test_another_message_is_nothing(text: str, question: None) -> None:
    """However many languages are tried."""
    assert recognise(text, EN_FIRST, question=question, in_form=False) is None


def test_purposes_are_named_in_the_language_of_the_sentence() -> None:
    """The words for all of them, and the endings of a word, are the language's own."""
    assert named_purposes("revoco tutto", policy(), OTHER) == ("draw", "newsletter", "fitting")
    assert named_purposes("revoco tutto", policy(), "en") == ()
    assert named_purposes("take back everything", policy(), "en") == ("draw", "newsletter", "fitting")
    assert named_purposes("no more newsletters", policy(), "en") == ("newsletter",)
    assert named_purposes("I drew a newsletterette", policy(), "en") == ()


def test_no_opt_out_of_a_shipped_language_is_a_yes_in_another() -> None:
    """Of each two packs, STOP words of one are never taken for an agreement while the other is spoken."""
    for current, other in permutations(available_languages(), 2):
        for text in ("stop", "unsubscribe", "opt out"):
            found = recognise(text, (current, other), question="consent", in_form=False)
            assert found is not None
            assert found.intent == "privacy_stop"


WRITTEN = {
    "en": "I want to talk to a human about my data",
    "de": "Ich m\u00f6chte mich \u00fcber den Umgang mit meinen Daten beschweren",
    "fr": "Je voudrais parler \u00e0 un humain de mes donn\u00e9es",
    "es": "Quiero hablar con una persona sobre mis datos",
    "it": "Vorrei parlare con una persona dei miei dati",
    "nl": "Ik wil met een mens over mijn gegevens praten",
    "pt": "Quero falar com uma pessoa sobre os meus dados",
}


@pytest.mark.parametrize("language", available_languages())
def test_a_sentence_is_clearly_in_one_language(language: str) -> None:
    """By words that no other pack has, in whatever order the languages come; not by a word that travels, or a name."""
    others = [each for each in available_languages() if each != language]
    assert written_in(WRITTEN[language], [language, *others]) == language
    assert written_in(WRITTEN[language], [*others, language]) == language
    for text in ("ok", "Ana Li", "", "newsletter", "12345", "please bitte"):
        assert written_in(text, [*others, language]) is None, text
    assert written_in(WRITTEN[language], [language]) is None
