"""Elisions, as French and Italian write them: `l'email` is two words, whatever comes after the apostrophe."""

from rasa_privacy.dialogue.wordings import read

SPELLINGS = {"l'": ("le",), "j'": ("je",), "d'accord": ("okay",), "jai": ("je", "ai")}


def words(text: str) -> tuple[str, ...]:
    """Return what is read."""
    reading = read(text, SPELLINGS)
    assert reading is not None
    return reading.words


def test_an_elision_is_written_out_before_any_word() -> None:
    """No file can list every word that begins with a vowel."""
    assert words("J\u2019accepte l'email") == words("j'accepte l`email") == ("je", "accepte", "le", "email")


def test_a_spelling_of_the_whole_word_comes_first() -> None:
    """A fixed expression is no elision."""
    assert words("d'accord, jai") == ("okay", "je", "ai")


def test_an_apostrophe_of_another_language_stays() -> None:
    """Names and genitives are left as they are."""
    assert words("Siobhan O'Neill") == ("siobhan", "o'neill")
