"""Requests that name an item, a purpose or a value are read in every language, and nothing else is taken for one."""

import msgspec
import pytest

from rasa_privacy.dialogue import named_requests
from rasa_privacy.dialogue.keywords import privacy_request, words_of
from rasa_privacy.dialogue.named_requests import (
    beside_closing,
    both_of,
    correction_of,
    deletion_named,
    deletion_of,
    question_of,
    restriction_of,
)
from rasa_privacy.dialogue.packs import available_languages, load_ordinary
from rasa_privacy.dialogue.purposes import chosen_purposes, hinted_purpose, named_topics
from rasa_privacy.policy.model import Policy
from tests.support.vaults import policy

#: What people are told that the phone, the email address and the newsletter are called.
CALLED = {
    "en": ("your phone number", "your email address", "the newsletter"),
    "de": ("Ihre Telefonnummer", "Ihre E-Mail-Adresse", "der Newsletter"),
    "es": ("su n\u00famero de tel\u00e9fono", "su correo electr\u00f3nico", "el bolet\u00edn"),
    "fr": ("votre num\u00e9ro de t\u00e9l\u00e9phone", "votre adresse e-mail", "la lettre d'information"),
    "it": ("il Suo numero di telefono", "il Suo indirizzo e-mail", "la newsletter"),
    "nl": ("uw telefoonnummer", "uw e-mailadres", "de nieuwsbrief"),
    "pt": ("o seu telefone", "o seu e-mail", "a newsletter"),
}
PHONE, EMAIL, NEWSLETTER = ("fitting:phone",), ("draw:email",), ("newsletter",)
DELETIONS: dict[str, list[tuple[str, tuple[str, ...]]]] = {
    "en": [
        ("please delete my phone number", PHONE),
        ("I want my phone number deleted", PHONE),
        ("Delete what you have for the newsletter.", NEWSLETTER),
        ("delete everything you have for the newsletter", NEWSLETTER),
        ("delete my phone number and my email", ("draw:email", "fitting:phone")),
    ],
    "de": [
        ("L\u00f6sche meine Telefonnummer", PHONE),
        ("Bitte meine E-Mail-Adresse l\u00f6schen", EMAIL),
        ("L\u00f6schen Sie, was Sie f\u00fcr den Newsletter gespeichert haben", NEWSLETTER),
    ],
    "es": [
        ("Borra mi n\u00famero de tel\u00e9fono", PHONE),
        ("Elimine lo que tiene para el bolet\u00edn", NEWSLETTER),
    ],
    "fr": [
        ("Supprimez mon num\u00e9ro de t\u00e9l\u00e9phone", PHONE),
        ("Effacez ce que vous avez pour la lettre d\u2019information", NEWSLETTER),
    ],
    "it": [
        ("Cancella il mio numero di telefono", PHONE),
        ("Cancella quello che hai per la newsletter", NEWSLETTER),
    ],
    "nl": [
        ("Verwijder mijn telefoonnummer", PHONE),
        ("Verwijder alles wat u voor de nieuwsbrief hebt opgeslagen", NEWSLETTER),
    ],
    "pt": [
        ("Apague o meu telefone", PHONE),
        ("Exclua o que voc\u00ea tem para a newsletter", NEWSLETTER),
    ],
}
#: The last of each language is a restriction.
STOPPED: dict[str, tuple[str, ...]] = {
    "en": (
        "I object to the newsletter",
        "Hello, I want to object to the use of my data for the newsletter.",
        "please restrict the use of my data for the newsletter",
    ),
    "de": (
        "Ich widerspreche dem Newsletter",
        "Widerspruch gegen den Newsletter",
        "Ich widerspreche der Nutzung meiner Daten f\u00fcr den Newsletter",
        "Bitte beschr\u00e4nken Sie die Nutzung meiner Daten f\u00fcr den Newsletter",
    ),
    "es": (
        "Me opongo al bolet\u00edn",
        "me opongo al uso de mis datos para el bolet\u00edn",
        "Quiero limitar el uso de mis datos para el bolet\u00edn",
    ),
    "fr": (
        "Je m\u2019oppose \u00e0 la lettre d\u2019information",
        "je m'oppose au traitement de mes donn\u00e9es pour la lettre d'information",
        "Limitez l'utilisation de mes donn\u00e9es pour la lettre d'information",
    ),
    "it": (
        "Mi oppongo alla newsletter",
        "mi oppongo al trattamento dei miei dati per la newsletter",
        "Limitate il trattamento dei miei dati per la newsletter",
    ),
    "nl": (
        "Ik maak bezwaar tegen de nieuwsbrief",
        "ik wil bezwaar maken tegen het gebruik van mijn gegevens voor de nieuwsbrief",
        "Beperk het gebruik van mijn gegevens voor de nieuwsbrief",
    ),
    "pt": (
        "Me oponho \u00e0 newsletter",
        "me oponho ao uso dos meus dados para a newsletter",
        "Limitem o uso dos meus dados para a newsletter",
    ),
}
NUMBER, ADDRESS = "0170 555 8172", "ana@new.example"
CORRECTIONS: dict[str, list[tuple[str, tuple[str, ...], str]]] = {
    "en": [
        (f"my email is wrong, it's {ADDRESS}", EMAIL, ADDRESS),
        (f"Please change my phone number to {NUMBER}.", PHONE, NUMBER),
        (f"my new email is {ADDRESS}", EMAIL, ADDRESS),
        ("my email is wrong", EMAIL, ""),
    ],
    "de": [
        (f"Meine E-Mail ist falsch, sie lautet {ADDRESS}", EMAIL, ADDRESS),
        (f"meine Telefonnummer auf {NUMBER} \u00e4ndern", PHONE, NUMBER),
        ("Meine E-Mail-Adresse stimmt nicht mehr", EMAIL, ""),
    ],
    "es": [
        (f"mi correo electr\u00f3nico es incorrecto, es {ADDRESS}", EMAIL, ADDRESS),
        (f"Cambia mi n\u00famero de tel\u00e9fono a {NUMBER}", PHONE, NUMBER),
        ("mi correo electr\u00f3nico est\u00e1 mal", EMAIL, ""),
    ],
    "fr": [
        (f"mon adresse e-mail est fausse, c'est {ADDRESS}", EMAIL, ADDRESS),
        (f"Changez mon num\u00e9ro de t\u00e9l\u00e9phone en {NUMBER}", PHONE, NUMBER),
        ("Mon e-mail n'est pas correct", EMAIL, ""),
    ],
    "it": [
        (f"il mio indirizzo e-mail \u00e8 sbagliato, \u00e8 {ADDRESS}", EMAIL, ADDRESS),
        (f"Cambia il mio numero di telefono in {NUMBER}", PHONE, NUMBER),
        ("la mia e-mail \u00e8 sbagliata", EMAIL, ""),
    ],
    "nl": [
        (f"mijn e-mailadres is fout, het is {ADDRESS}", EMAIL, ADDRESS),
        (f"Wijzig mijn telefoonnummer in {NUMBER}", PHONE, NUMBER),
        ("mijn e-mailadres klopt niet", EMAIL, ""),
    ],
    "pt": [
        (f"meu e-mail est\u00e1 errado, \u00e9 {ADDRESS}", EMAIL, ADDRESS),
        (f"Mude o meu telefone para {NUMBER}", PHONE, NUMBER),
        ("o meu e-mail est\u00e1 errado", EMAIL, ""),
    ],
}
BOTH = {
    "en": "delete my phone and send me a copy",
    "de": "L\u00f6sch meine Telefonnummer und schick mir eine Kopie",
    "es": "Borra mi tel\u00e9fono y env\u00edame una copia",
    "fr": "Supprimez mon t\u00e9l\u00e9phone et envoyez-moi une copie",
    "it": "Cancella il mio telefono e mandami una copia",
    "nl": "Verwijder mijn telefoonnummer en stuur me een kopie",
    "pt": "Apague meu telefone e me envie uma c\u00f3pia",
}


