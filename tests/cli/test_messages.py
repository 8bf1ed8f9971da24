"""`rasa-privacy messages export` on a real store."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from rasa_privacy.cli import main
from rasa_privacy.retention.due import SERVICE
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.vaults import Clock, answer, ask, give, grant, settings_in

Run = Callable[..., Result]
ENDPOINTS = """\
tracker_store:
  type: rasa_privacy.EncryptedTrackerStore
  url: sqlite:///c.db
  keys: {provider: file, path: keys}
  privacy: privacy.yml
"""


def say(vault: Vault, sender: str, *said: tuple[str, str | None]) -> None:
    """Store messages as they are kept with `messages: {keep: full}`, each with its intent."""
    structure = [
        {"event": "user", "timestamp": 1.0, "text": text, "parse_data": {"intent": {"name": intent}}}
        for text, intent in said
    ]
    with vault.database.write() as connection:
        version, _ = vault.conversations.head(connection, sender)
        vault.conversations.append(connection, sender, version, structure, {}, [], vault.clock())
        subject_id = vault.subjects.find(connection, sender)
        assert subject_id is not None
        vault.data_keys.touch(connection, subject_id, SERVICE, None)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that runs the export for a bot to which three people have talked."""
    vault = open_vault(settings_in(tmp_path, "full"), Clock())
    for name in ("ana", "bob", "eve"):
        grant(vault, "newsletter", sender=name)
        give(vault, {"newsletter": {"full_name": f"{name.title()} Stone"}}, sender=name)
    grant(vault, "draw", sender="bob")
    say(
        vault,
        "ana",
        ("hi, I'm Ana Stone, write to ana@x.example", "greet"),
        ("hi, I'm Ana Stone, write to ana@x.example", "greet"),
        ("see [here](now)\nor call +49 170 1234567", "greet"),
        ("my BSN is 111222333", "tell"),
        ("/greet", "greet"),
        ("delete all of it", "privacy_withdraw"),
        ("ana@x.example", "tell"),
        ("[withheld]", "greet"),
        ("no intent", None),
        ("\U0001f44d great: really", "praise"),
    )
    say(vault, "bob", ("I like it", "praise"))
    say(vault, "eve", ("nobody may read this", "greet"))
    ask(vault, "newsletter", sender="eve")
    answer(vault, "newsletter", granted=False, sender="eve")
    vault.close()
    (tmp_path / "endpoints.yml").write_text(ENDPOINTS)
    return lambda *arguments: CliRunner().invoke(main, ["messages", "export", *arguments, "--bot", str(tmp_path)])


def exported(path: Path) -> dict[str, list[str]]:
    """Return the examples of a file by intent."""
    data: Any = yaml.safe_load(path.read_text())
    assert data["version"] == "3.1"
    return {block["intent"]: block["examples"].splitlines() for block in data["nlu"]}


def test_messages_are_exported_masked_and_once(run: Run, tmp_path: Path) -> None:
    """Values of forms and what detectors find are names; requests, buttons and withheld texts are not in it."""
    out = tmp_path / "nlu.yml"
    done = run("--out", str(out))
    assert done.exit_code == 0, done.output
    assert exported(out) == {
        "greet": ["- hi, I'm [full_name], write to [email]", "- see [here] (now) or call [phone]"],
        "praise": ["- I like it", "- \U0001f44d great: really"],
        "tell": ["- my BSN is [nl_bsn]"],
    }
    assert "5 different texts of 2 people, in 3 intents" in done.output
    assert out.stat().st_mode & 0o777 == 0o600


def test_only_people_who_allow_the_purpose_are_in_it(run: Run, tmp_path: Path) -> None:
    """A purpose of its own, such as improving the bot, can be asked for."""
    out = tmp_path / "nlu.yml"
    assert run("--purpose", "draw", "--out", str(out)).exit_code == 0
    assert exported(out) == {"praise": ["- I like it"]}
    wrong = run("--purpose", "drow")
    assert wrong.exit_code == 2
    assert "drow" in wrong.output


@pytest.mark.rasa
def test_rasa_reads_what_is_exported(run: Run, tmp_path: Path) -> None:
    """Each text is an example of its intent, and none holds an entity."""
    from rasa.shared.nlu.training_data.formats.rasa_yaml import RasaYAMLReader  # noqa: PLC0415 - takes seconds

    out = tmp_path / "nlu.yml"
    run("--out", str(out))
    data = RasaYAMLReader().reads(out.read_text())
    assert sorted(data.intents) == ["greet", "praise", "tell"]
    assert len(data.intent_examples) == 5
    assert all(not example.get("entities") for example in data.intent_examples)
