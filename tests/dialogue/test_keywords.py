"""Fixed wordings: what is an opt-out, a privacy request, a yes or a no, and above all what is none."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.dialogue.keywords import has_telling_word, opt_out, privacy_request, reply, request_here
from rasa_privacy.dialogue.lexicon import Question
from rasa_privacy.dialogue.names import REPLIES
from rasa_privacy.dialogue.names import REQUESTS as ALL_REQUESTS
from rasa_privacy.dialogue.packs import load_ordinary, load_pack
from rasa_privacy.errors import ConfigurationError

HERE = Path(__file__).parent
SAID: dict[str, list[str]] = {
    str(block["intent"]): [line.removeprefix("- ") for line in str(block["examples"]).splitlines()]
    for block in load_pack("en").nlu
}
ORDINARY: list[str] = [line.strip() for line in load_ordinary("en")["heard"].splitlines()]

# 47 CFR 64.1200(a)(10), the CTIA Messaging Principles, and a real mistake: others missed "Stop. Thank you".
OPT_OUTS = """
stop | STOP | Stop. | STOP!!! | Stop. Thank you | please stop | Please STOP! Thanks | ok stop | stop please | stop now
stopall | STOP ALL | stop all | quit | QUIT | end | End. | revoke | REVOKE | opt out | opt-out | OPTOUT | optout
Opt out, please | unsubscribe | UNSUBSCRIBE | unsubscribe me | please unsubscribe me, thank you | stop texting me
stop messaging me | Stop sending me messages | do not contact me | don't text me again | leave me alone
no more messages | take me off your list | "STOP" | s\u200btop | stop \U0001f6d1 | hey, stop it | (stop)
"""
REQUESTS = {
    "privacy_delete": """
delete my data | please delete all my data | can you delete my data? | Could you please delete my personal data
I want you to delete my data | erase my personal information | remove all my details | wipe my data | forget me
delete everything you have about me | wipe everything you know about me | get rid of everything you have about me
erase me from your database | I want to be forgotten | the right to be forgotten | Delete my data!!! Thanks
""",
    "privacy_access": """
what do you know about me | What do you know about me?? | what data do you have about me | what have you stored about me
show me my data | can I see my data | give me my data | what information do you have on me
which data do you have about me | tell me what you know about me | I'd like to see my data
do you have any data about me | show me everything you have about me
""",
    "privacy_export": """
export my data | download my data | please export all my personal data | data portability | send me my data as a file
send me my data | please send me a copy of my data | can I get a copy of my data
I'd like a copy of all my personal data
email me my data | a copy of my data please | can you send me everything you have about me?
""",
    "privacy_correct": """
correct my data | please rectify my personal data | my details are wrong | right to rectification
""",
    "privacy_forget_last": """
forget what I said last | delete my last message | ignore my previous message, please
""",
    "privacy_restrict": """
restrict the processing of my data | freeze my data | right to restriction of processing
""",
    "privacy_object": """
I object to the processing of my data | I object to direct marketing | right to object
""",
    "privacy_do_not_sell": """
do not sell my data | don't share my personal information | do not sell or share my personal information
""",
    "privacy_limit_sensitive": """
limit the use of my sensitive personal information | don't use my sensitive data
""",
    "privacy_human": """
I want to talk to a person about my data | can I speak to a human about privacy | I want human intervention
""",
    "privacy_status": """
what is the status of my data request | how far is my deletion request | is my privacy request done?
""",
    "privacy_withdraw": """
I withdraw my consent | withdraw my consent | revoke my consent | please revoke my permission | take back my consent
I want to withdraw my consent | can I withdraw my consent | take me off the newsletter | remove me from the newsletter
unsubscribe me from the newsletter | unsubscribe from your newsletter | cancel my newsletter subscription
I no longer consent | please take me off the mailing list
""",
    "privacy_why": """
why do you need this | why do you need my email | Why do you need my phone number? | why do you want to know that
why are you asking for my name | what do you need that for | what will you use my data for | why do you collect my data
what happens to my data | what is my data used for | why is my email needed | how will you use my data
what do you do with my data
""",
    "privacy_how_long": """
how long do you keep my data | how long will you store my data | for how long do you keep this
How long is my data stored? | when do you delete my data | when will my data be deleted | how long do you keep my email
how long will my details be kept | what is your retention period | until when do you store my data
do you keep my data forever | how long are you going to keep my data | please, how long do you hold my details
""",
    "privacy_who_sees": """
who sees my data | who can see my data | Who else sees this? | who has access to my data | who gets my data
do you share my data | do you share my data with anyone | will you sell my data | is my data shared with third parties
with whom do you share my data | who do you share my email with | does anyone else see my data | where does my data go
""",
    "privacy_officer": """