def called(language: str) -> Policy:
    """Return a policy whose items and purposes have names in this language."""
    declared, names = policy(), CALLED[language]
    change = msgspec.structs.replace
    items = {
        **declared.items,
        "phone": change(declared.items["phone"], called={language: names[0]}),
        "email": change(declared.items["email"], called={language: names[1]}),
    }
    newsletter = change(declared.purposes["newsletter"], called={language: names[2]})
    return change(declared, items=items, purposes={**declared.purposes, "newsletter": newsletter})


@pytest.mark.parametrize("language", available_languages())
def test_a_deletion_names_what_is_meant(language: str) -> None:
    """An item, several, or what one purpose has; by the names that people were told."""
    for text, topics in DELETIONS[language]:
        found = deletion_of(text, (language,), called(language))
        assert found is not None, text
        assert found.topics == topics, text


@pytest.mark.parametrize("language", available_languages())
def test_an_objection_and_a_restriction_name_the_purpose(language: str) -> None:
    """An item is none: what is stopped is a purpose."""
    declared = called(language)
    for text in STOPPED[language]:
        found = restriction_of(text, (language,), declared)
        assert found is not None, text
        intent = "privacy_restrict" if text == STOPPED[language][-1] else "privacy_object"
        assert (found.intent, found.topics) == (intent, NEWSLETTER), text
    assert restriction_of("I object to my phone number", ("en",), called("en")) is None


