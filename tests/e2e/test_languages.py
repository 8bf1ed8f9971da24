"""One bot that speaks seven languages, and a whole conversation in each but English, over REST, with both real servers.

Each is held as somebody would who speaks that language alone. That an answer is in it is told by the pack: the answer
has each part of the pack's sentence, and no part of an English one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import pytest
import yaml
from babel.dates import format_date

from rasa_privacy.cli.rest import Chat, request_json
from rasa_privacy.cli.training import train
from rasa_privacy.dialogue.packs import load_pack, variation_in
from tests.e2e.harness import BUILD, RunningBot, running_bot
from tests.e2e.people import Person, ledger_of, new_person, stored_values
from tests.e2e.search import assert_nowhere

pytestmark = [pytest.mark.e2e]

BOT = Path(__file__).parent / "seven_languages"
OWN = yaml.safe_load((BOT / "domain.yml").read_text(encoding="utf-8"))["responses"]
_VARIABLE = re.compile(r"\{\w+\}")
#: A shorter part of a sentence may be in any language.
_TELLING_CHARACTERS = 12


@dataclass(frozen=True)
class Words:
    """What somebody says in a language."""

    locale: str
    hello: str
    wish: str
    doubt: str
    yes: str
    born: str
    known: str
    correct: str
    receipt: str
    newsletter: str
    withdraw: str
    human: str
    team: str
    delete: str


WORDS = {
    "de": Words(
        "de-AT",
        "Guten Tag",
        "Ich möchte an der Verlosung teilnehmen",
        "ja ja",
        "ja, gern",
        "3. Mai 1990",
        "Was wissen Sie über mich?",
        "Meine E-Mail-Adresse ist falsch, richtig ist {}",
        "Schicken Sie mir einen Nachweis meiner Einwilligung",
        "Ich möchte den Newsletter bekommen",
        "Ich widerrufe meine Einwilligung für die Verlosung",
        "Ich möchte mit einem Menschen über meine Daten sprechen",
        "Ich möchte mit einem Menschen sprechen",
        "Löschen Sie meine Daten",
    ),
    "es": Words(
        "es-MX",
        "Hola",
        "Quiero participar en el sorteo",
        "sí :/",
        "sí, acepto",
        "3 de mayo de 1990",
        "¿Qué saben de mí?",
        "Mi correo electrónico está mal, el correcto es {}",
        "Envíenme un comprobante de mi consentimiento",
        "Quiero recibir el boletín",
        "Retiro mi consentimiento para el sorteo",
        "Quiero hablar con una persona sobre mis datos",
        "Quiero hablar con una persona",
        "Borren mis datos",
    ),
    "fr": Words(
        "fr-CH",
        "Bonjour",
        "Je voudrais participer au tirage au sort",
        "oui...",
        "oui, avec plaisir",
        "3 mai 1990",
        "Que savez-vous de moi ?",
        "Mon adresse e-mail est fausse, la bonne est {}",
        "Envoyez-moi un reçu de mon consentement",
        "Je voudrais recevoir la newsletter",
        "Je retire mon consentement pour le tirage au sort",
        "Je veux parler de mes données avec un humain",
        "Je voudrais parler à un humain",
        "Supprimez mes données",
    ),
    "it": Words(
        "it",
        "Buongiorno",
        "Vorrei partecipare al concorso",
        "sì, come no",
        "sì, va bene",
        "3 maggio 1990",
        "Che cosa sapete di me?",
        "Il mio indirizzo e-mail è sbagliato, quello giusto è {}",
        "Mandatemi una ricevuta del mio consenso",
        "Vorrei ricevere la newsletter",
        "Revoco il consenso per il concorso",
        "Vorrei parlare con una persona dei miei dati",
        "Vorrei parlare con una persona",
        "Cancellate i miei dati",
    ),
    "nl": Words(
        "nl-BE",
        "Goedendag",
        "Ik wil meedoen aan de trekking",
        "ja ja",
        "ja, graag",
        "3 mei 1990",
        "Wat weet u over mij?",
        "Mijn e-mailadres is fout, het juiste is {}",
        "Stuur mij een bewijs van mijn toestemming",
        "Ik wil de nieuwsbrief ontvangen",
        "Ik trek mijn toestemming voor de prijstrekking in",
        "Ik wil met een mens over mijn gegevens praten",
        "Ik wil met een mens praten",
        "Verwijder mijn gegevens",
    ),
    "pt": Words(
        "pt-PT",
        "Bom dia",
        "Quero participar no sorteio",
        "sim 🙄",
        "sim, com certeza",
        "3 de maio de 1990",
        "O que sabem sobre mim?",
        "O meu endereço de e-mail está errado, o certo é {}",
        "Enviem-me um comprovativo do meu consentimento",
        "Quero receber a newsletter",
        "Retiro o meu consentimento para o sorteio",
        "Quero falar com uma pessoa sobre os meus dados",
        "Quero falar com uma pessoa",
        "Apaguem os meus dados",
    ),
}


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBot]:
    """The bot that speaks seven languages, with both servers; trained once, as the example bot is."""
    with running_bot(BOT, train(BOT, BUILD / "models"), tmp_path_factory.mktemp("languages") / "bot") as running:
        yield running


def parts(text: str) -> list[str]:
    """Return what stands between the variables of a text, as one line."""
    return [part for each in _VARIABLE.split(text) if (part := " ".join(each.split()).strip(' .:;,"«»„“()'))]


ENGLISH = {
    part
    for texts in (*load_pack("en").responses.values(), *OWN.values())
    for part in parts(texts[0]["text"])
    if len(part) >= _TELLING_CHARACTERS
} | {part for text in load_pack("en").phrases.values() for part in parts(text) if len(part) >= _TELLING_CHARACTERS}


class Speaker:
    """Somebody who speaks one language; what the bot says to them is in it, or the test fails."""

    def __init__(self, chat: Chat, language: str) -> None:
        self.chat, self.language, self.pack = chat, language, load_pack(language)

    def opens(self, text: str, locale: str) -> str:
        """Send the first message, with the locale that a page gives a channel; return the answer."""
        body = {"sender": self.chat.sender, "message": text, "metadata": {"locale": locale}}
        answers = request_json(f"{self.chat.url}/webhooks/rest/webhook", body, seconds=60)
        return self._checked([str(answer["text"]) for answer in answers])

    def says(self, text: str) -> str:
        """Send a text and return the answer."""
        return self._checked([message.text for message in self.chat.say(text)])

    def presses(self, response: str, payload: str) -> str:
        """Press the button of this response that has this payload, by its title."""
        titles = [each["title"] for each in self.pack.responses[response][0]["buttons"] if each["payload"] == payload]
        return self._checked([message.text for message in self.chat.press(titles[0])])

    def _checked(self, texts: list[str]) -> str:
        answer = " ".join(" ".join(texts).split())
        assert answer
        assert not _VARIABLE.search(answer), answer
        offered = [button.title for button in self.chat.offered]
        english = [part for part in ENGLISH for text in (answer, *offered) if part in text]
        assert not english, english
        return answer

    def is_said(self, response: str, answer: str) -> None:
        """Assert that an answer has the sentence of this response in the language."""
        own = variation_in(self.language, "en", OWN.get(response, []))
        text = str(own["text"]) if own else self.pack.responses[response][0]["text"]
        for part in parts(text):
            assert part in answer, f"{part!r} is not in {answer!r}"


def join_the_draw(speaker: Speaker, words: Words, person: Person) -> None:
    """From the first word to the entry: the notice, more about it, a doubtful yes, a clear one, one by a button."""
    speaker.is_said("utter_greet", speaker.opens(words.hello, words.locale))
    speaker.is_said("utter_privacy_ask", speaker.says(words.wish))
    speaker.is_said("utter_privacy_more", speaker.presses("utter_privacy_ask", "/privacy_more"))
    why = speaker.presses("utter_privacy_more", "/privacy_why")
    speaker.is_said("utter_privacy_why", why)
    speaker.is_said("utter_privacy_ask_again", why)
    speaker.is_said("utter_privacy_unclear", speaker.says(words.doubt))
    granted = speaker.says(words.yes)
    speaker.is_said("utter_privacy_granted", granted)
    speaker.is_said("utter_privacy_ask_optional", granted)
    speaker.is_said("utter_ask_full_name", speaker.presses("utter_privacy_ask_optional", "/privacy_grant"))
    speaker.is_said("utter_ask_email", speaker.says(person.name))
    speaker.is_said("utter_ask_birthday", speaker.says(person.email))
    speaker.is_said("utter_entered", speaker.says(words.born))


@pytest.mark.parametrize("language", WORDS)
def test_a_whole_conversation_is_in_the_language_of_who_holds_it(bot: RunningBot, language: str) -> None:
    """Consent, the campaign's data, each right by words and buttons, STOP, the deletion; and then nothing is left."""
    words, person, right = WORDS[language], new_person(), new_person()
    speaker = Speaker(bot.chat(person.sender), language)
    join_the_draw(speaker, words, person)
    draw = {"full_name": person.name, "email": person.email, "birthday": "1990"}
    assert stored_values(bot, person.sender) == {"prize_draw": draw}
    assert_nowhere(person.marks, bot.sinks(payloads=False))

    today = datetime.now(timezone.utc).date()
    shown = speaker.says(words.known)
    speaker.is_said("utter_privacy_data", shown)
    assert f"{person.email} (" in shown
    assert format_date(today, "long", locale=speaker.pack.locale) in shown

    speaker.is_said("utter_privacy_corrected", speaker.says(words.correct.format(right.email)))
    assert stored_values(bot, person.sender) == {"prize_draw": {**draw, "email": right.email}}
    speaker.is_said("utter_privacy_receipt", speaker.says(words.receipt))

    speaker.is_said("utter_privacy_ask", speaker.says(words.newsletter))
    speaker.is_said("utter_subscribed", speaker.presses("utter_privacy_ask", "/privacy_grant"))
    speaker.is_said("utter_privacy_withdrawn", speaker.says(words.withdraw))
    assert stored_values(bot, person.sender) == {"newsletter": {"email": right.email}}
    speaker.is_said("utter_privacy_requested", speaker.says(words.human))

    speaker.is_said("utter_privacy_erase_preview", speaker.says(words.delete))
    speaker.is_said("utter_privacy_kept", speaker.presses("utter_privacy_erase_preview", "/privacy_cancel"))
    stopped = speaker.chat.say("STOP")
    assert len(stopped) == 1
    speaker.is_said("utter_privacy_stopped", " ".join(stopped[0].text.split()))
    assert ledger_of(bot, person.sender)[-1] == ("newsletter", "withdrawn")
    assert stored_values(bot, person.sender) == {}
    speaker.is_said("utter_privacy_stopped_already", speaker.says("STOP"))

    speaker.is_said("utter_privacy_erase_preview", speaker.says(words.delete))
    erased = speaker.presses("utter_privacy_erase_preview", "/privacy_confirm")
    speaker.is_said("utter_privacy_erased", erased)
    assert re.search(r"ER-\w{4}-\w{4}-\w{4}", erased)
    speaker.is_said("utter_privacy_nothing_stored", speaker.says(words.known))
    assert_nowhere([*person.marks, right.email], bot.sinks(payloads=False))


