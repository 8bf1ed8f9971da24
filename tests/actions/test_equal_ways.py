"""To refuse everything takes no more than to accept everything: in steps, in buttons and in words."""

from dataclasses import replace

import msgspec
import pytest

from rasa_privacy.dialogue.keywords import opt_out, reply, request_here
from rasa_privacy.dialogue.packs import available_languages, load_keywords
from rasa_privacy.dialogue.samples import samples
from rasa_privacy.storage.vault import Vault
from tests.support.talk import Talk
from tests.support.vaults import active

YES, NO = "privacy_grant", "privacy_refuse"


def steps(talk: Talk, answer: str) -> int:
    """Give the same answer until nothing is asked any more; return how often it took.

    Each question has one button for yes and one for no, which names that question alone.
    """
    count = 0
    while talk.pending is not None:
        topic = talk.pending.topic
        assert [each.partition("{")[0] for each in talk.buttons].count(f"/{YES}") == 1
        assert [each.partition("{")[0] for each in talk.buttons].count(f"/{NO}") == 1
        assert all(each.endswith(f'"{topic}"}}') for each in talk.buttons if each.startswith((f"/{YES}", f"/{NO}")))
        talk.reply(answer)
        count += 1
    return count


@pytest.mark.parametrize(
    ("ask", "also", "wanted"),
    [
        ("first_message", (), "action_hours"),
        ("first_message", (), "lead_form"),
        ("just_in_time", (), "lead_form"),
        ("just_in_time", ("newsletter", "fitting"), "lead_form"),
    ],
)
def test_no_takes_no_more_answers_than_yes(vault: Vault, ask: str, also: tuple[str, ...], wanted: str) -> None:
    """Of several purposes each is asked about apart, and no answer is given for two of them."""
    purposes = dict(vault.policy.purposes)
    purposes["draw"] = msgspec.structs.replace(purposes["draw"], also_ask=also)
    asking = replace(vault, policy=msgspec.structs.replace(vault.policy, ask=ask, purposes=purposes))
    accepting = steps(Talk(asking, "accepting").want(wanted), YES)
    refusing = steps(Talk(asking, "refusing").want(wanted), NO)
    assert 0 < refusing <= accepting
    assert accepting >= len(active(asking, "accepting"))
    assert active(asking, "refusing") == frozenset()


#: A yes to all in the words of consent banners, and in the same words a no.
ALL = {
    "en": "reject all | Reject everything | refuse all | decline all | I refuse everything | none of it | no to all",
    "de": "alles ablehnen | Alle ablehnen | ich lehne alles ab | nichts davon | nein zu allem | ich akzeptiere nichts",
    "fr": "tout refuser | Refuser tout | je refuse tout | je n'accepte rien | rien de tout cela | non \u00e0 tout",
    "es": "rechazar todo | Rechazo todo | no acepto nada | nada de eso | no a todo | rechazar todas",
    "it": "rifiuta tutto | Rifiuto tutto | non accetto niente | niente di tutto questo | no a tutto",
    "nl": "alles weigeren | Alles afwijzen | ik weiger alles | ik wijs alles af | niets daarvan | nee tegen alles",
    "pt": "recusar tudo | Rejeitar tudo | recuso tudo | n\u00e3o aceito nada | nada disso | n\u00e3o a tudo",
}


@pytest.mark.parametrize("language", available_languages())
def test_a_no_to_everything_is_as_plain_as_a_yes(language: str) -> None:
    """In the words of consent banners; it is the no to the question, and no opt-out of what is not asked about."""
    for text in ALL[language].split(" | "):
        assert reply(text, language, question="consent") == "no", text
        assert not opt_out(text, language, in_form=True), text


@pytest.mark.parametrize("language", available_languages())
def test_to_reject_all_keeps_no_consent(language: str) -> None:
    """To "which of your consents do you want to take back?" it says all rather than none, so it is asked back."""
    for said in samples(load_keywords(language), "refuse_all", 6):
        assert reply(said, language, question="consent") == "no", said
        assert reply(said, language, question="erase") != "no", said


#: What the bot says may be taken back at any time, taken back in its own words.
BACK = {
    "en": "I take it back | take it all back, please | I take my yes back",
    "de": "ich nehme es zur\u00fcck | Ich nehme mein Ja zur\u00fcck | ich will mein Ja zur\u00fccknehmen",
    "fr": "je reviens dessus | je reviens sur mon oui",
    "es": "lo retiro | quiero retirarlo | retiro el s\u00ed",
    "it": "lo ritiro | vorrei ritirarlo | ritiro il s\u00ec",
    "nl": "ik trek het in | ik trek mijn ja weer in | ik neem het terug",
    "pt": "retiro o sim | quero retir\u00e1-lo | retiro isso",
}


@pytest.mark.parametrize("language", available_languages())
def test_a_yes_is_taken_back_in_the_words_in_which_the_bot_offers_it(language: str) -> None:
    """By somebody who agreed; to anybody else it may be what they ordered."""
    for text in BACK[language].split(" | "):
        for in_form in (False, True):
            assert request_here(text, language, in_form=in_form, agreed=True) == "privacy_withdraw", text
        assert request_here(text, language, in_form=False, agreed=False) is None, text