@pytest.mark.parametrize("language", available_languages())
def test_a_correction_names_the_item_and_the_value(language: str) -> None:
    """As it was typed, without the mark at the end of the sentence; or no value, which is then asked for."""
    for text, topics, value in CORRECTIONS[language]:
        found = correction_of(text, (language,), called(language))
        assert found is not None, text
        assert (found.topics, found.value) == (topics, value), text


@pytest.mark.parametrize("language", available_languages())
def test_two_requests_in_one_message_are_two(language: str) -> None:
    """Each with what it names."""
    found = both_of(BOTH[language], (language,), called(language))
    assert found is not None
    assert [each.intent for each in found] == ["privacy_delete", "privacy_access"]
    assert found[0].topics == PHONE


CLOSED = {
    "en": "quit and delete my data",
    "de": "Ende und l\u00f6sche meine Daten",
    "es": "salir y borre mis datos",
    "fr": "quitter et supprimez mes donn\u00e9es",
    "it": "fine e cancelli i miei dati",
    "nl": "einde en verwijder mijn gegevens",
    "pt": "sair e apague os meus dados",
}


@pytest.mark.parametrize("language", available_languages())
def test_what_is_asked_beside_closing_a_window_is_found(language: str) -> None:
    """A word that closes the window is no request, in front or behind; an opt-out is one, and closing twice is none."""
    declared = called(language)
    closing, deletion = CLOSED[language].split(" ", 1)
    for text in (CLOSED[language], f"{deletion.split(' ', 1)[1]}. {closing}"):
        found = beside_closing(text, (language,), declared)
        assert found is not None, text
        assert found.intent == "privacy_delete"
    assert beside_closing(f"{closing}, {closing}", (language,), declared) is None
    assert beside_closing(f"STOP, {deletion.split(' ', 1)[1]}", (language,), declared) is None


@pytest.mark.parametrize("language", available_languages())
def test_an_everyday_message_is_none_of_them(language: str) -> None:
    """Nothing that people say of draws, bookings and carts deletes anything."""
    declared = called(language)
    for text in (line.strip() for line in load_ordinary(language)["heard"].splitlines()):
        assert deletion_of(text, (language,), declared) is None, text
        assert restriction_of(text, (language,), declared) is None, text
        assert both_of(text, (language,), declared) is None, text
        assert beside_closing(text, (language,), declared) is None, text


@pytest.mark.parametrize(
    "text",
    [
        "delete my phone from the cart",
        "remove the tent and the phone holder",
        "delete my neighbour's email",
        "my order is wrong",
        "change my booking to Friday",
        "my email and my phone are wrong",
        f"change my phone number to {NUMBER} and tell my sister " + "again " * 60,
        "",
    ],
)
def test_what_names_something_else_is_no_certain_request(text: str) -> None:
    """It is left to what is guessed, and asked about."""
    assert deletion_of(text, ("en",), called("en")) is None
    assert correction_of(text, ("en",), called("en")) is None


def test_a_new_number_answers_the_form_that_asks_for_one() -> None:
    """While a form runs, "my new number is" is no correction."""
    text = f"my new phone number is {NUMBER}"
    assert correction_of(text, ("en",), called("en"), in_form=True) is None
    assert correction_of(text, ("en",), called("en")) is not None


@pytest.mark.parametrize("thanks", ["dank u", "dank je wel", "met dank"])
def test_thanks_that_have_another_spelling_take_nothing_away(thanks: str) -> None:
    """The wordings are spelt as the message is read, where one spelling stands for others."""
    found = deletion_of(f"verwijder mijn telefoonnummer, {thanks}", ("nl",), called("nl"))
    assert found is not None
    assert found.topics


