"""The page of a certificate: in each language, all of it, nothing of the person, and no word of it can be changed."""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.consent.ledger import Evidence
from rasa_privacy.dialogue.packs import available_languages
from rasa_privacy.dialogue.phrases import Phrases, phrases_of
from rasa_privacy.errors import SignatureError
from rasa_privacy.retention.sweep import sweep
from rasa_privacy.rights.certificate_files import open_certificate, page_file
from rasa_privacy.rights.certificate_page import certificate_page
from rasa_privacy.rights.certificates import certificate, language_of
from rasa_privacy.rights.erasure import erase
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.parts import delete_part
from tests.support.vaults import BY_LAW, PRIVACY, SENDER, Clock, evidence, give, grant, settings_in

#: All states of another system, and everything that may stay.
ANSWERS = {"crm": "done", "mails": "nothing_held", "shop": "failed", "<b>new</b>": "pending"}
LANGUAGES = available_languages()


@pytest.fixture
def vault(tmp_path: Path, clock: Clock) -> Iterator[Vault]:
    """Return a store of a bot in two languages, of which the law keeps something."""
    settings = settings_in(tmp_path)
    text = PRIVACY.replace("version: 1\n", "version: 1\nlanguages: [en, de]\n").replace(
        "full_name: {slot: full_name,", "full_name: {slot: full_name, called: {en: your name, de: Ihr Name},"
    )
    text = re.sub(r"\{en: (to [^}]*)\}", r"{en: \1, de: um X zu tun}", text)
    law = BY_LAW.replace("{en: to keep the books}", "{en: to keep the books, de: um Bücher zu führen}")
    law = law.replace("{en: tax law}", "{en: tax law, de: Steuerrecht}")
    settings.privacy.write_text(text + law, encoding="utf-8")
    with closing(open_vault(settings, clock)) as opened:
        yield opened


def whole(vault: Vault, language: str = "en") -> dict[str, Any]:
    """Return the certificate of a person who wrote in a language and was erased, of whom the law keeps a name."""
    grant(vault, "draw", "newsletter")
    values = {"full_name": "Ana Li", "email": "ana@example.com"}
    give(vault, {"draw": values, "newsletter": {}, "books": {"full_name": "Ana Li"}})
    done = erase(vault, SENDER, replace(evidence(vault), language=language))
    assert done is not None
    return certificate(vault, done.number, vault.clock())


def every_kind(vault: Vault, clock: Clock, sql: Any) -> list[dict[str, Any]]:
    """Return a certificate of each kind: whole, of a part, of what was damaged, and of what retention removed."""
    made = [{**whole(vault), "other_systems": ANSWERS}]
    give(vault, {}, events=2)
    done = erase(vault, SENDER, evidence(vault))
    assert done is not None
    made.append(certificate(vault, done.number, clock()))
    for damage in ("SELECT 1", "UPDATE conversations SET manifest = X'00'"):
        grant(vault, "draw")
        give(vault, {"draw": {"email": "ana@example.com"}})
        sql(damage)
        part = delete_part(vault, SENDER, ["email"], [], evidence(vault))
        assert part is not None
        made.append(certificate(vault, part.certificate.number, clock()))
        erase(vault, SENDER, evidence(vault))
    grant(vault, "draw")
    give(vault, {"draw": {"email": "ana@example.com"}})
    clock.advance(days=400)
    sweep(vault, clock(), trusted=True)
    with vault.database.read() as conn:
        (last,) = [each for each in vault.erasures.since(conn, None) if not each.counts]
    return [*made, certificate(vault, last.certificate, clock())]


def test_it_says_all_and_every_phrase_is_needed(vault: Vault, clock: Clock, sql: Any) -> None:
    """In each language, with no variable left open; what the document names is shown as text."""
    made = every_kind(vault, clock, sql)
    for language in LANGUAGES:
        pages = [certificate_page(vault.policy, each, language) for each in made]
        unescaped = "\n".join(pages)
        assert not re.search(r"\{\w+\}", re.sub(r"<style>.*?</style>", "", unescaped, flags=re.DOTALL))
        for name in phrases_of(language).texts:
            if name.startswith("erasure_"):
                words = re.split(r"\{\w+\}", phrases_of(language).html(name))
                assert all(word in unescaped for word in words), (language, name)
        assert "<b>new</b>" not in unescaped
        assert "&lt;b&gt;new&lt;/b&gt;" in unescaped
        assert all(each["certificate"] in page for each, page in zip(made, pages, strict=True))