talk to the privacy officer | I want to talk to the data protection officer | privacy officer | data protection officer
can I speak to the privacy officer | contact your data protection officer | DPO | who is your data protection officer
do you have a privacy officer | email of the data protection officer | please connect me to the DPO
who is responsible for data protection | I want to contact the privacy team
""",
}
YES = """
yes | Yes! | yes please | YES PLEASE | yep | yeah | yup | ok | okay | Ok. | sure | sure, go ahead | go ahead | I agree
yes, I agree | I consent | I accept | of course | absolutely | fine | yes, that's fine | that's ok with me | sounds good
agreed | yes yes | yes of course | oh yes
"""
NO = """
no | No! | no thanks | no, thank you | nope | nah | no way | not now | I don't agree | I do not consent | I'd rather not
never | absolutely not | no, I don't want to | I refuse | not interested | never mind | maybe later | don't
of course not
"""
UNCLEAR = """
yes? | yes, but not my email | ok but why | I agree, except for the phone | yes, only if you delete it later
yes if I can stop | sure, unless you sell it | I agree to the draw only | not sure | maybe | I guess so | I don't know
yes and no | do I have to agree? | okay, only my name | yes no | I would agree if it was free
"""
NO_ANSWER = """
what time do you open | Ana Li | ana@x.example | what are the prizes | how do I get to the shop | thanks | hello
who won last year | my name is Will Stop | tell me about the tents
"""


#: What people say to a question beside the bare word, by language.
NOES = {
    "de": "Nein zu allem | nein danke | nein danke dir | danke, nein | möchte ich nicht | ich glaube nicht",
    "en": "no to everything | No to all of them, thanks | no, sorry | no thank you | I don't think so",
    "es": "no a todo | no, lo siento | no, te lo agradezco | creo que no",
    "fr": "non à tout | non merci | non, désolée | non, je vous remercie",
    "it": "no a tutto | no, mi dispiace | no, la ringrazio | credo di no",
    "nl": "nee tegen alles | nee dank je | nee, dank u wel | nee hoor, dank je | nee sorry | dat hoeft niet "
    "| ik denk het niet",
    "pt": "não a tudo | não, desculpe | não, obrigada | acho que não",
}


def split(table: str) -> list[str]:
    """Return the messages of a table."""
    return [text.strip() for line in table.strip().splitlines() for text in line.split("|")]


@pytest.mark.parametrize(
    ("language", "text"), [(language, text) for language, row in NOES.items() for text in split(row)]
)
def test_a_polite_or_weak_no_is_a_no_in_every_language(language: str, text: str) -> None:
    """A person who declines with thanks or with an excuse has answered, and is not passed by."""
    assert reply(text, language) == "no"


@pytest.mark.parametrize("thanks", ["dank u", "dank je", "dank je wel", "dank u wel", "dankjewel", "met dank"])
def test_thanks_in_dutch_take_nothing_away_from_what_was_said(thanks: str) -> None:
    """A wording is spelt as messages are read, also where one spelling stands for others ("dank" for "bedankt")."""
    assert opt_out(f"stop, {thanks}", "nl")
    assert privacy_request(f"verwijder mijn gegevens, {thanks}", "nl") == "privacy_delete"
    assert reply(f"ja, {thanks}", "nl") == "yes"


@pytest.mark.parametrize("text", split(OPT_OUTS))
@pytest.mark.parametrize("in_form", [False, True])
def test_an_opt_out_word_with_anything_polite_around_it_is_an_opt_out(text: str, *, in_form: bool) -> None:
    """Nobody has to type STOP exactly, and a form changes nothing about it."""
    assert opt_out(text, "en", in_form=in_form)


@pytest.mark.parametrize("text", ["cancel", "CANCEL", "please cancel", "Cancel. Thank you"])
def test_cancel_is_an_opt_out_only_where_nothing_else_could_be_cancelled(text: str) -> None:
    """In a form it ends the form."""
    assert opt_out(text, "en")
    assert not opt_out(text, "en", in_form=True)


@pytest.mark.parametrize("text", ["end", "QUIT", "Cancel.", "please end", "Quit. Thank you"])
def test_what_closes_a_chat_is_no_opt_out_in_a_window(text: str) -> None:
    """By text message it is one, as 47 CFR 64.1200(a)(10) has it."""
    assert opt_out(text, "en")
    assert not opt_out(text, "en", in_window=True)


@pytest.mark.parametrize(
    "text", ["stop", "STOP. Thank you", "revoke", "optout", "opt out", "unsubscribe", "stop it all"]
)
def test_other_opt_outs_count_in_a_window_too(text: str) -> None:
    """They have no other meaning there."""
    assert opt_out(text, "en", in_window=True)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("why?", "privacy_why"),
        ("what for", "privacy_why"),
        ("who gets it?", "privacy_who_sees"),
        ("how long", "privacy_how_long"),
        ("what do you store exactly?", "privacy_what"),
        ("where is it kept?", "privacy_where"),
        ("how do I complain?", "privacy_complain"),
        ("again", None),
        ("a complaint", None),
        ("info", None),
        ("send me a receipt", None),
        ("Ana Li", None),
    ],
)
def test_a_short_question_counts_where_a_form_asks_for_something_personal(text: str, intent: str | None) -> None:
    """What could be an answer does not."""
    assert request_here(text, "en", in_form=True, agreed=False) == intent
    assert request_here(text, "en", in_form=False, agreed=False) is None


@pytest.mark.parametrize("text", ["send me a receipt", "Can I have my receipt, please?", "receipt please", "a receipt"])
def test_a_receipt_is_one_of_consent_where_somebody_agreed(text: str) -> None:
    """To anybody else it is one of the shop's, and so is that of an order."""
    assert request_here(text, "en", in_form=False, agreed=True) == "privacy_receipt"
    assert request_here(text, "en", in_form=False, agreed=False) is None
    assert privacy_request(text, "en", asked=True) is None
    assert request_here(f"{text} for my boots", "en", in_form=False, agreed=True) is None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Delete everything!", "en"),
        ("please erase it all", "en"),
        ("Alles löschen", "de"),
        ("Bitte alles löschen", "de"),
        ("Supprimez tout", "fr"),
        ("Borra todo", "es"),
        ("Cancella tutto", "it"),
        ("Apague tudo", "pt"),
        ("Wis alles", "nl"),
    ],
)
def test_everything_is_ones_data_where_somebody_agreed(text: str, language: str) -> None:
    """Who gave the bot something may say it in short; elsewhere a basket may be meant, and it is asked back about."""
    assert request_here(text, language, in_form=False, agreed=True) == "privacy_delete"
    assert request_here(text, language, in_form=False, agreed=False) is None
    assert privacy_request(text, language) is None
    assert request_here(f"{text} xyzzy", language, in_form=False, agreed=True) is None