#: An item whose name has a word for all data, or one like it.
NEAR_DATA = {
    "en": ("your contact details", "delete my details"),
    "de": ("Daten zu Ihrer Gesundheit", "lösche meine Daten"),
    "es": ("sus datos de salud", "borra mis datos"),
    "fr": ("vos données de santé", "supprimez mes données"),
    "it": ("la Sua data di nascita", "cancellate i miei dati"),
    "nl": ("gegevens over uw gezondheid", "verwijder mijn gegevens"),
    "pt": ("os seus dados de saúde", "apaguem os meus dados"),
}


@pytest.mark.parametrize("language", available_languages())
def test_who_wants_all_data_deleted_names_no_item(language: str) -> None:
    """An item may be called by a word for data, or by one that ends in another letter: `data` is a date in Italian."""
    name, text = NEAR_DATA[language]
    declared = called(language)
    item = msgspec.structs.replace(declared.items["phone"], called={language: name})
    declared = msgspec.structs.replace(declared, items={**declared.items, "phone": item})
    assert privacy_request(text, language) == "privacy_delete"
    assert named_topics(text, declared, language) == ()
    assert deletion_of(text, (language,), declared) is None
    if language == "it":
        assert named_topics("cancella la mia data di nascita", declared, language) == PHONE


#: What an account number is called, said to be deleted, and an account said to be deleted, which is everything.
ACCOUNTS = {
    "en": ("your account number", "delete my account number", "delete my account"),
    "de": ("Ihre Kontonummer", "Kontonummer l\u00f6schen", "Konto l\u00f6schen"),
    "es": ("su n\u00famero de cuenta", "borra mi n\u00famero de cuenta", "borra mi cuenta"),
    "fr": ("votre num\u00e9ro de compte", "supprimez mon num\u00e9ro de compte", "supprimez mon compte"),
    "it": ("il Suo numero di conto", "cancella il mio numero di conto", "cancella il mio account"),
    "nl": ("uw rekeningnummer", "verwijder mijn rekeningnummer", "verwijder mijn account"),
    "pt": ("o seu n\u00famero de conta", "apague o meu n\u00famero de conta", "apague a minha conta"),
}


def with_account_number(base: Policy | None = None) -> Policy:
    """Return a policy with an item that is named by a word for all that somebody has."""
    base = base or policy()
    called = {language: told for language, (told, _, _) in ACCOUNTS.items()}
    number = msgspec.structs.replace(base.items["full_name"], called=called)
    draw = base.purposes["draw"]
    with_number = msgspec.structs.replace(draw, items={**draw.items, "account_number": "required"})
    items = {**base.items, "account_number": number}
    return msgspec.structs.replace(base, items=items, purposes={**base.purposes, "draw": with_number})


@pytest.mark.parametrize("language", sorted(ACCOUNTS))
def test_an_account_number_is_an_item_and_an_account_is_everything(language: str) -> None:
    """Neither is taken for the other: by a fixed wording, nor where a guess is looked through for names."""
    _, part, whole = ACCOUNTS[language]
    known = with_account_number()
    found = deletion_of(part, (language,), known)
    assert found is not None
    assert found.topics == named_topics(part, known, language) == ("draw:account_number",)
    assert privacy_request(part, language) is None
    assert deletion_of(whole, (language,), known) is None
    assert privacy_request(whole, language) == "privacy_delete"
    assert named_topics(whole, known, language) == ()


@pytest.mark.parametrize(
    ("said", "language", "topics"),
    [
        ("delete the number of my account", "en", ("draw:account_number",)),
        ("delete my account and my account number", "en", ()),
        ("close my account", "en", ()),
        ("remove my email from my account", "en", ("draw:email",)),
        ("Konto-Nummer l\u00f6schen", "de", ("draw:account_number",)),
        ("l\u00f6sch meine konto nummer", "de", ("draw:account_number",)),
        ("Nummer meines Kontos l\u00f6schen", "de", ("draw:account_number",)),
        ("l\u00f6sche die Nummer von meinem Konto", "de", ("draw:account_number",)),
        ("mein Konto und meine Kontonummer l\u00f6schen", "de", ()),
        ("verwijder het nummer van mijn rekening", "nl", ("draw:account_number",)),
        ("borra el n\u00famero de mi cuenta", "es", ("draw:account_number",)),
        ("supprimez le num\u00e9ro de mon compte", "fr", ("draw:account_number",)),
        ("cancella il numero del mio conto", "it", ("draw:account_number",)),
        ("apague o n\u00famero da minha conta", "pt", ("draw:account_number",)),
    ],
)
def test_what_is_named_beside_an_account(said: str, language: str, topics: tuple[str, ...]) -> None:
    """The preview says what goes and what stays, so that nothing goes unasked."""
    assert deletion_named(said, with_account_number(), language) == topics


