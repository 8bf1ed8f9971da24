"""The copy for a person: whole, in pieces, readable, and nothing but text whatever was typed."""

import html
import io
import json
import re
import tracemalloc
import zipfile
from dataclasses import replace

import jsonschema
import msgspec
import pytest
import pyzipper

from rasa_privacy.access.admission import admit_local
from rasa_privacy.consent.collected import Collected, import_all
from rasa_privacy.consent.imported import ImportedGrant
from rasa_privacy.consent.ledger import Evidence
from rasa_privacy.dialogue.packs import available_languages
from rasa_privacy.dialogue.phrases import phrases_of
from rasa_privacy.errors import ConversationConflictError, PassphraseError, PrivacyError
from rasa_privacy.rights import requests, staff_access, staff_rectification, standing
from rasa_privacy.rights.copy_page import page
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.portability import Copy, copy_chunks, copy_of, personal_data, schema
from rasa_privacy.rights.rectification import Right, put_right
from rasa_privacy.storage.vault import Vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import SENDER, Clock, evidence, give, grant, notice_of

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)
WORDS = "correct horse battery staple"
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><script>alert(1)</script>",
    "../../etc/passwd",
    "<!--",
    "javascript:alert(1)",
    "\u202egpj.exe",
    "a\x00b",
]


def copied(vault: Vault) -> Copy:
    """Return the person's copy."""
    made = copy_of(vault, SENDER, vault.clock())
    assert made is not None
    return made


def packed(made: Copy, passphrase: str | None = None) -> bytes:
    """Return the zip of a copy."""
    return b"".join(copy_chunks([made], passphrase))


def talk(vault: Vault, text: str, sessions: int = 1, events: int = 1) -> None:
    """Store sessions of messages with this text, of which each holds it as a value too."""
    now = vault.clock()
    with vault.database.write() as conn:
        for _ in range(sessions):
            version, seq = vault.conversations.head(conn, SENDER)
            said = [{"event": "user", "timestamp": now.timestamp(), "text": None} for _ in range(events)]
            values = {"draw": [[seq + number, ["text"], "full_name", text] for number in range(events)]}
            vault.conversations.append(conn, SENDER, version, said, values, [0], now)


@each_kind
def test_all_sessions_are_in_it_in_their_order(vault: Vault) -> None:
    """Also where they are read in more than one piece; the document follows its schema."""
    grant(vault, "draw")
    for number in range(7):
        talk(vault, f"Ana {number}", events=150)
    made = copied(vault)
    with zipfile.ZipFile(io.BytesIO(packed(made))) as files:
        assert files.testzip() is None
        data = json.loads(files.read("data.json"))
        page = files.read("data.html").decode()
    jsonschema.validate(data, json.loads(schema()), jsonschema.Draft202012Validator)
    assert [event["text"] for event in data["conversation"]] == [f"Ana {n}" for n in range(7) for _ in range(150)]
    assert data == made.whole() == personal_data(vault, SENDER, vault.clock())
    assert [each["value"] for each in data["data"]] == ["Ana 6"]
    assert data["data"][0]["source"] == "said"
    assert page.count("<li class=user>") == made.event_count == 1050


