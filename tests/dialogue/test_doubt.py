"""A yes in doubt or irony is no yes: neither to consent nor to a deletion, which nobody can undo."""

from itertools import product

import pytest

from rasa_privacy.dialogue.keywords import is_hedged, reply
from rasa_privacy.dialogue.lexicon import Question
from rasa_privacy.dialogue.packs import available_languages

QUESTIONS: tuple[Question, ...] = ("consent", "erase")
IRONY = {
    "en": """
yeah right | yes right | yes, sure, right | as if | oh sure, whatever | sure, whatever | yeah, whatever
fine, whatever | yes I guess | yes I suppose | sure, if I must | yeah no | sure, why not | okay, I guess
yes, yes, right | ok then, if you must | ha, sure | oh great, yes | well okay | oh well | oh fine
well fine | well yes | if you say so | yes in your dreams | you wish | sort of | kind of yes | yes and no
ok, hm | um yes | uh okay | hmm yes | meh | okay meh | yes ugh | sure Jan | ha ha yes | haha sure | lol yes
lol sure | yes lol
""",
    "de": """
na ja | naja | na ja ok | naja gut | na gut | na gut ok | na klar, sicher doch | jaja | ja klar, sicher
ja nee | ja nee, ist klar | ja ne is klar | nee, ist klar | ja schon | ja, schon gut | hm ja | hmm ok
ähm ja | tja | tja ja | tja, ok | ach ja | ach ja? | oh ja, toll | oh ja super | na toll | na super
na dann | na dann ok | na wenn das so ist | na meinetwegen | wers glaubt | ja gut | ja wohl kaum | von wegen
ja, von wegen | ja von mir aus | ach so ja | haha ja | lol ja | ja lol
""",
    "fr": """
mouais | mouais ok | ouais mouais | ouais bon | oui bon | bon oui | bon d'accord | bof oui | bof ok
ben voyons | oui oui c'est ça | mais bien sûr | mais bien sûr, oui | ah bon | ah bon oui | oui, ben voyons
pff ok | pfff oui | euh oui | hum oui | heu ok | oui enfin | oui, enfin bon | oui si on veut
ok si tu le dis | ouais c'est ça | à la rigueur | oui à la rigueur | mouaif | tu parles | tu parles, oui
haha oui | lol oui | oui lol | oui peut-être | oui plus ou moins
""",
    "es": """
venga ya | sí hombre | si hombre si | sí, claro, cómo no | sí, cómo no | ya, claro | bueno | bueno sí
bueno, vale | bueno ya | pues vale | pues bueno | vale, pues nada | sí, ya | ya ya | anda ya | sí, anda
hm sí | eh vale | mmm sí | en fin, sí | en fin | más o menos | sí, más o menos | qué remedio, sí
sí, supongo | sí, seguro que sí | sí, tu padre | jaja sí | jajaja claro | lol si | no me digas | a ver si
""",
    "it": """
sì, come no | si come no | certo, come no | sì, certo, come no | seh | seee | sì vabbè | vabbè | vabbè ok
vabbe si | mah sì | mah | mah ok | boh sì | boh ok | beh | beh sì | beh ok | beh va bene | ehm sì | ehm ok
insomma | sì insomma | più o meno | sì più o meno | diciamo di sì | ma certo, come no | ma va | ma dai
sì figurati | figurati | magari sì | sì, forse | ahah sì | haha certo | lol si | si si come no
se proprio devo sì
""",
    "pt": """
tá bom, sim | tá bom | tá, sei | sim, sei | sei, sim | sim sei | ah tá | ah tá, sim | aham, sei | aham
até parece | sim, até parece | mais ou menos | sim, mais ou menos | hum sim | hum ok | eh ok | né sim
fazer o quê, sim | sim, fazer o quê | tá bom então | bom, sim | bem, sim | bom, ok | bem ok | então tá
pois sim | pois é | sim, pois sim | pois, claro | kkk sim | haha sim | rsrs sim | lol sim | sim, né
sim, sim, sei | se não tem jeito, sim
""",
    "nl": """
nou ja | nou ja oké | nou oké | nou goed | nou vooruit | ja dag | ja, dag | dag, ja | jaja
ja hoor, tuurlijk | ja ja, tuurlijk | ja vast | ja vast wel | ja, echt wel | vast wel | tja | tja ja
tja oké | ach ja | ach, oké | ach vooruit | vooruit dan maar | oké dan maar | ja dan maar | hm ja | hmm oké
eh ja | euh oké | ja doei | ja doeg | mwah | mwah ja | mwa oké | ja nee | ja min of meer | min of meer
zal wel | ja zal wel | het zal wel, ja | haha ja | lol ja | ja lol
""",
}
YES = {"en": "yes", "de": "ja", "fr": "oui", "es": "sí", "it": "sì", "pt": "sim", "nl": "ja"}
#: Doubt, anger, sarcasm, disgust, tears and prohibition, some with a skin tone, a sex or a variation selector.
DOUBT = """
 \U0001f937 \U0001f937\U0001f3fd \U0001f937\u200d\u2640\ufe0f \U0001f937\U0001f3fd\u200d\u2642\ufe0f \U0001f621
\U0001f620 \U0001f612 \U0001f644 \U0001f92c \U0001f624 \U0001f914 \U0001f928 \U0001f610 \U0001f611 \U0001f615
\U0001f641 \u2639\ufe0f \U0001f62d \U0001f622 \U0001f922 \U0001f92e \U0001f926
\U0001f926\U0001f3fb\u200d\u2642\ufe0f \U0001f643 \U0001f60f \U0001f62c \U0001f595\U0001f3ff \U0001f4a9
\U0001f921 \U0001f494 \U0001f44e\U0001f3fe \U0001f645\U0001f3fc\u200d\u2640\ufe0f \U0001f6b7 \u26a0\ufe0f
\u270b\U0001f3fd \U0001f6ab \U0001f642\u200d\u2194\ufe0f \u2753
"""
GLAD = "\U0001f44d \U0001f44d\U0001f3fd \U0001f60a \U0001f642 \u2764\ufe0f \U0001f389 \U0001f64f\U0001f3fe \u2705"


