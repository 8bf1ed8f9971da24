"""An operator whose role may nothing is refused by every command that asks, and told the same of everybody."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from rasa_privacy.cli import main
from rasa_privacy.storage.vault import open_vault
from tests.support.operators import cheap_hashes
from tests.support.stock import OldStore, conversation
from tests.support.vaults import SENDER, give, grant, privacy_text, settings_in

__all__ = ["cheap_hashes"]
pytestmark = pytest.mark.usefixtures("cheap_hashes")

MORE = """\
roles:
  dpo: {items: all, may: all, values: clear}
  idle: {items: all, may: []}
identity: {}
import: {without_consent: drop}
training: {course: data-handling}
erasure: {stock_tables: [{name: old, url: "sqlite:///rasa.db"}]}
"""
REFUSAL = re.compile(r"may '\w+'; privacy.yml says|course 'data-handling' was never passed")
_PERSON = ("--sender-stdin",)
_NUMBER = ("RQ-S0YZ-7V55-P8SS",)
_TIMES = ("--since", "2020-01-01", "--until", "2030-01-01")

#: What each command is given; every command with --reason is here.
GIVEN: dict[str, tuple[str, ...]] = {
    "import": ("--from", "sqlite:///rasa.db"),
    "keys end-epoch": ("1", "--yes"),
    "keys replay-erasures": (),
    "keys rotate": (),
    "consent export": ("out.jsonl",),
    "consent history": _PERSON,
    "consent import": ("lines.jsonl",),
    "consent receipt": (*_PERSON, "--purpose", "draw"),
    "consent revoke": (*_PERSON, "--yes"),
    "consent show": _PERSON,
    "audience": ("--purpose", "newsletter"),
    "audit export": ("-",),
    "audit review": (),
    "audit show": (),
    "operator add": ("eve", "--role", "dpo"),
    "operator list": (),
    "operator revoke": ("olga",),
    "operator token": ("ida",),
    "training report": (),
    "suppression add": ("--sender",),
    "suppression check": ("--sender",),
    "suppression import": (),
    "suppression remove": ("--sender", "--yes"),
    "subject erase": _PERSON,
    "subject export": (*_PERSON, "--out", "copy.zip"),
    "subject find": _PERSON,
    "subject link": _PERSON,
    "subject rectify": (*_PERSON, "--item", "email", "--yes"),
    "subject restrict": _PERSON,
    "subject show": _PERSON,
    "old-tables purge": (*_PERSON, "--yes"),
    "old-tables show": (),
    "requests acknowledge": _NUMBER,
    "requests complete": _NUMBER,
    "requests deliver": (),
    "requests extend": (*_NUMBER, "--because", "complexity", "--told"),
    "requests identity": (*_NUMBER, "--asked"),
    "requests list": (),
    "requests open": ("--kind", "access", *_PERSON),
    "requests refuse": (*_NUMBER, "--because", "excessive", "--told"),
    "requests show": _NUMBER,
    "requests take": _NUMBER,
    "identity index": (),
    "hold add": (*_PERSON, "--for", "case-1"),
    "hold list": (),
    "hold release": (*_PERSON, "--for", "case-1"),
    "rights certificate": ("ER-S0YZ-7V55-P8SS",),
    "messages export": (),
    "retention explain": _PERSON,
    "retention plan": (),
    "retention run": (),
    "review acknowledge": ("review.json",),
    "review make": (),
    "review show": (),
    "report": (),
    "status": (),
    "breach scope": _TIMES,
}


def asking(group: click.Group, context: click.Context, path: str = "") -> Iterator[str]:
    """Yield the commands that have the option --reason."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from asking(command, context, f"{path}{name} ")
        elif any("--reason" in each.opts for each in getattr(command, "params", ())):
            yield f"{path}{name}"


@pytest.fixture
def bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a bot that somebody talked to, with an operator whose role may nothing, as who runs this."""
    vault = open_vault(settings_in(tmp_path))
    grant(vault, "draw", "newsletter")
    give(vault, {"draw": {"email": "ana@x.example"}})
    vault.close()
    (tmp_path / "privacy.yml").write_text(privacy_text() + MORE)
    (tmp_path / "config.yml").write_text("pipeline: []\n")
    (tmp_path / "domain.yml").write_text("slots: {}\n")
    (tmp_path / "endpoints.yml").write_text(
        "tracker_store:\n  type: rasa_privacy.EncryptedTrackerStore\n  url: sqlite:///c.db\n"
        "  keys: {provider: file, path: keys}\n  privacy: privacy.yml\n"
    )
    (tmp_path / "lines.jsonl").write_text("")
    (tmp_path / "review.json").write_text("{}")
    OldStore(tmp_path / "rasa.db").add("of old", *conversation())
    monkeypatch.delenv("RASA_PRIVACY_ENDPOINTS", raising=False)
    monkeypatch.chdir(tmp_path)
    tokens: dict[str, str] = {}
    for name, role in (("olga", "dpo"), ("ida", "idle")):
        monkeypatch.setenv("RASA_PRIVACY_TOKEN", tokens.get("olga", ""))
        tokens[name] = CliRunner().invoke(main, ["operator", "add", name, "--role", role]).stdout.strip()
    monkeypatch.setenv("RASA_PRIVACY_TOKEN", tokens["ida"])
    return tmp_path


def test_every_command_refuses_who_may_nothing_and_says_the_same_of_everybody(bot: Path) -> None:
    """With the words of a refusal, before anybody is looked for: somebody who is known and nobody get one answer."""
    assert {*asking(main, click.Context(main))} == GIVEN.keys()
    other = {}
    for command, given in GIVEN.items():
        said = [
            CliRunner().invoke(main, [*command.split(), *given], input=f"{sender}\nx@y.example\n")
            for sender in (SENDER, "nobody")
        ]
        outputs = {each.output for each in said}
        refused = {each.exit_code for each in said} == {2} and len(outputs) == 1
        if not refused or REFUSAL.search(said[0].output) is None:
            other[command] = outputs
    assert other == {}
    assert not (bot / "copy.zip").exists()
    assert not (bot / "out.jsonl").exists()