@pytest.mark.parametrize("language", WORDS)
def test_who_begins_in_a_language_is_answered_in_it(bot: RunningBot, language: str) -> None:
    """Where the channel tells none: the notice, and the record of a wish that the bot's own intent means."""
    words = WORDS[language]
    speaker = Speaker(bot.chat(new_person().sender), language)
    speaker.is_said("utter_privacy_ask", speaker.says(words.wish))
    speaker.is_said("utter_privacy_refused", speaker.presses("utter_privacy_ask", "/privacy_refuse"))
    another = Speaker(bot.chat(new_person().sender), language)
    another.is_said("utter_privacy_requested", another.says(words.human))


@pytest.mark.parametrize("language", WORDS)
def test_an_open_question_comes_back_by_itself(bot: RunningBot, language: str) -> None:
    """Of consent after each request in the middle of it, and that of a form; after a deletion nothing comes back."""
    words, person, right = WORDS[language], new_person(), new_person()
    speaker = Speaker(bot.chat(person.sender), language)
    speaker.opens(words.hello, words.locale)
    speaker.says(words.wish)
    speaker.says(words.yes)
    speaker.presses("utter_privacy_ask_optional", "/privacy_refuse")
    speaker.says(words.delete)
    kept = speaker.presses("utter_privacy_erase_preview", "/privacy_cancel")
    speaker.is_said("utter_ask_full_name", kept)
    speaker.says(person.name)
    speaker.is_said("utter_ask_email", speaker.says(words.known))
    speaker.is_said("utter_entered", speaker.says(person.email))

    speaker.is_said("utter_privacy_ask", speaker.says(words.newsletter))
    for said, answered, comes_back in (
        (words.correct.format(right.email), "utter_privacy_corrected", "utter_privacy_ask"),
        (words.known, "utter_privacy_data", "utter_privacy_ask"),
        (words.human, "utter_privacy_requested", "utter_privacy_ask_again"),
        (words.team, "utter_human", "utter_privacy_ask_again"),
        (words.withdraw, "utter_privacy_withdrawn", "utter_privacy_ask"),
    ):
        answer = speaker.says(said)
        speaker.is_said(answered, answer)
        speaker.is_said(comes_back, answer)
    speaker.is_said("utter_privacy_erase_preview", speaker.says(words.delete))
    kept = speaker.presses("utter_privacy_erase_preview", "/privacy_cancel")
    speaker.is_said("utter_privacy_kept", kept)
    speaker.is_said("utter_privacy_ask", kept)
    speaker.is_said("utter_ask_email", speaker.presses("utter_privacy_ask", "/privacy_grant"))
    speaker.is_said("utter_subscribed", speaker.says(right.email))

    speaker.says(words.delete)
    erased = speaker.presses("utter_privacy_erase_preview", "/privacy_confirm")
    assert erased.endswith(parts(speaker.pack.responses["utter_privacy_erased"][0]["text"])[-1] + ".")
    assert_nowhere([*person.marks, right.email], bot.sinks(payloads=False))