@pytest.mark.parametrize("text", ORDINARY)
def test_an_everyday_message_is_neither_an_opt_out_nor_a_request(text: str) -> None:
    """Names, places, bookings and carts keep their meaning, also those with "stop" or "delete" in them."""
    assert not opt_out(text, "en")
    assert privacy_request(text, "en") is None


@pytest.mark.parametrize(("intent", "text"), [(i, text) for i, table in REQUESTS.items() for text in split(table)])
def test_a_core_wording_is_recognised_without_a_classifier(intent: str, text: str) -> None:
    """What most people say works also where the classifier is badly trained."""
    assert privacy_request(text, "en") == intent


@pytest.mark.parametrize(
    ("intent", "text"), [(i, text) for i, texts in SAID.items() if i not in REPLIES for text in texts]
)
def test_a_paraphrase_never_gets_another_intent(intent: str, text: str) -> None:
    """Fixed wordings may miss a paraphrase, which the classifier reads then, and never mistake one."""
    # Who wants no more messages may also be asked which consent is meant.
    alike = ("privacy_withdraw",) if intent == "privacy_stop" else ()
    assert privacy_request(text, "en") in (intent, None, *alike)
    assert intent == "privacy_stop" or not opt_out(text, "en")


@pytest.mark.parametrize("text", split(YES))
def test_a_message_that_only_agrees_is_a_yes(text: str) -> None:
    """An agreement in everyday words counts."""
    assert reply(text, "en") == "yes"


@pytest.mark.parametrize("text", split(NO))
@pytest.mark.parametrize("question", ["consent", "erase"])
def test_a_refusal_is_a_no(text: str, question: Question) -> None:
    """A no needs no exact word either."""
    assert reply(text, "en", question=question) == "no"


@pytest.mark.parametrize("text", split(UNCLEAR))
def test_a_conditional_or_doubtful_answer_is_not_a_yes(text: str) -> None:
    """Consent is unambiguous or it is none (GDPR Art. 4(11))."""
    assert reply(text, "en") == "unclear"


@pytest.mark.parametrize("text", split(NO_ANSWER))
def test_another_message_is_no_answer(text: str) -> None:
    """The bot goes on answering ordinary questions while it waits."""
    assert reply(text, "en") is None


