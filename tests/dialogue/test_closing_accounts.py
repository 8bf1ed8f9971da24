"""Who wants an account closed wants what is held deleted: by fixed wordings, in each language."""

import pytest

from rasa_privacy.dialogue.keywords import opt_out, privacy_request, reply
from rasa_privacy.dialogue.named_requests import both_of, deletion_named, deletion_of
from rasa_privacy.dialogue.packs import available_languages
from rasa_privacy.dialogue.recognising import Recognised, recognise, recognise_foreign
from tests.support.vaults import policy

CLOSED = {
    "en": """
close my account | please close my account | Can you close my account? | I want to close my account, thanks
how do I close my account | I'd like my account closed | shut down my account | terminate my account for good
cancel my account | close my account and delete everything | close my account and delete my data | account closure
""",
    "de": """
Schließen Sie mein Konto | bitte mein Konto schließen | Konto schließen | kannst du mein Konto schließen?
Ich möchte mein Konto auflösen | löst mein Konto auf | Ich will, dass Sie mein Konto schließen | Account kündigen
Wie kann ich mein Konto schließen? | Schließung meines Kontos | Kontoschließung | wie kündige ich mein Konto
mein Konto schließen und alle Daten löschen | schließt mein Konto und löscht alles
""",
    "fr": """
Fermez mon compte | Je voudrais fermer mon compte | clôturez mon compte, svp | comment fermer mon compte ?
je veux que vous fermiez mon compte | résilier mon compte | fermeture de mon compte | clôture de compte
Pouvez-vous clôturer mon compte ? | fermez mon compte et supprimez tout | je veux que mon compte soit fermé
""",
    "es": """
Cierren mi cuenta | quiero cerrar mi cuenta | cierra mi cuenta, por favor | ¿cómo cierro mi cuenta?
dar de baja mi cuenta | den de baja mi cuenta | cancelar mi cuenta | cierre de mi cuenta | quiero que cierren mi cuenta
¿Pueden cerrar mi cuenta? | cierren mi cuenta y borren mis datos | solicito el cierre de mi cuenta
""",
    "it": """
Chiudete il mio account | vorrei chiudere il mio account | chiudi il mio account, per favore
come posso chiudere il mio account? | come chiudo il mio account?
chiusura del mio account | chiusura account | disdire il mio account
potete chiudere il mio account? | voglio che chiudiate il mio account | chiudete il mio account e cancellate tutto
""",
    "nl": """
Sluit mijn account | ik wil mijn account sluiten | account opheffen | hef mijn account op | zeg mijn account op
kunt u mijn account sluiten? | hoe kan ik mijn account opheffen? | beëindig mijn account | account opzeggen
hoe sluit ik mijn account
ik wil dat jullie mijn account sluiten | sluit mijn account en wis alles | sluiting van mijn account
""",
    "pt": """
Fechem a minha conta | quero encerrar minha conta | encerre minha conta, por favor | cancelar minha conta
como faço para encerrar minha conta? | como encerro a minha conta?
encerramento da minha conta | fecha a minha conta e apaga tudo
podem fechar a minha conta? | quero que fechem a minha conta | quero cancelar meu cadastro | encerrar conta
""",
}
#: About another account, about opening one, about somebody who looks after one, or about something else that closes.
OTHER = {
    "en": """
close my account manager call | I opened an account | open an account | do I need an account | close the window
I can't get into my account | my account is closed, why? | who closed my account | close the order on my account
on account of the weather | can I close my order | close my account with the bank next door | don't close my account
I don't want to close my account | do you close my account when I do nothing | account | cancel my order
""",
    "de": """
ich habe ein Konto eröffnet | Konto eröffnen | brauche ich ein Konto? | mein Konto ist gesperrt
schließen Sie um acht? | wann schließt ihr | wer hat mein Konto geschlossen | Konto nicht schließen
schließen Sie mein Konto nicht | schließen Sie mein Zelt | meinen Vertrag kündigen | mein Konto bei der Bank schließen
""",
    "fr": """
j'ai ouvert un compte | ouvrir un compte | faut-il un compte ? | mon compte est bloqué | fermez-vous le lundi ?
fermez mon compte rendu | qui a fermé mon compte | ne fermez pas mon compte | fermer la tente | compte tenu du temps
fermer mon compte à la banque | le magasin ferme quand
""",
    "es": """
he abierto una cuenta | abrir una cuenta | ¿necesito una cuenta? | la cuenta, por favor | cerrar la cuenta del bar
no cierren mi cuenta | ¿quién cerró mi cuenta? | cuenta conmigo | ¿a qué hora cierran? | cancelar mi reserva
dar de baja mi cuenta del banco
""",
    "it": """
ho aperto un account | aprire un account | serve un account? | il conto, per favore | chiudere il conto
non chiudete il mio account | chi ha chiuso il mio account? | quando chiudete? | chiudete la domenica?
disdire la mia prenotazione | chiudete il mio account in banca
""",
    "nl": """
ik heb een account geopend | account aanmaken | heb ik een account nodig? | wanneer sluiten jullie
sluit mijn account niet | wie heeft mijn account gesloten | sluit de tent | op mijn account staat niets
de rekening sluiten | mijn account bij de bank opzeggen
""",
    "pt": """
abri uma conta | abrir uma conta | preciso de uma conta? | a conta, por favor | fechar a conta do bar
não fechem a minha conta | quem fechou a minha conta? | quando fecham? | cancelar minha reserva
fechar a minha conta no banco
""",
}


def split(table: str) -> list[str]:
    """Return the messages of a table."""
    return [text.strip() for line in table.strip().splitlines() for text in line.split("|")]


@pytest.mark.parametrize("language", available_languages())
def test_who_wants_an_account_closed_is_shown_what_would_go(language: str) -> None:
    """Whatever language the conversation had, a form or no form; and it names no single item."""
    others = tuple(each for each in available_languages() if each != language)
    for text in split(CLOSED[language]):
        wanted = Recognised("privacy_delete", language)
        for languages in ((language,), (language, *others), (*others, language)):
            for in_form in (False, True):
                assert recognise(text, languages, question=None, in_form=in_form) == wanted, text
        assert deletion_named(text, policy(), language) == (), text
        assert reply(text, language) is None, text


@pytest.mark.parametrize("language", available_languages())
def test_a_sentence_with_an_account_in_it_is_no_deletion(language: str) -> None:
    """Opened, blocked, somebody else's, or not to be closed: the bot's own business."""
    for text in split(OTHER[language]):
        assert privacy_request(text, language) is None, text
        assert not opt_out(text, language), text
        assert deletion_of(text, (language,), policy()) is None, text


def test_a_copy_and_then_an_account_closed_are_two_requests() -> None:
    """The copy comes first, as it does before a deletion in other words."""
    found = both_of("send me a copy of my data and close my account", ("en",), policy())
    assert found is not None
    assert [each.intent for each in found] == ["privacy_export", "privacy_delete"]


def test_an_account_is_closed_in_a_language_that_the_bot_does_not_speak() -> None:
    """As any other wording of a deletion."""
    assert recognise_foreign("Schließen Sie mein Konto", ("en",)) == Recognised("privacy_delete", None)