def test_a_copy_says_where_each_value_came_from(vault: Vault, clock: Clock) -> None:
    """As the answer in the chat does (GDPR Art. 15(1)(g)): said, corrected, entered by staff, or imported."""
    subject_id = grant(vault, "draw")
    give(vault, {"draw": {"full_name": "Ana Li", "email": "old@b.example", "postcode": "123"}})
    clock.advance(minutes=1)
    staff_rectification.rectify(vault, SENDER, "full_name", "Ana Lee", admit_local(vault, "rectify"))
    right = Right("email", "new@b.example", ("draw",))
    vault.database.transact(lambda conn: put_right(vault, conn, SENDER, subject_id, right, vault.clock()))
    made = copied(vault)
    found = {each["item"]: each["source"] for each in made.facts["data"]}
    assert found == {"full_name": "staff", "email": "corrected", "postcode": "said"}
    jsonschema.validate(made.whole(), json.loads(schema()), jsonschema.Draft202012Validator)
    shown = b"".join(page(made.facts, made.events(), phrases_of(made.language), made.called)).decode()
    assert "entered by staff on" in shown
    assert "corrected by you on" in shown
    grant(vault, "newsletter")
    give(vault, {"newsletter": {"email": "new@b.example"}})
    clock.advance(days=1)
    line = Collected(SENDER, ImportedGrant("newsletter", notice_of(vault.policy, "newsletter"), clock.now))
    vault.database.transact(lambda conn: import_all(vault, conn, [line], clock.now))
    made = copied(vault)
    assert {each["source"] for each in made.facts["data"] if each["purpose"] == "newsletter"} == {"imported"}
    jsonschema.validate(made.whole(), json.loads(schema()), jsonschema.Draft202012Validator)
    shown = b"".join(page(made.facts, made.events(), phrases_of(made.language), made.called)).decode()
    assert "from an earlier consent of yours" in shown


def test_nobody_has_no_copy(vault: Vault) -> None:
    """And none is made."""
    assert personal_data(vault, "nobody", vault.clock()) is None


@pytest.mark.parametrize("text", HOSTILE)
def test_a_page_shows_what_was_typed_as_text(vault: Vault, text: str) -> None:
    """In a value, a message and a sender id; no name of a file comes from it."""
    grant(vault, "draw")
    talk(vault, text)
    with zipfile.ZipFile(io.BytesIO(packed(copied(vault)))) as files:
        page = files.read("data.html").decode()
        assert files.namelist() == ["data.json", "data.html", "personal_data.schema.json"]
    shown = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    assert page.count(shown) >= 2
    assert "<script" not in page
    assert "<img" not in page
    assert page.count("<!--") == 0
    assert "default-src 'none'" in page
    assert '<td data-name="when">' in page  # where a phone has no room for a head of columns


def go_on_in(vault: Vault, language: str) -> None:
    """Let the conversation go on in a language, in a session of its own."""
    with vault.database.write() as conn:
        version, _ = vault.conversations.head(conn, SENDER)
        slot = {"event": "slot", "timestamp": 1.0, "name": "privacy_language", "value": language}
        vault.conversations.append(conn, SENDER, version, [slot], {}, [0], vault.clock())


@pytest.mark.parametrize("language", available_languages())
def test_a_page_is_in_the_language_of_the_conversation(vault: Vault, language: str) -> None:
    """No heading, choice, kind or state of another language is in it; dates are written as its readers write them."""
    policy = msgspec.structs.replace(vault.policy, languages=("en", *available_languages()))
    bot = replace(vault, policy=policy)
    subject_id = grant(bot, "draw", "newsletter")
    talk(bot, "Ana Li", events=2)
    bot.database.transact(lambda conn: standing.do_not_sell(bot, conn, subject_id, evidence(bot)))
    bot.database.transact(lambda conn: standing.restrict(bot, conn, subject_id, ["draw"], evidence(bot), lift=False))
    bot.database.transact(lambda conn: requests.open_request(bot, conn, "erasure", subject_id, bot.clock()))
    go_on_in(bot, language)
    made, phrases = copied(bot), phrases_of(language)
    shown = b"".join(page(made.facts, made.events(), phrases_of(made.language), made.called)).decode()
    assert f'<html lang="{language}">' in shown
    assert phrases.day(bot.clock()) in html.unescape(shown)
    for name in ("page_held", "choice_granted", "choice_refused", "request_erasure", "state_received", "page_you"):
        assert phrases.html(name) in shown, name
    assert phrases.say("request_restriction") in html.unescape(shown)
    own = set(phrases.texts.values())
    for name, text in phrases_of("en").texts.items():
        if name.startswith(("page_", "choice_", "state_", "source_")) and len(text) > 6 and text not in own:
            parts = [part for part in re.split(r"\{\w+\}", text) if len(part) > 6]
            assert not any(html.escape(part) in shown for part in parts), name


