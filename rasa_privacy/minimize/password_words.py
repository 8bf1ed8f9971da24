"""Passwords that are words: "my password is sunshine" tells one, "my password is wrong" tells something about it.

What is told about a password is a closed list of words in the seven languages, and the forms of their participles.
"""

import re
from typing import Final

#: One of these is in every word for a password.
PASSWORD_HINTS: Final = ("pass", "kennwort", "contrasena", "clave", "senha", "wachtwoord", "pw", "psw", "parola")
_MINE: Final = re.compile(
    r"(?<![a-z])(?:my|our|mein|meine|unser|mon|ma|notre|mi|nuestra|il mio|la mia|mia|minha|mijn|ons)"
    r" (?:[a-z0-9]{2,12}[ -])?$"  # "wifi"
)
_BEGINNING: Final = re.compile("(?:[^a-z]|(?:wi-?fi|wlan|hi|ok|yes|ja|si|oui)(?![a-z]))*")  # of an answer
_MINE_CHARACTERS: Final = 24
_MINE_INSIDE: Final = "mi "  # "mi clave" is the word for it
_SENTENCE_END: Final = re.compile(r"[\"'\u201d\u201c\u00bb)]{0,2}(?:[.,;!]|\s*$|\s*\n)")
_WORD: Final = re.compile("[a-z]{3,40}")
_TEXT: Final = """
optional essential case-sensitive wrong incorrect invalid bad weak strong short long old new easy hard simple complex
secure insecure safe unsafe unknown public private secret mine yours gone out dead broken lost forgotten stolen known
taken hidden correct right fine good okay great empty blank missing different same unique below above here there this
that these what which where something anything nothing everything password passwords available visible unavailable
important necessary ready complete incomplete temporary permanent case sensitive personal confidential not still
always never none too very also already again now today yesterday tomorrow soon later wifi shown overdue due obsolete
useless stupid funny crap rubbish reset default alphanumeric falsch richtig korrekt ungueltig gueltig ungultig gultig
alt neu kurz lang schwach stark weg sicher unsicher einfach schwer leer unbekannt bekannt geheim privat gut schlecht
kaputt fort tot hier dort so nicht noch immer nie nein ja kein keins auch schon wieder jetzt heute gestern morgen bald
komplex komplett dabei drin da das was wo dran egal faux fausse correcte incorrecte invalide valide vieux nouveau
court longue faible perdu inconnu connu prive bon mauvais mort ici rien quoi pas encore toujours jamais aussi
maintenant bientot complexe sur securise vide errone temporaire oublie oubliee expire expiree perime perimee bloque
bloquee vole volee refuse refusee rejete rejetee change changee modifie modifiee pirate piratee protege incorrecta
incorrecto correcta correcto invalida invalido valida valido vieja viejo nueva nuevo corta larga debil fuerte segura
seguro insegura secreta secreto privada buena mala aqui nada esta este que falsa mal bien facil dificil siempre nunca
tambien ahora hoy otra otro vacia erronea sbagliata sbagliato errata errato corretta corretto scorretta vecchia nuova
lunga debole forte sicura segreta privata buona cattiva qui niente questa quella che giusta facile difficile semplice
sempre mai anche ora oggi altra vuota persa errada errado correta correto incorreta antiga nova curta longa fraca boa
ma essa isso simples tambem agora hoje outra vazia fixe fout verkeerd juist onjuist goed slecht ongeldig geldig oud
nieuw kort zwak sterk kwijt veilig onveilig leeg onbekend bekend daar niets dit dat wat niet nog altijd nooit ook al
weer nu vandaag makkelijk moeilijk simpel stuk
"""
_ABOUT: Final = frozenset(_TEXT.split())
#: Forms of verbs, and what is made of them: expired, working, abgelaufen, caducada, scaduto, verlopen.
_FORMS: Final = re.compile(
    r".{2,}(?:ed|ing|able|ible|less|ful|ive|ous|ary|bar|los|isch|lich|sam|haft|oos)"
    r"|(?:ge|ver|be|ab|aus|zer|ent|zuruck|zurueck)[a-z]+(?:t|en|d)"
    r"|.{2,}(?:ad|id|at|it|ut)[oa]"
)


def is_told(lower: str, start: int, value: int, end: int) -> bool:
    """Tell whether a word is said to be somebody's password.

    Args:
        lower: The text in small letters without accents.
        start: Where the word for a password begins.
        value: Where the word that is told begins.
        end: And where it ends.
    """
    word = lower[value:end]
    if _WORD.fullmatch(word) is None or word in _ABOUT or _FORMS.fullmatch(word):
        return False
    before = lower[max(0, start - _MINE_CHARACTERS) : start]
    if not (lower.startswith(_MINE_INSIDE, start) or _MINE.search(before) or _is_beginning(lower, start)):
        return False
    return _SENTENCE_END.match(lower, end) is not None


def _is_beginning(lower: str, start: int) -> bool:
    return start <= _MINE_CHARACTERS and _BEGINNING.fullmatch(lower, 0, start) is not None
