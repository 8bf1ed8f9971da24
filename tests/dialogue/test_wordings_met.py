"""Each fixed wording of each pack is met by the sentences that it stands for."""

from itertools import pairwise

import pytest

from rasa_privacy.dialogue.keywords import closes, opt_out, privacy_request, reply, request_here
from rasa_privacy.dialogue.lexicon import Question
from rasa_privacy.dialogue.packs import available_languages, load_keywords
from rasa_privacy.dialogue.samples import samples

ASKED = "asked_privacy_"
THEN = "then_privacy_"
AGREED = "agreed_privacy_"
FORM = "form_privacy_"


def sentences(language: str, section: str) -> list[str]:
    """Return sentences of a section, without those that say a word twice in a row: reading makes one of it."""
    made = samples(load_keywords(language), section, 6)
    return [text for text in made if not any(first == second for first, second in pairwise(text.split()))]


@pytest.mark.parametrize("language", available_languages())
def test_each_fixed_wording_meets_itself(language: str) -> None:
    """Also one that holds a word which is skipped elsewhere as polite, or is written out."""
    for section in (name for name in load_keywords(language) if name.startswith("privacy_")):
        for text in sentences(language, section):
            assert privacy_request(text, language) == section, text


#: What asks for a copy, and what asks to be shown what there is.
COPIES = {
    "en": "send me my data | can I get a copy of my data | please send me all my personal data",
    "de": "Schick mir meine Daten | kann ich eine Kopie meiner Daten bekommen | Kopie aller meiner Daten bitte",
    "fr": "Envoyez-moi mes données | je voudrais une copie de mes données | pouvez-vous m'envoyer mes données ?",
    "es": "Envíeme mis datos | quiero una copia de mis datos | puedes enviarme mis datos personales",
    "it": "Mandami i miei dati | vorrei una copia dei miei dati | mi invii tutti i miei dati, per favore",
    "pt": "Envie meus dados | quero uma cópia dos meus dados | me mande todos os meus dados, por favor",
    "nl": "Stuur mij mijn gegevens | kan ik een kopie van mijn gegevens krijgen | mail me al mijn gegevens",
}
LOOKS = {
    "en": "show me my data | give me a list of my data | can I see my data",
    "de": "Zeig mir meine Daten | eine Übersicht meiner Daten bitte | welche Daten habt ihr über mich",
    "fr": "Montrez-moi mes données | quelles données avez-vous sur moi | je veux voir mes données",
    "es": "Muéstrame mis datos | qué datos tienen sobre mí | quiero ver mis datos",
    "it": "Mostrami i miei dati | che dati avete su di me | voglio vedere i miei dati",
    "pt": "Me mostre meus dados | quais dados você tem sobre mim | quero ver meus dados",
    "nl": "Toon mij mijn gegevens | een overzicht van mijn gegevens | welke gegevens hebben jullie over mij",
}


@pytest.mark.parametrize(("asked", "intent"), [(COPIES, "privacy_export"), (LOOKS, "privacy_access")])
def test_who_wants_a_copy_gets_one_and_who_wants_to_look_is_shown(asked: dict[str, str], intent: str) -> None:
    """In every language; a copy is no short answer in the chat (GDPR Art. 15(3), 20)."""
    assert set(asked) == set(available_languages())
    for language, texts in asked.items():
        for text in texts.split(" | "):
            assert privacy_request(text, language) == intent, text


@pytest.mark.parametrize("language", available_languages())
def test_each_wording_of_an_open_question_is_met(language: str) -> None:
    """A word such as "info" may mean more than one of them; none is lost."""
    for section in load_keywords(language):
        if section.startswith((ASKED, THEN)):
            for text in sentences(language, section):
                assert privacy_request(text, language, asked=True, then=True) is not None, text


@pytest.mark.parametrize("language", available_languages())
def test_each_wording_that_counts_where_somebody_agreed_is_met(language: str) -> None:
    """And means nothing to anybody else, to whom a receipt is one of the shop's."""
    for section in (name for name in load_keywords(language) if name.startswith(AGREED)):
        for text in sentences(language, section):
            assert request_here(text, language, in_form=False, agreed=True) == section.removeprefix("agreed_"), text
            assert request_here(text, language, in_form=True, agreed=False) is None, text
            assert privacy_request(text, language, asked=True) is None, text


@pytest.mark.parametrize("language", available_languages())
def test_each_wording_that_counts_in_a_form_is_met(language: str) -> None:
    """And means nothing elsewhere, where it may be about an order."""
    for section in (name for name in load_keywords(language) if name.startswith(FORM)):
        for text in sentences(language, section):
            assert request_here(text, language, in_form=True, agreed=False) == section.removeprefix("form_"), text
            assert privacy_request(text, language) is None, text


@pytest.mark.parametrize("language", available_languages())
@pytest.mark.parametrize("section", ["opt_out", "opt_out_outside_form", "opt_out_outside_window"])
def test_each_opt_out_is_met(section: str, language: str) -> None:
    """STOP that is not heard is the mistake which costs most; what closes a window is none there."""
    for text in sentences(language, section):
        assert opt_out(text, language), text
        assert opt_out(text, language, in_window=True) is (section == "opt_out"), text
        assert section == "opt_out" or closes(text, language), text


@pytest.mark.parametrize("language", available_languages())
@pytest.mark.parametrize(
    ("section", "answer", "questions"),
    [
        ("agree", "yes", ["consent", "erase"]),
        ("refuse", "no", ["consent", "erase"]),
        ("agree_erase", "yes", ["erase"]),
        ("refuse_erase", "no", ["erase"]),
        ("refuse_all", "no", ["consent"]),
        ("unclear", "unclear", ["consent", "erase"]),
    ],
)
def test_each_answer_is_met(section: str, answer: str, questions: list[Question], language: str) -> None:
    """To each question, and no yes or no is taken for doubt; one that says a word twice is met too."""
    for text in samples(load_keywords(language), section, 6):
        for question in questions:
            assert reply(text, language, question=question) == answer, text


@pytest.mark.parametrize("question", ["consent", "erase"])
@pytest.mark.parametrize("text", ["oui", "ouais", "oui oui", "oui merci", "OUI !"])
def test_a_typed_yes_in_french_is_one(text: str, question: Question) -> None:
    """Where a spelling made doubt (`mouais`) of it, nobody could confirm a deletion by typing."""
    assert reply(text, "fr", question=question) == "yes"


@pytest.mark.parametrize("polite", ["por favor ", ""])
def test_a_polite_word_within_a_wording_counts_beside_others(polite: str) -> None:
    """In Spanish `ustedes` is skipped in most wordings, and says in this one whom somebody is tired of."""
    assert opt_out(f"{polite}no quiero saber nada de ustedes", "es")
