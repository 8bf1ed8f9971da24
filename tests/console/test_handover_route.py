"""People collect their copy by a link: looked at as often as they like, handed over once, nothing told to others."""

import io
import json
import logging
import zipfile
from dataclasses import replace

import msgspec
import pytest
import pyzipper
from starlette.applications import Starlette

from rasa_privacy.console.handover_route import handover_routes
from rasa_privacy.console.verbs import make_console
from rasa_privacy.dialogue.packs import available_languages
from rasa_privacy.dialogue.phrases import phrases_of
from rasa_privacy.policy.operations import HandOver
from rasa_privacy.rights.handover import offer
from rasa_privacy.storage.vault import Vault
from tests.support.asgi import Answer, Client
from tests.support.vaults import SENDER

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def bot(vault: Vault) -> Vault:
    """Return the store of a bot that hands copies over."""
    rules = HandOver(url="https://bot.example")
    return replace(vault, policy=msgspec.structs.replace(vault.policy, handover=rules))


@pytest.fixture
def polyglot(bot: Vault) -> Vault:
    """Return the store of a bot that speaks every language."""
    return replace(bot, policy=msgspec.structs.replace(bot.policy, languages=available_languages()))


@pytest.fixture
def client(bot: Vault) -> Client:
    """Return a client without a token, as everybody is."""
    return Client(make_console(bot))


def path_for(vault: Vault, language: str | None = None) -> str:
    """Return the path of a new link."""
    made = vault.database.transact(lambda conn: offer(vault, conn, SENDER, vault.clock(), language))
    return made.url.removeprefix("https://bot.example")


def press(client: Client, path: str, body: bytes = b"passphrase=") -> Answer:
    """Press the button."""
    return client.call("POST", path, [body], FORM)


def test_a_link_is_shown_and_then_handed_over_once(bot: Vault, client: Client) -> None:
    """A program that looks at links uses nothing up."""
    path = path_for(bot)
    for method in ("GET", "HEAD", "GET"):
        page = client.call(method, path, (), {})
        assert (page.status, b"Collect my data" in page.body) == (200, True)
    found = press(client, path)
    assert (found.status, found.headers["content-type"]) == (200, "application/zip")
    assert found.headers["content-disposition"] == 'attachment; filename="my-data.zip"'
    assert found.headers["cache-control"] == "no-store"
    with zipfile.ZipFile(io.BytesIO(found.body)) as packed:
        assert json.loads(packed.read("data.json"))["sender_id"] == SENDER
    again, shown = press(client, path), client.get(path)
    assert (again.status, shown.status) == (404, 404)
    assert again.body == shown.body


@pytest.mark.parametrize("token", ["x", "A" * 43, "%2e%2e", "<script>", "é"])
def test_a_link_that_is_none_looks_like_one_that_was_used(bot: Vault, client: Client, token: str) -> None:
    """And repeats nothing of it."""
    path = path_for(bot)
    press(client, path)
    for answer in (client.get(f"/collect/{token}"), press(client, f"/collect/{token}")):
        assert (answer.status, answer.body) == (404, client.get(path).body)


def test_the_file_is_encrypted_to_a_passphrase(bot: Vault, client: Client) -> None:
    """One that protects nothing is said to be so, and the link still works."""
    path = path_for(bot)
    refused = press(client, path, b"passphrase=short")
    assert refused.status == 422
    assert b"does not do: take four words" in refused.body
    assert b"<form" in refused.body
    sealed = press(client, path, b"passphrase=correct+horse+battery+staple").body
    with pyzipper.AESZipFile(io.BytesIO(sealed)) as packed:
        packed.setpassword(b"correct horse battery staple")
        assert b"Ana Li" in packed.read("data.json")
    assert b"Ana" not in sealed


def test_nothing_of_a_link_is_logged(bot: Vault, client: Client, caplog: pytest.LogCaptureFixture) -> None:
    """Neither secret nor person."""
    caplog.set_level(logging.DEBUG)
    path = path_for(bot)
    client.get(path)
    press(client, path)
    assert path.rpartition("/")[2] not in caplog.text
    assert SENDER not in caplog.text
    assert "collect: POST 200" in caplog.text


def test_a_page_runs_nothing(bot: Vault, client: Client) -> None:
    """No script, no frame, no other place for the form."""
    policy = client.get(path_for(bot)).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert "frame-ancestors 'none'" in policy


def test_a_long_or_strange_body_is_refused(bot: Vault, client: Client) -> None:
    """And the link still works."""
    path = path_for(bot)
    assert press(client, path, b"passphrase=" + b"a" * 5000).status == 413
    assert press(client, path, b"a=1&b=2&c=3&d=4&e=5&f=6").status in {400, 422}
    assert press(client, path, b"\xff\xfe=%").status == 200
    assert client.call("DELETE", path, [], {}).status == 405


def test_without_a_handover_there_is_no_such_page(vault: Vault) -> None:
    """Links of before lead nowhere."""
    assert handover_routes(vault) == []
    assert Client(make_console(vault)).get("/collect/x").status == 404
    assert isinstance(make_console(vault), Starlette)


@pytest.mark.parametrize("language", available_languages())
def test_the_page_is_in_the_language_of_the_conversation(polyglot: Vault, language: str) -> None:
    """Also where the browser asks for another; of what is no link, and of what was refused, too."""
    client, path, phrases = Client(make_console(polyglot)), path_for(polyglot, language), phrases_of(language)
    shown = client.get(path, {"accept-language": "ja, en;q=0.1"})
    assert f'<html lang="{language}">' in shown.body.decode()
    assert shown.headers["content-language"] == language
    assert phrases.html("collect_button") in shown.body.decode()
    assert phrases.html("collect_weak", count="14") in press(client, path, b"passphrase=short").body.decode()
    assert press(client, path).status == 200
    assert phrases.html("collect_gone") in client.get(path).body.decode()
    assert phrases.html("collect_wrong_form") in press(client, path, b"a" * 5000).body.decode()


def test_a_link_without_a_language_takes_that_of_the_browser(polyglot: Vault) -> None:
    """And a strange one breaks nothing."""
    client, path = Client(make_console(polyglot)), path_for(polyglot)
    assert '<html lang="pt">' in client.get(path, {"accept-language": "pt-PT, en;q=0.5"}).body.decode()
    for strange in (f"{path}?l=%3Cscript%3E", f"{path}?l=xx&l=yy", f"{path}?l=", f"{path}?x=1"):
        found = client.get(strange, {"accept-language": "\xff;q=1, <script>"})
        assert (found.status, b"<script" in found.body) == (200, False)