def test_a_page_without_a_language_is_in_the_first(vault: Vault) -> None:
    """As are conversations of before; the latest language counts."""
    grant(vault, "draw")
    talk(vault, "Ana Li")
    assert copied(vault).language == "en"
    bot = replace(vault, policy=msgspec.structs.replace(vault.policy, languages=("en", "de", "fr")))
    for language in ("de", "fr"):
        go_on_in(bot, language)
        assert copied(bot).language == language
    talk(bot, "Ana Li", events=1)
    assert copied(bot).language == "fr"


def test_a_copy_under_a_passphrase_opens_with_it_alone(vault: Vault) -> None:
    """No byte of it can be read without; the wrong one opens nothing."""
    grant(vault, "draw")
    talk(vault, "Ana Li")
    sealed = packed(copied(vault), WORDS)
    assert b"Ana" not in sealed
    with pyzipper.AESZipFile(io.BytesIO(sealed)) as files:
        files.setpassword(WORDS.encode())
        assert json.loads(files.read("data.json"))["data"][0]["value"] == "Ana Li"
        assert all(info.wz_aes_strength == 3 and info.flag_bits & 1 for info in files.infolist())
        files.setpassword(b"correct horse battery stapler")
        with pytest.raises(RuntimeError):
            files.read("data.json")


@pytest.mark.parametrize("text", ["", "short", "aaaaaaaaaaaaaaaaaaaaaaa", "x1y2z3" * 30, "1234567890123"])
def test_a_passphrase_that_protects_nothing_is_refused(text: str) -> None:
    """And the message does not repeat it."""
    from rasa_privacy.crypto.archive import checked_passphrase  # noqa: PLC0415 - used here alone

    with pytest.raises(PassphraseError) as caught:
        checked_passphrase(text)
    assert not text or text not in str(caught.value)
    assert checked_passphrase(WORDS) == WORDS


def test_a_long_history_is_copied_in_bounded_memory(vault: Vault) -> None:
    """Ten times the events take nowhere near ten times the memory."""
    grant(vault, "draw")

    def peak() -> int:
        tracemalloc.start()
        size = sum(map(len, copy_chunks([copied(vault)])))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert size > 1000
        return most

    talk(vault, "Ana Li", sessions=5, events=100)
    copied(vault)  # what is loaded once
    few = peak()
    talk(vault, "Ana Li", sessions=45, events=100)
    assert copied(vault).event_count == 5000
    assert peak() < 2 * few


def test_a_copy_of_who_is_erased_meanwhile_breaks_off(vault: Vault) -> None:
    """What was not read yet cannot be read any more."""
    grant(vault, "draw")
    talk(vault, "Ana Li", sessions=12, events=100)
    events = copied(vault).events()
    next(events)
    erase(vault, SENDER, Evidence("button", "rest", "en", vault.clock()))
    assert len(list(events)) < 600


def test_a_conversation_that_was_emptied_meanwhile_is_not_mixed(vault: Vault) -> None:
    """A piece of the new one is no continuation of the old one."""
    grant(vault, "draw")
    talk(vault, "Ana Li", sessions=12, events=100)
    events = copied(vault).events()
    next(events)
    with vault.database.write() as conn:
        vault.conversations.clear(conn, SENDER)
    talk(vault, "Bo", sessions=1, events=2000)
    with pytest.raises(ConversationConflictError):
        list(events)


def test_staff_hand_out_the_same_copy(vault: Vault, clock: Clock) -> None:
    """Recorded as an answered request; what was begun is counted."""
    grant(vault, "draw")
    give(vault, {"draw": {"full_name": "Ana Li"}}, events=50)
    clock.advance(minutes=1)
    (made,) = staff_access.hand_out(vault, SENDER, admit_local(vault, "export"))
    assert (len(made.facts["data"]), made.event_count) == (1, 50)
    (again,) = staff_access.hand_out(vault, SENDER, admit_local(vault, "export"))
    assert again.facts["requests"][0]["kind"] == "portability"
    assert issubclass(PassphraseError, PrivacyError)