def test_it_shows_values_keys_and_what_the_law_keeps_by_their_names(vault: Vault) -> None:
    """What people call an item and a purpose, and the law as privacy.yml names it in that language."""
    made = whole(vault)
    page = certificate_page(vault.policy, made, "de")
    draw = next(each for each in made["destroyed"]["purposes"] if each["purpose"] == "draw")
    row = re.search(r"<tr>[^\n]*Ihr Name[^\n]*</tr>", page)
    assert row is not None
    assert draw["data_key"] in row[0]
    assert "<span>1</span>" in row[0]
    assert "Steuerrecht" in page
    assert "tax law" not in page
    assert 'lang="de"' in page
    assert 'lang="en"' in certificate_page(vault.policy, made, "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_word_of_it_is_signed(vault: Vault, language: str) -> None:
    """And it holds nothing of the person: no value, no sender id, no random id of theirs."""
    made, key = whole(vault), vault.signer.key.public()
    raw = page_file(vault, made, language)
    opened = open_certificate(raw, key)
    assert opened.items() >= made.items()
    assert opened["language"] == language
    for secret in (SENDER, "Ana", "ana@example.com"):
        assert secret not in raw.decode()
    for match in list(re.finditer(rb">([^<>]{4,})<", raw))[2::5]:
        changed = raw[: match.start(1)] + b"another" + raw[match.end(1) :]
        with pytest.raises(SignatureError):
            open_certificate(changed, key)
    for changed in (raw + b"\n", raw.replace(b"</body>", b"<p>more</p></body>"), raw.replace(b"<h1>", b"<h1>ER ")):
        with pytest.raises(SignatureError):
            open_certificate(changed, key)


def test_the_token_of_one_page_proves_no_other(vault: Vault) -> None:
    """Neither one in another language nor the JSON's; nor does a page with an empty place for it."""
    made, key = whole(vault), vault.signer.key.public()
    german, english = page_file(vault, made, "de"), page_file(vault, made, "en")
    token = re.compile(rb'(id="certificate">)([^<]*)')
    found = token.search(german)
    assert found is not None
    for changed in (token.sub(rb"\g<1>" + found[2], english), token.sub(rb"\g<1>", german)):
        with pytest.raises(SignatureError):
            open_certificate(changed, key)


def test_a_better_translation_makes_no_page_of_before_invalid(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written stays what was signed."""
    made, key = whole(vault), vault.signer.key.public()
    before = page_file(vault, made, "de")
    monkeypatch.setattr(Phrases, "html", lambda _self, name, **_variables: f"[{name}]")
    assert page_file(vault, made, "de") != before
    assert open_certificate(before, key)["certificate"] == made["certificate"]


@pytest.mark.parametrize(("said", "page"), [("de", "de"), ("en", "en"), ("fr", "en")])
def test_the_language_is_that_in_which_they_asked(vault: Vault, said: str, page: str) -> None:
    """Of a part too; one that privacy.yml has no more gives way to the bot's first."""
    grant(vault, "draw", "newsletter")
    give(vault, {"draw": {"email": "ana@example.com"}, "newsletter": {"email": "ana@example.com"}})
    asking = replace(evidence(vault), language=said)
    part = delete_part(vault, SENDER, [], ["newsletter"], asking)
    assert part is not None
    assert language_of(vault, part.certificate.number) == page
    done = erase(vault, SENDER, asking)
    assert done is not None
    assert language_of(vault, done.number) == page


def test_what_staff_did_counts_for_no_language(vault: Vault) -> None:
    """The person spoke German, and staff who erase them say nothing in the chat."""
    grant(vault, "draw")
    give(vault, {"draw": {"email": "ana@example.com"}})
    part = delete_part(vault, SENDER, ["email"], [], Evidence("button", "rest", "de", vault.clock()))
    assert part is not None
    done = erase(vault, SENDER, Evidence("outside", "command line", "en", vault.clock()))
    assert done is not None
    assert language_of(vault, done.number) == "de"


def test_a_ledger_that_does_not_verify_stops_no_certificate(vault: Vault, sql: Any) -> None:
    """The page is in the bot's first language then."""
    made = whole(vault, "de")
    sql("UPDATE ledger_kinds SET language = 'xx'")
    assert language_of(vault, made["certificate"]) == "en"
