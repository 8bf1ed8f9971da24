"""Wordings at the edge: what only looks like a yes, opt-outs in other clothes, messages near a wording."""

import time

import pytest

from rasa_privacy.dialogue.keywords import opt_out, privacy_request, reply, request_here
from rasa_privacy.dialogue.lexicon import Question
from rasa_privacy.dialogue.wordings import compile_wordings
from rasa_privacy.errors import ConfigurationError


@pytest.mark.parametrize(
    "text",
    [
        *("yes \U0001f44e", "yes \u274c", "ok \U0001f6ab", "hmm ok", "yeah right", "right", "great", "perfect"),
        *("all good", "go on", "I guess so, yes", "yes I refuse", "yes, cancel", "ok cancel", "no, that's fine"),
        *("ok maybe", "yes until Friday", "sure, without my phone", "no yes", "no problem", "I think that's ok"),
    ],
)
@pytest.mark.parametrize("question", ["consent", "erase"])
def test_an_answer_that_only_looks_like_a_yes_is_unclear(text: str, question: Question) -> None:
    """Hesitation, irony and a contradicting sign are no unambiguous act."""
    assert reply(text, "en", question=question) == "unclear"


@pytest.mark.parametrize(
    "text", ["delete it but keep my email", "delete everything except my name", "yes, keep it", "delete it?"]
)
def test_a_partial_erasure_is_never_a_yes_to_erasing_everything(text: str) -> None:
    """What is erased cannot be brought back, so a condition is asked about."""
    assert reply(text, "en", question="erase") == "unclear"


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("ok why do you need this?", "privacy_why"),
        ("OK, but why do you need my email?", "privacy_why"),
        ("sure, but who sees my data?", "privacy_who_sees"),
        ("ok, but what do you know about me?", "privacy_access"),
    ],
)
def test_a_question_that_begins_like_an_answer_is_answered(text: str, intent: str) -> None:
    """Whoever asks before agreeing gets an answer, not the same question again."""
    assert reply(text, "en") is None
    assert privacy_request(text, "en", asked=True) == intent


@pytest.mark.parametrize(
    "text",
    [
        *("can you stop", "could you please stop messaging me", "no, stop", "I want to opt out", "i said stop"),
        *(
            "s t o p",
            "S.T.O.P.",
            "stoooop",
            "\uff33\uff34\uff2f\uff30",
            "*stop*",
            "/stop",
            "STOP " * 60,
            "stop" + "!" * 900,
        ),
    ],
)
@pytest.mark.parametrize("in_form", [False, True])
def test_an_opt_out_in_other_clothes_is_an_opt_out(text: str, *, in_form: bool) -> None:
    """Any wording that a reasonable person would understand counts (47 CFR 64.1200(a)(10))."""
    assert opt_out(text, "en", in_form=in_form)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "can I cancel?",
            "I want to cancel",
            "could I cancel my fitting",
            "please don't stop",
            "non-stop",
            "never stop",
        ),
        *(
            "how do I stop my tent leaking",
            "how do I unsubscribe",
            "when does it end",
            "stop.com",
            "stop or go",
            "the end",
        ),
        *("stop " * 50 + "by", "We have got to STOP this bill", "Will Stop", "End Road 5", "quit smoking"),
    ],
)
def test_a_word_of_an_opt_out_inside_something_else_is_none(text: str) -> None:
    """An opt-out ends a form and takes consent back, so it is never guessed."""
    assert not opt_out(text, "en")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "access my account",
            "I can't access my account",
            "view my profile",
            "get my account",
            "can I send my details?",
        ),
        *(
            "check my details",
            "drop my details",
            "cancel the draw",
            "cancel all offers",
            "cancel my email",
            "forget it",
        ),
        *(
            "why do I have to send",
            "what will you do with that",
            "how long do you hold it for",
            "data team",
            "remove me",
        ),
        *(
            "forget-me-nots",
            "delete my booking",
            "who gets it",
            "show me my booking",
            "do you have my size",
            "why",
            "who",
        ),
    ],
)
def test_a_campaign_message_near_a_wording_is_no_request(text: str) -> None:
    """Bookings, accounts and prizes are deleted, shown and cancelled, too."""
    assert privacy_request(text, "en") is None


@pytest.mark.parametrize(
    "text", ["hello world " * 80, "a.b " * 240, "\u00e9" * 999, "\U0001f44d" * 999, "ab cd " * 160]
)
def test_a_message_without_a_wording_is_put_aside_at_once(text: str) -> None:
    """A thousand characters take less than 5 ms for all three, on a slow machine: nothing grows beside the length."""
    opt_out(text, "en")
    best = min(_seconds(text) for _ in range(5))
    assert best < 0.005


def _seconds(text: str) -> float:
    start = time.perf_counter()
    opt_out(text, "en")
    privacy_request(text, "en")
    reply(text, "en")
    return time.perf_counter() - start


@pytest.mark.parametrize("wording", ["stop (it", "stop it)", "stop [it)", "stop <nothing>", "stop <wordings>"])
def test_a_wording_that_cannot_be_read_is_refused_with_its_place(wording: str) -> None:
    """A translator is told which file to correct, and no language is served half."""
    with pytest.raises(ConfigurationError, match=r"xx\.keywords\.yml"):
        compile_wordings({"wordings": wording}, "wordings", "xx.keywords.yml")


