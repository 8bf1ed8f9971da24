"""What a bot's own classifier takes for a yes is one only where nothing in it turns or limits it."""

import pytest

from rasa_privacy.dialogue.packs import available_languages
from rasa_privacy.dialogue.recognising import limits_a_yes

LIMITED = {
    "en": """
yes under protest | yes with reservations | I hardly agree | I partly agree | yes tomorrow
count me in sort of | I barely accept | unfortunately yes | reluctantly yes | yes on one condition
provided it is free yes | count me in for the trial | I agree in principle | fine, grudgingly
yes, once it is free | I am in, apart from the calls | yes, lol | I am in, possibly | yes, except for mail
yes, but later | yes, against my will | yes for the next hour | yes as a favour to my boss
""",
    "de": """
ja leider | ja unter Protest | ja mit Vorbehalt | ich stimme kaum zu | teilweise einverstanden | ja, morgen
ja, notgedrungen | ja, widerwillig | bin dabei, irgendwie | unter einer Bedingung | ja, vorläufig
ja, sobald es gratis ist | bin teilweise dabei | ja, zähneknirschend | grundsätzlich ja | ja, wohl oder übel
nur heute ja | ja, ausgenommen Mail | ja, falls gratis | ja, gegen meinen Willen | ja, meinem Chef zuliebe
""",
    "fr": """
oui hélas | oui sous protestation | oui avec réserve | j'accepte à peine | oui en partie | oui demain
oui à contrecœur | oui malheureusement | j'en suis, en quelque sorte | oui à une condition
oui provisoirement | en principe oui | oui, pourvu que ce soit gratuit | oui, forcé
partant, éventuellement | oui, moyennant remise | oui sauf mail | oui mais demain | oui, contre mon gré
oui, pour une heure
""",
    "es": """
sí, bajo protesta | sí con reservas | apenas acepto | acepto en parte | sí, mañana | lamentablemente sí
sí, a regañadientes | sí, con una condición | sí, por desgracia | en principio sí | me apunto, más o menos
sí, temporalmente | sí, a medias | sí, obligado | me apunto, posiblemente | sí, con la excepción del correo
sí salvo correo | sí pero luego | sí, contra mi voluntad | sí, por una hora
""",
    "it": """
sì, con riserva | sì sotto protesta | accetto a malapena | accetto in parte | sì domani | purtroppo sì
sì a malincuore | sì a una condizione | ci sto, più o meno | in linea di principio sì | sì, temporaneamente
sì, controvoglia | sì, costretto | partecipo, possibilmente | sì, con un dubbio | sì tranne mail
sì ma dopo | sì, contro la mia volontà | sì, per un'ora | sì, per fare un favore al capo
""",
    "pt": """
sim, sob protesto | sim com ressalvas | mal aceito | aceito em parte | sim, amanhã | infelizmente sim
sim a contragosto | sim com uma condição | em princípio sim | estou dentro, mais ou menos
sim, temporariamente | sim, forçado | sim, relutante | participo, possivelmente | sim, com uma dúvida
sim exceto email | sim mas depois | sim, contra a minha vontade | sim, por uma hora
sim, contanto que seja grátis
""",
    "nl": """
ja helaas | ja onder protest | ja met voorbehoud | ik ga nauwelijks akkoord | gedeeltelijk akkoord
ja morgen | ja, met tegenzin | ja, op één voorwaarde | in principe ja | ik doe mee, min of meer
ja, voorlopig | ja, noodgedwongen | ja, deels | ik doe mee, waarschijnlijk | ja, met twijfels
ja behalve mail | ja maar later | ja, tegen mijn wil | ja, voor een uur | ja, zodra het gratis is
""",
}
PLAIN = {
    "en": """
count me in | I'm in | yes, count me in | that works for me | yes, I'd love to | yes, I want to take part
let's do it | you got it
""",
    "de": """
ich bin dabei | ja, ich bin dabei | das klingt super | ja, ich mache mit | zähl auf mich
""",
    "fr": """
je participe | oui, je participe | comptez sur moi | oui, je suis partant | ça me dit
""",
    "es": """
me apunto | sí, me apunto | cuenten conmigo | sí, quiero participar
""",
    "it": """
partecipo | sì, partecipo | contate su di me | sì, ci sto
""",
    "pt": """
estou dentro | sim, estou dentro | contem comigo | sim, quero participar
""",
    "nl": """
ik doe mee | ja, ik doe mee | reken op mij | ja, ik wil meedoen
""",
}


def split(table: str) -> list[str]:
    """Return the messages of a table."""
    return [text.strip() for line in table.strip().splitlines() for text in line.split("|")]


@pytest.mark.parametrize("language", available_languages())
def test_a_yes_with_a_limit_or_under_pressure_is_none(language: str) -> None:
    """Partly, hardly, later, under protest, on a condition: each is asked back, in whatever language the bot speaks."""
    for text in split(LIMITED[language]):
        assert limits_a_yes(text, [language]), text
        assert limits_a_yes(text, [language, *(each for each in available_languages() if each != language)]), text


@pytest.mark.parametrize("language", available_languages())
def test_a_plain_yes_in_the_persons_own_words_is_left_to_the_classifier(language: str) -> None:
    """Else nobody could agree but by the pack's own wordings."""
    for text in split(PLAIN[language]):
        assert not limits_a_yes(text, [language]), text


def test_a_word_that_no_agreement_has_limits_one() -> None:
    """However it is meant: who is asked back once has lost little. A long message without a yes is no yes either."""
    assert limits_a_yes("yes my cousin", ["en"])
    assert limits_a_yes("count me in " + "and so on with my story " * 2, ["en"])
    assert not limits_a_yes("yes thank you very much", ["en"])