#: Two things said to be deleted, of which one is all that somebody has.
ALL_AND_A_PART = {
    "en": (
        "delete my account and my phone number",
        "delete my phone number and my account",
        "delete my phone number and all my data",
        "Please delete my account, and my phone number.",
        "delete my account including my phone number",
        "delete the newsletter, my phone number and my account",
    ),
    "de": (
        "L\u00f6sche mein Konto und meine Telefonnummer",
        "bitte mein Konto und meine Telefonnummer l\u00f6schen",
        "L\u00f6sche meine Telefonnummer und alle meine Daten",
        "L\u00f6sche mein Konto samt Telefonnummer",
    ),
    "es": (
        "borra mi cuenta y mi n\u00famero de tel\u00e9fono",
        "borra mi n\u00famero de tel\u00e9fono y todos mis datos",
    ),
    "fr": (
        "supprimez mon compte et mon num\u00e9ro de t\u00e9l\u00e9phone",
        "supprimez mon num\u00e9ro de t\u00e9l\u00e9phone et toutes mes donn\u00e9es",
    ),
    "it": (
        "cancella il mio account e il mio numero di telefono",
        "cancella il mio numero di telefono e tutti i miei dati",
    ),
    "nl": ("verwijder mijn account en mijn telefoonnummer", "verwijder mijn telefoonnummer en al mijn gegevens"),
    "pt": ("apague a minha conta e o meu telefone", "apague o meu telefone e todos os meus dados"),
}


@pytest.mark.parametrize("language", sorted(ALL_AND_A_PART))
def test_the_larger_of_two_deletions_is_meant(language: str) -> None:
    """Who wants an account and a phone number deleted is shown all that is held, and not the phone number alone."""
    for known in (called(language), with_account_number(called(language))):
        for said in ALL_AND_A_PART[language]:
            found = deletion_of(said, (language,), known)
            assert found is not None, said
            assert (found.intent, found.topics) == ("privacy_delete", ()), said


@pytest.mark.parametrize(
    ("said", "topics"),
    [
        ("would you kindly get rid of my account and my phone number", ()),
        ("would you get rid of my phone number and all my data", ()),
        ("would you take my phone number out of my account", PHONE),
        ("would you get rid of my phone number and email", ("draw:email", "fitting:phone")),
    ],
)
def test_the_larger_of_two_guessed_deletions_is_meant(said: str, topics: tuple[str, ...]) -> None:
    """Where no wording is fixed, a part that names all that somebody has counts, alone or in other words."""
    assert deletion_named(said, called("en"), "en") == topics


def test_who_takes_back_a_consent_to_all_data_hints_at_no_purpose() -> None:
    """In Italian `dati`, all one's data, has the stem of `data`, the date of what a purpose is called by."""
    declared = called("it")
    draw = msgspec.structs.replace(declared.purposes["draw"], called={"it": "la data del concerto"})
    declared = msgspec.structs.replace(declared, purposes={**declared.purposes, "draw": draw})
    assert hinted_purpose("ritiro il consenso per i miei dati", declared, "it") == ()
    assert hinted_purpose("ritiro il consenso per la data", declared, "it") == ("draw",)


#: The newsletter and nothing else, politely.
POLITE = {
    "en": ("Newsletter please", "the newsletter, thank you"),
    "de": ("Newsletter bitte", "bitte den Newsletter", "den Newsletter, danke"),
    "es": ("el bolet\u00edn por favor", "el bolet\u00edn, gracias"),
    "fr": ("la lettre d'information s'il vous pla\u00eet", "la lettre d'information, merci"),
    "it": ("la newsletter per favore", "la newsletter, grazie"),
    "nl": ("de nieuwsbrief alstublieft", "de nieuwsbrief graag", "nieuwsbrief, dank u"),
    "pt": ("a newsletter por favor", "a newsletter, obrigado"),
}


