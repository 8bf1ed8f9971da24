import stat
from pathlib import Path

import pytest
import yaml

from rasa_privacy.cli.run_folder import ACTION_URL, copy_bot, derive_endpoints, make_private_folder
from rasa_privacy.errors import ConfigurationError

_ENDPOINTS = """\
# the bot's own endpoints
action_endpoint:
  url: http://localhost:5055/webhook
  token: ${ACTION_TOKEN}
tracker_store:
  type: rasa_privacy.EncryptedTrackerStore
  url: sqlite:///conversations.db
  keys: {provider: file, path: keys}
  version: '0123'
  flag: on
"""


def test_only_the_named_value_changes(tmp_path: Path) -> None:
    """The action server's address is replaced and every other value, quote and placeholder stays."""
    derived = _derive(tmp_path, _ENDPOINTS)
    before, after = yaml.safe_load(_ENDPOINTS), yaml.safe_load(derived)
    assert after["action_endpoint"].pop("url") == "http://127.0.0.1:9/webhook"
    before["action_endpoint"].pop("url")
    assert after == before
    assert "token: ${ACTION_TOKEN}" in derived
    assert "version: '0123'" in derived
    assert "flag: on" in derived


def test_missing_blocks_are_made(tmp_path: Path) -> None:
    """A file that is empty, or says nothing of actions, gets the block."""
    for source in ("", "# nothing\n", "nlg:\n  url: http://localhost:1\n"):
        assert yaml.safe_load(_derive(tmp_path, source))["action_endpoint"]["url"] == "http://127.0.0.1:9/webhook"


def test_a_null_block_is_replaced(tmp_path: Path) -> None:
    """`action_endpoint:` without a value is filled."""
    assert yaml.safe_load(_derive(tmp_path, "action_endpoint:\n")) == {
        "action_endpoint": {"url": "http://127.0.0.1:9/webhook"}
    }


@pytest.mark.parametrize("source", ["- a list\n", "action_endpoint: text\n"])
def test_a_wrong_shape_is_named(tmp_path: Path, source: str) -> None:
    """A list, or a text where a block belongs, is refused with the file and the key."""
    with pytest.raises(ConfigurationError, match=r"endpoints\.yml: a mapping is needed around"):
        _derive(tmp_path, source)


def test_broken_yaml_is_named_with_its_line_and_not_its_content(tmp_path: Path) -> None:
    """The message gives file and line; the content may hold a password."""
    with pytest.raises(ConfigurationError, match=r"endpoints\.yml:2:\d+: this is not YAML") as caught:
        _derive(tmp_path, "a: 1\n  secret-word: 2\n")
    assert "secret-word" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A bot without endpoints.yml is a clear message."""
    with pytest.raises(ConfigurationError, match=r"endpoints\.yml: the file cannot be read"):
        derive_endpoints(tmp_path / "endpoints.yml", tmp_path / "derived.yml", {})


def test_a_copy_starts_without_what_earlier_runs_left(tmp_path: Path) -> None:
    """Databases, keys and models stay behind, and only this user may enter the copy."""
    bot = tmp_path / "bot"
    for name in ("config.yml", "privacy.yml", "chat.db", "chat.db-wal", "keys/kek-1.key", "models/m.tar.gz"):
        (bot / name).parent.mkdir(parents=True, exist_ok=True)
        (bot / name).write_text("x")
    copy = copy_bot(bot, tmp_path / "copy")
    assert sorted(path.name for path in copy.rglob("*")) == ["config.yml", "privacy.yml"]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o700


def test_a_folder_that_is_no_bot_is_refused(tmp_path: Path) -> None:
    """The message says what is missing and which option to use."""
    with pytest.raises(ConfigurationError, match=r"no config\.yml here; .* --bot"):
        copy_bot(tmp_path, tmp_path / "copy")


def test_a_private_folder_is_closed_to_others(tmp_path: Path) -> None:
    """A folder that was open before is closed."""
    (tmp_path / "run").mkdir(mode=0o755)
    assert stat.S_IMODE(make_private_folder(tmp_path / "run").stat().st_mode) == 0o700


def _derive(folder: Path, source: str) -> str:
    (folder / "endpoints.yml").write_text(source)
    return derive_endpoints(
        folder / "endpoints.yml", folder / "derived.yml", {ACTION_URL: "http://127.0.0.1:9/webhook"}
    ).read_text()