#: What others got wrong, in the languages that are not English: a word with thanks, the words that were missing, a
#: sentence with a word in it, and `cancel`, which ends everything but in a form.
MISTAKES = {
    "es": (
        "STOP. Gracias | Baja, por favor | BAJA | ALTO!!! | REVOCAR | revoke | OPTOUT | opt out | salir | fin",
        "Tenemos que PARAR esta ley | hay que frenar y parar esto | no pares | cancela mi reserva | Fin de semana",
        "cancelar | cancel | terminar",
    ),
    "fr": (
        "STOP. Merci | Arrêtez, svp | ARRET | arrêter!!! | RÉVOQUER | revoke | OPTOUT | opt out | fin",
        "Il faut STOPPER cette loi | arrêt de bus | le bus s'arrête où | annulez ma réservation | fin de semaine",
        "annuler | cancel | quitter",
    ),
    "it": (
        "STOP. Grazie | Basta, per favore | BASTA!!! | FERMA | REVOCA | revoke | OPTOUT | opt out | esci | fine",
        "Dobbiamo FERMARE questa legge | basta la carta d'identità? | fermata del bus | fine settimana",
        "annulla | cancel | termina",
    ),
}


@pytest.mark.parametrize("language", MISTAKES)
def test_the_mistakes_of_others_are_not_made_in_other_languages(language: str) -> None:
    """Spanish, French and Italian opt-out words are heard as the English ones are, and no others."""
    heard, not_heard, outside_a_form = ([text.strip() for text in each.split("|")] for each in MISTAKES[language])
    assert [text for text in heard if not opt_out(text, language, in_form=True)] == []
    assert [text for text in not_heard if opt_out(text, language)] == []
    assert [text for text in outside_a_form if not opt_out(text, language)] == []
    assert [text for text in outside_a_form if opt_out(text, language, in_form=True)] == []


@pytest.mark.parametrize(
    "text",
    [
        *(
            "stop msgs",
            "Stop sending me this",
            "stop sending this to me",
            "please stop sending me stuff",
            "no more msgs",
        ),
        *("Do not text", "Don't contact", "un-subscribe", "Un-Subscribe me please", "I'm opting out", "STOP2END"),
        *("stop 2 end", "STOP 2 END!"),
    ],
)
def test_an_opt_out_in_short_forms_is_one(text: str) -> None:
    """As people type them, also where a form runs and in a window."""
    assert opt_out(text, "en", in_form=True, in_window=True)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Do not text me in the mornings about the order",
            "do not text my sister",
            "stop sending me the invoice twice",
        ),
        *(
            "I'm opting out of the sauna tour",
            "can you stop sending this to my old address",
            "do not message the driver",
        ),
        *("do not email it to Ana", "un", "the msg did not stop", "does tram 2 stop at the end"),
    ],
)
def test_a_wish_about_one_thing_is_no_opt_out(text: str) -> None:
    """The whole message must be the wording."""
    assert not opt_out(text, "en")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        *(("de", text) for text in ("widerrufen", "Ich widerrufe", "ich widerrufe das")),
        *(("pt", text) for text in ("revogar", "Revogo", "revogar tudo")),
        *(
            ("en", "I revoke it"),
            ("nl", "intrekken"),
            ("fr", "je retire tout"),
            ("es", "retiro todo"),
            ("it", "ritiro questo"),
        ),
    ],
)
def test_who_agreed_and_takes_it_back_withdraws(language: str, text: str) -> None:
    """To anybody else it may be an order that they cancel."""
    assert request_here(text, language, in_form=False, agreed=True) == "privacy_withdraw"
    assert request_here(text, language, in_form=False, agreed=False) is None


#: "Tell me more" about a part, as it is said at the question: where, how long, who gets it, and one's rights.
PARTS = {
    "en": (
        "tell me more about storage",
        "tell me more about how long you keep it",
        "more info on the recipients",
        "more about my rights",
    ),
    "de": (
        "Erz\u00e4hlen Sie mir mehr \u00fcber die Speicherung",
        "mehr zur Speicherdauer",
        "mehr \u00fcber die Empf\u00e4nger",
        "Ich m\u00f6chte mehr \u00fcber meine Rechte wissen",
    ),
    "es": (
        "Quiero saber m\u00e1s sobre el almacenamiento",
        "m\u00e1s sobre el plazo",
        "m\u00e1s informaci\u00f3n sobre los destinatarios",
        "D\u00edgame m\u00e1s sobre mis derechos",
    ),
    "fr": (
        "plus d'informations sur le stockage",
        "Dites-moi plus sur la dur\u00e9e de conservation",
        "en savoir plus sur les destinataires",
        "J'aimerais en savoir plus sur mes droits",
    ),
    "it": (
        "di pi\u00f9 sull'archiviazione",
        "Vorrei sapere di pi\u00f9 sulla conservazione",
        "mi dica di pi\u00f9 sui destinatari",
        "pi\u00f9 informazioni sui miei diritti",
    ),
    "nl": (
        "Vertel mij meer over de opslag",
        "meer over de bewaartermijn",
        "meer over de ontvangers",
        "Ik wil meer weten over mijn rechten",
    ),
    "pt": (
        "Quero saber mais sobre o armazenamento",
        "mais sobre o prazo",
        "mais informa\u00e7\u00f5es sobre os destinat\u00e1rios",
        "me fale mais sobre os meus direitos",
    ),
}


@pytest.mark.parametrize("language", sorted(PARTS))
def test_more_can_be_asked_about_a_part(language: str) -> None:
    """While a question is open; at any other time "more about storage" may be about a shed."""
    intents = ("privacy_where", "privacy_how_long", "privacy_who_sees", "privacy_help")
    for said, intent in zip(PARTS[language], intents, strict=True):
        assert privacy_request(said, language, asked=True) == intent, said
        assert privacy_request(said, language) is None, said