@pytest.mark.parametrize("text", ["delete it", "yes, delete it", "delete everything", "erase it all"])
def test_delete_it_agrees_to_an_erasure_and_to_nothing_else(text: str) -> None:
    """The same words answer one question and not the other."""
    assert reply(text, "en", question="erase") == "yes"
    assert reply(text, "en", question="consent") != "yes"


@pytest.mark.parametrize("text", ["keep it", "keep my data", "don't delete it", "no, keep everything"])
def test_keep_it_refuses_an_erasure_and_agrees_to_nothing(text: str) -> None:
    """Whoever wants to keep their data is not erased, and has not consented by it."""
    assert reply(text, "en", question="erase") == "no"
    assert reply(text, "en", question="consent") != "yes"


@pytest.mark.parametrize("text", [text for i in ("privacy_refuse", "privacy_cancel") for text in SAID[i]])
@pytest.mark.parametrize("question", ["consent", "erase"])
def test_no_paraphrase_of_a_refusal_is_a_yes(text: str, question: Question) -> None:
    """The one mistake that must not happen."""
    assert reply(text, "en", question=question) != "yes"


def test_a_long_message_matches_nothing_and_is_not_cut() -> None:
    """The end of a message may turn its beginning round."""
    assert not opt_out("stop " + " " * 2_000 + "by tomorrow", "en")
    assert reply("yes " + "x" * 2_000, "en") is None
    assert privacy_request("delete my data " + "x" * 2_000, "en") is None


@given(st.text(max_size=300))
def test_any_text_gets_an_answer(text: str) -> None:
    """No message of a stranger breaks the recognition."""
    assert opt_out(text, "en") in (True, False)
    assert reply(text, "en") in ("yes", "no", "unclear", None)
    assert privacy_request(text, "en") in {None, *ALL_REQUESTS}


@pytest.mark.parametrize("end", ["", "x"])
@pytest.mark.parametrize(
    "unit",
    [
        "please ",
        "no ",
        "can you ",
        "yes ok ",
        "delete my ",
        "thank you so much ",
        "x",
        "who else ",
        "a b ",
        "!",
        "\u2026",
    ],
)
def test_no_message_makes_the_recognition_run_away(unit: str, end: str) -> None:
    """The worst message of 1,000 characters is done in milliseconds, not in minutes, the best of a few tries."""
    text = (unit * 1_000)[: 1_000 - len(end)] + end
    opt_out(text, "en")
    assert min(_seconds(text) for _ in range(3)) < 0.1


def _seconds(text: str) -> float:
    start = time.perf_counter()
    for recognise in (opt_out, privacy_request, reply):
        recognise(text, "en")
    return time.perf_counter() - start


def test_a_language_without_a_pack_is_refused() -> None:
    """STOP that works in no language must not be taken for silence."""
    with pytest.raises(ConfigurationError):
        opt_out("stop", "xx")


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("how long does the draw run", "privacy_how_long"),
        ("show me what you have", "privacy_access"),
        ("delete my last order", "privacy_delete"),
        ("remove the tent from my basket", "privacy_withdraw"),
        ("stop, which size was that again", "privacy_stop"),
        ("where do you keep the tents", "privacy_where"),
        ("where can I complain about the tent", "privacy_complain"),
        ("I need a receipt for my boots", "privacy_receipt"),
    ],
)
def test_no_word_of_an_everyday_message_speaks_for_a_guess(text: str, intent: str) -> None:
    """These sound like privacy requests to a classifier, and have no word that tells one."""
    assert not has_telling_word(text, "en", intent)


def test_a_long_message_may_tell_in_any_words() -> None:
    """A story is left to the classifier."""
    assert has_telling_word("the tent " * 40 + "was red", "en", "privacy_delete")


@pytest.mark.parametrize(
    ("language", "text", "intent"),
    [
        ("fr", "Je m\u2019oppose \u00e0 l\u2019utilisation de mes donn\u00e9es", "privacy_object"),
        ("fr", "suspendez l'utilisation de mes donn\u00e9es", "privacy_restrict"),
        ("fr", "Limitez l'utilisation de mes donn\u00e9es sensibles", "privacy_limit_sensitive"),
        ("it", "mi oppongo all'uso dei miei dati", "privacy_object"),
        ("it", "sospendete l'uso dei miei dati", "privacy_restrict"),
        ("it", "limitate l'uso dei miei dati sensibili", "privacy_limit_sensitive"),
    ],
)
def test_wordings_with_an_elision_are_met(language: str, text: str, intent: str) -> None:
    """What is elided is written out before it is compared, and a wording must have it so."""
    assert privacy_request(text, language) == intent