@pytest.mark.parametrize("language", sorted(POLITE))
def test_a_purpose_is_chosen_politely(language: str) -> None:
    """After "which one?", the words of courtesy beside its name are not in the way; other words are."""
    known = called(language)
    for said in POLITE[language]:
        assert chosen_purposes(said, known, language, known.purposes) == NEWSLETTER, said
    for said in ("I want the newsletter", "quiero el bolet\u00edn", "ich will den Newsletter"):
        assert chosen_purposes(said, known, language, known.purposes) == (), said


#: A question that ends in the newsletter, as it may be said while a form asks for something else.
QUESTIONS = {
    "en": ("why do you need it for the newsletter?", "how long do you keep my data for the newsletter?"),
    "de": ("Warum f\u00fcr den Newsletter?", "Bis wann f\u00fcr den Newsletter?"),
    "es": ("\u00bfpor qu\u00e9 para el bolet\u00edn?", "\u00bfhasta cu\u00e1ndo para el bolet\u00edn?"),
    "fr": ("pourquoi pour la lettre d'information ?", "jusqu'\u00e0 quand pour la lettre d'information ?"),
    "it": ("perch\u00e9 per la newsletter?", "fino a quando per la newsletter?"),
    "nl": ("waarom voor de nieuwsbrief?", "tot wanneer voor de nieuwsbrief?"),
    "pt": ("por que para a newsletter?", "at\u00e9 quando para a newsletter?"),
}


@pytest.mark.parametrize("language", sorted(QUESTIONS))
def test_a_question_may_name_its_purpose(language: str) -> None:
    """The first of each language is "why", the second "how long"."""
    known = called(language)
    for said, intent in zip(QUESTIONS[language], ("privacy_why", "privacy_how_long"), strict=True):
        found = question_of(said, (language,), known, asked=True)
        assert found is not None, said
        assert (found.intent, found.topics) == (intent, NEWSLETTER)


def test_a_question_about_the_shops_own_goods_names_no_purpose() -> None:
    """Nor is "why the newsletter?" one about data, where nothing is asked."""
    known = called("en")
    assert question_of("why is the newsletter so long?", ("en",), known, asked=True) is None
    assert question_of("why the newsletter?", ("en",), known, asked=False) is None


def test_a_guessed_question_is_looked_through_for_names() -> None:
    """For the part of the answer that it is about."""
    assert named_topics("what on earth is my phone number for", called("en"), "en") == PHONE


#: Many marks and words such as "and", between which each part may be a request.
MANY_PARTS = ("delete my account and my phone", *["a"] * 90), ("get rid of my phone number", *["a"] * 1400)


@pytest.mark.parametrize("joint", [", ", " and "])
@pytest.mark.parametrize("parts", MANY_PARTS, ids=["300 characters", "4,000"])
def test_a_message_of_many_parts_is_read_no_longer_than_one_of_a_few(
    parts: tuple[str, ...], joint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody waits for it in the event loop, so what is looked for between its marks does not grow with them."""
    known, text, read = called("en"), joint.join(parts), list[str]()

    def counted(part: str, language: str) -> tuple[str, ...]:
        read.append(part)
        return words_of(part, language)

    monkeypatch.setattr(named_requests, "words_of", counted)
    deletion_named(text, known, "en")
    assert len(read) <= 15
    for reading in (deletion_of, both_of, beside_closing):
        reading(text[:300], ("en",), known)
    assert len(read) <= 500


@pytest.mark.parametrize("text", ["why do you need my email and who gets it?", "how long, and why?"])
def test_short_questions_are_two_while_a_question_of_ours_is_open(text: str) -> None:
    """They are about what is asked; elsewhere they may be about anything. A yes beside one of them is none."""
    found = both_of(text, ("en",), policy(), asked=True)
    assert found is not None
    assert {each.intent for each in found} < {"privacy_why", "privacy_who_sees", "privacy_how_long"}
    assert both_of(text, ("en",), policy()) is None
    assert both_of("yes, but who gets it?", ("en",), policy(), asked=True) is None
    assert both_of("yes, and why?", ("en",), policy(), asked=True) is None
