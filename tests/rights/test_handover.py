"""A link hands a copy over once, for a while, and to who has it alone."""

import io
import json
import threading
import zipfile
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from rasa_privacy.access.admission import admit_local
from rasa_privacy.access.permit import issue
from rasa_privacy.errors import AccessError, PassphraseError, RequestError
from rasa_privacy.policy.operations import HandOver, Identity
from rasa_privacy.rights.erasure import erase
from rasa_privacy.rights.handover import collect, is_live, offer, offer_by_staff
from rasa_privacy.rights.identity import ask, prove, remember
from rasa_privacy.storage import requests
from rasa_privacy.storage.tables import handovers
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import EACH_KIND
from tests.support.vaults import SENDER, Clock, evidence, give, grant, settings_in

each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)


@pytest.fixture
def bot(vault: Vault) -> Vault:
    """Return the store of a bot that hands copies over, and a person in it."""
    grant(vault, "draw")
    give(vault, {"draw": {"full_name": "Ana Li"}}, events=3)
    rules = HandOver(url="https://bot.example/privacy/", valid_for="24 hours")
    return replace(vault, policy=msgspec.structs.replace(vault.policy, handover=rules))


def link_for(vault: Vault, sender: str = SENDER) -> str:
    """Return the token of a new link."""
    made = vault.database.transact(lambda conn: offer(vault, conn, sender, vault.clock()))
    assert made.url.startswith("https://bot.example/privacy/collect/")
    assert made.url not in repr(made)
    return made.url.rpartition("/")[2]


def opened(chunks: Any) -> Any:
    """Return the document in a zip."""
    with zipfile.ZipFile(io.BytesIO(b"".join(chunks))) as packed:
        return json.loads(packed.read("data.json"))


def has_linked(chunks: Any) -> bool:
    """Return whether a zip has the copy of a linked conversation."""
    with zipfile.ZipFile(io.BytesIO(b"".join(chunks))) as packed:
        return "data-2.json" in packed.namelist()


def state(vault: Vault) -> tuple[str, str]:
    """Return kind and state of the newest request."""
    with vault.database.read() as conn:
        found = list(requests.iterate(conn))[-1]
    return found.kind, found.state


@each_kind
def test_a_link_works_once(bot: Vault) -> None:
    """Looking at it does not use it; the request is done when it was collected."""
    token = link_for(bot)
    assert state(bot) == ("portability", "received")
    assert is_live(bot, token, bot.clock())
    assert is_live(bot, token, bot.clock())
    assert opened(collect(bot, token, None, bot.clock()))["data"][0]["value"] == "Ana Li"
    assert state(bot) == ("portability", "done")
    assert not is_live(bot, token, bot.clock())
    with pytest.raises(RequestError, match="used already"):
        collect(bot, token, None, bot.clock())
    with bot.database.read() as conn:
        assert [entry.record.verb for entry in bot.audit.entries(conn)] == ["export"]


@each_kind
def test_a_link_ends(bot: Vault, clock: Clock) -> None:
    """By its time, by a new one, and with the person."""
    token = link_for(bot)
    assert not is_live(bot, token, clock() + timedelta(hours=24))
    with pytest.raises(RequestError):
        collect(bot, token, None, clock() + timedelta(hours=24))
    second = link_for(bot)
    with pytest.raises(RequestError):
        collect(bot, token, None, clock())
    assert erase(bot, SENDER, evidence(bot)) is not None
    with pytest.raises(RequestError):
        collect(bot, second, None, clock())
    with bot.database.read() as conn:
        assert conn.execute(handovers.select()).all() == []
    with pytest.raises(RequestError, match="nothing is stored"):
        link_for(bot)


@pytest.mark.parametrize(
    "token", ["", "x", "../../etc/passwd", "A" * 43, "A" * 42 + "é", "' OR 1=1 --", "\ud800", "\0", "A" * 100_000]
)
def test_a_token_that_is_none_opens_nothing(bot: Vault, token: str) -> None:
    """And says the same as one that was used."""
    link_for(bot)
    with pytest.raises(RequestError, match="not valid, was used already, or is over"):
        collect(bot, token, None, bot.clock())


def test_nothing_of_a_link_is_in_the_database(bot: Vault) -> None:
    """Who reads it cannot use one."""
    token = link_for(bot)
    with bot.database.read() as conn:
        (row,) = conn.execute(handovers.select()).all()
    assert token.encode() not in bytes(row.token_hash)
    assert len(row.token_hash) == 32