@pytest.mark.parametrize("language", available_languages())
def test_irony_and_doubt_are_no_yes(language: str) -> None:
    """Whichever question is open; what is no answer is left to the classifier, whose guess is looked at too."""
    texts = [text.strip() for line in IRONY[language].strip().splitlines() for text in line.split("|")]
    assert len(texts) > 20
    for text, question in product(texts, QUESTIONS):
        assert reply(text, language, question=question) in ("unclear", "no", None), text


@pytest.mark.parametrize("language", available_languages())
def test_a_yes_with_a_sign_of_doubt_is_no_yes(language: str) -> None:
    """Nor is the sign alone one, nor does a classifier's guess at a yes count with it."""
    for sign, question in product(DOUBT.split(), QUESTIONS):
        assert reply(f"{YES[language]} {sign}", language, question=question) == "unclear", ascii(sign)
        assert reply(sign, language, question=question) in ("unclear", "no", None), ascii(sign)
        assert is_hedged(f"{YES[language]} {sign}", language), ascii(sign)


@pytest.mark.parametrize("language", available_languages())
def test_a_yes_with_a_glad_sign_is_a_yes(language: str) -> None:
    """People write both."""
    for sign, question in product(GLAD.split(), QUESTIONS):
        assert reply(f"{YES[language]} {sign}", language, question=question) == "yes", ascii(sign)


FACES = ":/ :-/ :\\ =/ :( :-( :'( >:( :| :-| :S :-s -_- -.- ._. o_O ¬¬"


@pytest.mark.parametrize("language", available_languages())
def test_a_face_of_punctuation_is_its_emoji(language: str) -> None:
    """One of doubt or grief makes a yes unclear, as its emoji does; a glad one does not."""
    for face, question in product(FACES.split(), QUESTIONS):
        assert reply(f"{YES[language]} {face}", language, question=question) == "unclear", face
        assert is_hedged(f"{YES[language]} {face}", language), face
    for face in (":)", ":-)", ";)", "=)", ":D", "<3"):
        assert reply(f"{YES[language]} {face}", language) == "yes", face
    assert reply(f"{YES[language]}:/", language) == "unclear"
    assert not is_hedged(f"{YES[language]} http://x.example/a", language)


@pytest.mark.parametrize("language", available_languages())
def test_a_yes_that_trails_off_is_no_yes(language: str) -> None:
    """Dots at the end leave something unsaid; within a message they do not, and a no stays one."""
    for dots in ("...", "\u2026", "..", " ..."):
        assert reply(f"{YES[language]}{dots}", language) == "unclear", ascii(dots)
        assert reply(f"ok{dots}", language, question="erase") == "unclear", ascii(dots)
    assert reply(f"{YES[language]}.", language) == "yes"
    assert reply("ok... yes!", "en") == "yes"
    assert reply({"de": "nein", "nl": "nee", "fr": "non", "pt": "n\xe3o"}.get(language, "no") + "...", language) == "no"


@pytest.mark.parametrize("language", available_languages())
@pytest.mark.parametrize("between", [" ", ", ", "! ", " \u2013 "])
def test_a_doubled_yes_is_irony_in_some_languages(language: str, between: str) -> None:
    """It is emphatic in most; in German and Dutch it is what people say who mean the opposite."""
    expected = "unclear" if language in ("de", "nl") else "yes"
    assert reply(f"{YES[language]}{between}{YES[language]}", language) == expected
    assert reply(f"{YES[language]}{between}{YES[language]}", language, question="erase") == expected


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("ja ja gerne", "de", "yes"),
        ("ja, ja, ich stimme zu", "de", "yes"),
        ("ja ja, klar", "de", "unclear"),
        ("ja ja ja", "de", "unclear"),
        ("ja " * 40, "de", "unclear"),
        ("ja ja graag", "nl", "yes"),
        ("ja ja, hoor", "nl", "unclear"),
        ("yeah yeah", "en", "unclear"),
        ("yeah, yeah, I agree", "en", "yes"),
    ],
)
def test_a_doubled_yes_beside_a_word_that_means_it_is_one(text: str, language: str, expected: str) -> None:
    """Beside a tepid one it stays irony."""
    assert reply(text, language) == expected
