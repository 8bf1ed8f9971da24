"""The block `tracker_store:` is read as Rasa reads it, and refused where it would protect nothing."""

from pathlib import Path

import pytest

from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.settings import (
    KeySettings,
    StoreSettings,
    endpoints_path,
    load_settings,
    settings_from_mapping,
)

BLOCK = """\
tracker_store:
  type: rasa_privacy.EncryptedTrackerStore
  url: sqlite:///conversations.db
  keys: {provider: file, path: keys}
  privacy: privacy.yml
"""


@pytest.fixture
def endpoints(tmp_path: Path) -> Path:
    """Return an endpoints file that is right."""
    path = tmp_path / "endpoints.yml"
    path.write_text(BLOCK, encoding="utf-8")
    return path


def test_the_block_is_read(endpoints: Path) -> None:
    """Each line of the block has its place, and paths stay relative to the current directory."""
    expected = StoreSettings("sqlite:///conversations.db", KeySettings("file", Path("keys")), Path("privacy.yml"))
    assert load_settings(endpoints) == expected


def test_variables_are_replaced_as_rasa_does(endpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`${NAME}` in a plain word is replaced, and stays as it is between quotes."""
    monkeypatch.setenv("DATA_FOLDER", "/srv/data")
    endpoints.write_text(BLOCK.replace("///conv", "///${DATA_FOLDER}/conv"), encoding="utf-8")
    assert load_settings(endpoints).url == "sqlite:////srv/data/conversations.db"
    endpoints.write_text(BLOCK.replace("privacy.yml", "'${DATA_FOLDER}.yml'"), encoding="utf-8")
    assert load_settings(endpoints).privacy == Path("${DATA_FOLDER}.yml")


def test_a_variable_that_is_not_set_is_named(endpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unset variable anywhere in the file is an error with its line, and no empty text."""
    monkeypatch.delenv("NO_SUCH_THING", raising=False)
    endpoints.write_text(BLOCK.replace("///conv", "///${NO_SUCH_THING}/conv"), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="line 3: the environment variable 'NO_SUCH_THING' is not set"):
        load_settings(endpoints)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("tracker_store:", "tracker_stores:", "the block 'tracker_store' is missing"),
        (BLOCK, "", "the block 'tracker_store' is missing"),
        (BLOCK, "- a\n", "the block 'tracker_store' is missing"),
        ("rasa_privacy.Enc", "rasa_privacy.Unenc", "'type' of 'tracker_store' must be"),
        ("rasa_privacy.EncryptedTrackerStore", "SQL", "nothing is encrypted"),
        ("  url:", "  ulr:", "'ulr' is not known; did you mean 'url'"),
        ("  url: sqlite:///conversations.db\n", "", "'url' is missing"),
        ("sqlite:///conversations.db", "7", "'url' must be text"),
        ("  keys: {provider: file, path: keys}\n", "", "'keys' is missing"),
        ("{provider: file, path: keys}", "keys", "'keys' is missing"),
        ("provider: file", "provider: vault", "keys: 'address' is missing"),
        ("provider: file", "provider: kms", "did you mean 'aws-kms'"),
        ("provider: file", "provider: x", "known are 'file', 'env', 'aws-kms', 'pkcs11', 'vault'"),
        (", path: keys", "", "keys: 'path' is missing"),
        ("path: keys", "path: keys, url: 7", "keys: 'url' must be text; write it between quotes"),
        ("path: keys", "path: keys, key: a", "keys: 'key' is not known"),
        ("path: keys", "path: keys, url: 'sqlite:///conversations.db'", "is the database of the conversations"),
        ("  privacy:", "  jurnal: x\n  privacy:", "'jurnal' is not known; did you mean 'journal'"),
        ("  privacy:", "  journal: [x]\n  privacy:", "'journal' must be text"),
        ("{provider: file, path: keys}", "{provider: env}", "'journal' is missing; name a file"),
        ("provider: file", "provider: fiel", "provider 'fiel' is not known; did you mean 'file'"),
        ("path: keys", "pth: keys", "'pth' is not known; did you mean 'path'"),
        ("path: keys", "path: ''", "'path' must be text"),
        ("privacy.yml", "[a]", "'privacy' must be text"),
        ("url: ", "url: [", "this is not YAML"),
        ("url: ", "url: !!python/name:os.system ", "this is not YAML"),
    ],
)
def test_a_wrong_block_is_refused(endpoints: Path, before: str, after: str, message: str) -> None:
    """Each mistake names the file and the remedy, and the server does not start with it."""
    assert before in BLOCK
    endpoints.write_text(BLOCK.replace(before, after), encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(endpoints)
    assert message in str(caught.value)
    assert str(endpoints) in str(caught.value)


@pytest.mark.parametrize(
    "broken", ["url: {secret}\n  url: [", "url: *{secret}", "url: !{secret} x", "{secret}: 1\n\tx"]
)
def test_no_message_quotes_a_value(endpoints: Path, broken: str) -> None:
    """A password in the file is in no message and in no representation, even where the YAML is broken."""
    endpoints.write_text(BLOCK + "other:\n  " + broken.replace("{secret}", "hunter2"), encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(endpoints)
    assert "hunter2" not in str(caught.value)
    url = "postgresql://bot:hunter2@db/x"
    settings = {"url": url, "keys": {"provider": "file", "path": "keys"}, "privacy": "p.yml"}
    assert "hunter2" not in repr(settings_from_mapping(settings, "here"))
    with pytest.raises(ConfigurationError) as caught:
        settings_from_mapping({"url": url, "keys": {"provider": "file", "path": 7}, "privacy": "p.yml"}, "here")
    assert "hunter2" not in str(caught.value)


def test_what_rasa_passes_on_is_checked_alike() -> None:
    """The mapping that Rasa hands to the store is read with or without its `type`."""
    block = {"url": "sqlite:///a.db", "keys": {"provider": "file", "path": "keys"}, "privacy": "privacy.yml"}
    assert settings_from_mapping(block, "endpoints.yml").url == "sqlite:///a.db"
    with pytest.raises(ConfigurationError, match=r"endpoints\.yml: 'type' must be"):
        settings_from_mapping({**block, "type": "SQL"}, "endpoints.yml")


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    """A missing file, a folder, a long file and one in another encoding are configuration errors."""
    (tmp_path / "latin.yml").write_bytes("a: é\n".encode("latin-1"))
    (tmp_path / "long.yml").write_bytes(b"#" * (2**20 + 1))
    for name, message in (
        ("none.yml", "does not exist"),
        ("latin.yml", "UTF-8"),
        ("long.yml", "longer"),
        (".", "cannot be read"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            load_settings(tmp_path / name)


def test_the_endpoints_file_can_be_named_by_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The action server and the command line find the file where the variable says, or in the current directory."""
    monkeypatch.setenv("RASA_PRIVACY_ENDPOINTS", "/etc/bot/endpoints.yml")
    assert endpoints_path() == Path("/etc/bot/endpoints.yml")
    monkeypatch.delenv("RASA_PRIVACY_ENDPOINTS")
    assert endpoints_path() == Path("endpoints.yml")


PROVIDERS = {
    "env": {},
    "aws-kms": {"path": "keys", "key": "alias/rasa"},
    "pkcs11": {"path": "keys", "module": "/usr/lib/softhsm/libsofthsm2.so", "token": "rasa", "key": "rasa-kek"},
    "vault": {"path": "keys", "address": "https://vault.example:8200", "key": "rasa"},
}


def _keys(provider: str, **changes: object) -> StoreSettings:
    keys = {"provider": provider, **PROVIDERS[provider], **changes}
    keys = {name: value for name, value in keys.items() if value is not None}
    return settings_from_mapping({"url": "sqlite:///a.db", "keys": keys, "privacy": "p.yml", "journal": "j"}, "here")


def test_defaults_are_filled_in() -> None:
    """What may be left away has its value in the settings, so that nobody else needs to know it."""
    assert _keys("env").keys == KeySettings("env", None, options={"prefix": "RASA_PRIVACY_KEY_"})
    assert _keys("aws-kms").keys.options == {"key": "alias/rasa"}
    assert _keys("pkcs11").keys.options["pin_variable"] == "RASA_PRIVACY_PIN"
    assert _keys("vault").keys.options == {
        "address": "https://vault.example:8200",
        "key": "rasa",
        "mount": "transit",
        "token_variable": "VAULT_TOKEN",
    }
    assert _keys("vault", mount="team/transit", url="sqlite:///k.db").keys.options["mount"] == "team/transit"


@pytest.mark.parametrize(
    ("provider", "changes", "message"),
    [
        ("env", {"path": "keys"}, "'path' is not known"),
        ("env", {"prefix": "1_"}, "'prefix' must be the name of an environment variable"),
        ("env", {"prefx": "A"}, "'prefx' is not known; did you mean 'prefix'"),
        ("aws-kms", {"key": None}, "'key' is missing"),
        ("aws-kms", {"path": None}, "'path' is missing"),
        ("aws-kms", {"regoin": "x"}, "'regoin' is not known; did you mean 'region'"),
        ("aws-kms", {"region": "canary region"}, "'region' must be a region"),
        ("aws-kms", {"endpoint": "http://canary.example"}, "begins with https://"),
        ("aws-kms", {"token": "canary"}, "'token' is not known"),
        ("pkcs11", {"token": 1234}, "'token' must be text; write it between quotes"),
        ("pkcs11", {"token": "canary\nline"}, "'token' must be one line of text"),
        ("pkcs11", {"module": None}, "'module' is missing"),
        ("pkcs11", {"pin": "canary"}, "'pin' is not known"),
        ("pkcs11", {"pin_variable": "1234-canary"}, "and not the secret itself"),
        ("vault", {"address": "vault.example"}, "begins with https://"),
        ("vault", {"address": "http://canary.example:8200"}, "begins with https://"),
        ("vault", {"address": "http://localhost.canary.example"}, "begins with https://"),
        ("vault", {"address": "https://user:canary@vault.example"}, "holds no password"),
        ("vault", {"address": "https://vault.example/?canary"}, "begins with https://"),
        ("vault", {"key": "../sys/canary"}, "'key' must be the name of a transit key"),
        ("vault", {"mount": "transit/"}, "'mount' must be the path of a mount"),
        ("vault", {"token_variable": "hvs.canary"}, "and not the secret itself"),
        ("vault", {"token": "canary"}, "'token' is not known; known are 'provider', 'path', 'url', 'address', 'key'"),
    ],
)
def test_wrong_options_are_refused_and_not_quoted(provider: str, changes: dict[str, object], message: str) -> None:
    """Each option is checked by its provider, and no value is shown: somebody may have written a secret there."""
    with pytest.raises(ConfigurationError, match=r"^here\.keys: ") as caught:
        _keys(provider, **changes)
    assert message in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("address", ["http://localhost:8200", "http://127.0.0.1:1/x", "http://[::1]:8200", "https://v"])
def test_clear_text_stays_on_this_machine(address: str) -> None:
    """An agent on the same machine may be spoken to without TLS."""
    assert _keys("vault", address=address).keys.options["address"] == address


def test_the_journal_is_beside_the_keys_or_named() -> None:
    """It may be left away where keys have a folder or a database of their own."""
    block = {"url": "sqlite:///a.db", "privacy": "p.yml"}
    files, apart = {"provider": "file", "path": "keys"}, {"provider": "env", "url": "sqlite:///keys.db"}
    assert settings_from_mapping({**block, "keys": files}, "here").journal is None
    assert settings_from_mapping({**block, "keys": apart}, "here").journal is None
    assert settings_from_mapping({**block, "keys": files, "journal": "j"}, "here").journal == Path("j")
    assert "keys.db" not in repr(settings_from_mapping({**block, "keys": apart}, "here"))