@each_kind
def test_of_two_at_once_one_gets_it(bot: Vault) -> None:
    """Whoever is first; the other gets nothing."""
    token, got = link_for(bot), list[str]()
    barrier = threading.Barrier(2)

    def press() -> None:
        barrier.wait()
        try:
            collect(bot, token, None, bot.clock())
            got.append("copy")
        except RequestError:
            got.append("nothing")

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == ["copy", "nothing"]


def test_a_passphrase_that_protects_nothing_does_not_use_the_link(bot: Vault) -> None:
    """The person types a better one."""
    token = link_for(bot)
    with pytest.raises(PassphraseError):
        collect(bot, token, "short", bot.clock())
    assert b"Ana" not in b"".join(collect(bot, token, "correct horse battery staple", bot.clock()))


def test_the_copy_holds_all_linked_conversations(bot: Vault) -> None:
    """A file for each."""
    both = replace(bot, policy=msgspec.structs.replace(bot.policy, identity=Identity()))
    subject_id = grant(both, "newsletter", sender="web")
    give(both, {"newsletter": {"email": "ana@example.com"}}, sender="web")
    entries = {"newsletter": [[0, [], "email", "ana@example.com"]]}
    both.database.transact(lambda conn: remember(both, conn, subject_id, entries))
    code = both.database.transact(lambda conn: ask(both, conn, SENDER, "ana@example.com", both.clock()))
    assert prove(both, SENDER, code, both.clock()) == 1
    with zipfile.ZipFile(io.BytesIO(b"".join(collect(both, link_for(both), None, both.clock())))) as packed:
        assert json.loads(packed.read("data.json"))["sender_id"] == SENDER
        assert json.loads(packed.read("data-2.json"))["data"][0]["value"] == "ana@example.com"


def test_a_link_without_a_proof_that_counts_holds_its_conversation_alone(bot: Vault, clock: Clock) -> None:
    """Also where one counts again by the time it is collected: whoever has the link need not be who gave that."""
    both = replace(bot, policy=msgspec.structs.replace(bot.policy, identity=Identity(proof_lasts="30 minutes")))
    other = grant(both, "draw", sender="other")
    give(both, {"draw": {"email": "ana@example.com"}}, sender="other")
    both.database.transact(lambda conn: remember(both, conn, other, {"draw": [[0, [], "email", "ana@example.com"]]}))
    early = link_for(both)
    for _ in range(2):
        code = both.database.transact(lambda conn: ask(both, conn, SENDER, "ana@example.com", both.clock()))
        assert prove(both, SENDER, code, both.clock()) == 1
        assert is_live(both, early, clock())
        assert not has_linked(collect(both, early, None, clock()))
        clock.advance(hours=1)
        early = link_for(both)
    by_staff = offer_by_staff(both, SENDER, admit_local(both, "export"))
    assert has_linked(collect(both, by_staff.token, None, clock()))


def test_staff_make_a_link_for_whole_copies_alone(bot: Vault) -> None:
    """And it is recorded; without `handover:` they hand the file over themselves."""
    made = offer_by_staff(bot, SENDER, admit_local(bot, "export"))
    assert made.expires_at == bot.clock() + timedelta(hours=24)
    for wrong in (
        admit_local(bot, "view"),
        issue(operator="e", role="r", verb="export", reason="x", items=frozenset({"email"}), purposes=None, clear=True),
    ):
        with pytest.raises(AccessError):
            offer_by_staff(bot, SENDER, wrong)
    plain = replace(bot, policy=msgspec.structs.replace(bot.policy, handover=None))
    with pytest.raises(RequestError, match="subject export"):
        offer_by_staff(plain, SENDER, admit_local(plain, "export"))


def test_a_link_outlives_the_process_that_made_it(bot: Vault, tmp_path: Any, clock: Clock) -> None:
    """Another one, such as the API's, hands the copy over; one that was killed after the use does not do it twice."""
    token = link_for(bot)
    other = open_vault(settings_in(tmp_path), clock)
    chunks = collect(other, token, None, clock())
    other.close()
    del chunks
    with pytest.raises(RequestError):
        collect(bot, token, None, clock())


@pytest.mark.parametrize(
    "url", ["http://bot.example", "ftp://x", "https://u:p@bot.example", "https://bot.example?x=1", "bot.example"]
)
def test_a_link_goes_over_tls(url: str) -> None:
    """Or to this machine, for a trial."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"url": url}, HandOver)
    assert msgspec.convert({"url": "http://127.0.0.1:8081/x"}, HandOver).valid_for == "24 hours"
