"""How the bot is run: what its start files say, which database is far away, and what lies beside ours."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.bot import Bot
from rasa_privacy.policy.findings import Finding
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.settings import load_settings
from rasa_privacy.policy.suggest import shown

#: Files in the bot's folder that start it.
_START_FILES: Final = ("*compose*.y*ml", "Dockerfile*", "Procfile", "Makefile", "*.sh", "*.service", "*.env", ".env")
_MAX_BYTES: Final = 2**20
_API: Final = re.compile(r"--enable-api\b")
_TOKEN: Final = re.compile(r"--auth-token\b|--jwt-secret\b|(?:\brasa\b|--enable-api\b).*\s-t\s", re.DOTALL)
#: A line goes on in the next one where it ends so, or where the next one begins so: an option or an element of a list.
_GOES_ON: Final = re.compile(r"[\\,\[>|]\s*$")
_IS_ON: Final = re.compile(r"\s*[\"'\[]?\s*-")
_DEBUG: Final = re.compile(r"(?<![\w-])(?:-vv|--debug)\b|\bLOG_LEVEL(?:_\w+)?\s*[=:]\s*[\"']?DEBUG\b")
_RASA: Final = re.compile(r"\brasa\b")
#: What is given to the program of an image: `command: run --debug`, which does not name it.
_OF_AN_IMAGE: Final = re.compile(
    r"^\s*(?:command|args|CMD)\b.*?\b(?:run|shell|interactive)\b", re.MULTILINE | re.DOTALL
)
_HERE: Final = {"", "localhost", "127.0.0.1", "::1"}
#: libpq, section 34.1.2: these values of `sslmode` insist on TLS.
_SAFE_MODES: Final = {"require", "verify-ca", "verify-full"}
_TLS_OPTIONS: Final = {"ssl_ca", "ssl_cert", "ssl_verify_cert", "ssl_verify_identity"}


def start_files(bot: Bot, _policy: Policy, _file: str) -> Iterator[Finding]:
    """RP057 and RP059."""
    files = sorted({file for pattern in _START_FILES for file in bot.folder.glob(pattern) if file.is_file()})
    for file in files:
        text = _read(file)
        found = next((each for each in _API.finditer(text) if not _TOKEN.search(_command(text, each.start()))), None)
        if found:
            why = "Rasa's API is started without a token: who reaches it reads and changes every conversation"
            yield Finding("RP057", _place(file, text, found), why, "add '--auth-token' or '--jwt-secret' with a secret")
        found = next((each for each in _DEBUG.finditer(text) if _is_rasas(text, each)), None)
        if found:
            why = "debug logs are switched on, in which libraries write what people say"
            yield Finding("RP059", _place(file, text, found), why, "take it out where real people talk", "warning")


def transport(bot: Bot, _policy: Policy, _file: str) -> Iterator[Finding]:
    """RP058."""
    try:
        settings = load_settings(bot.endpoints_file)
    except ConfigurationError:
        return  # RP011 says so
    for name, url in (("tracker_store.url", settings.url), ("keys.url", settings.keys.url)):
        if url is not None and not _is_safe(url):
            why = f"{name} leads to another computer, and nothing insists on TLS"
            remedy = "add '?sslmode=verify-full' (PostgreSQL) or '?ssl_ca=/path/ca.pem' (MariaDB) to it"
            yield Finding("RP058", str(bot.endpoints_file), why, remedy)


def other_stores(bot: Bot, _policy: Policy, _file: str) -> Iterator[Finding]:
    """RP056."""
    for file in sorted({*bot.folder.glob("*.db"), *bot.folder.glob("*.sqlite*")}):
        if _has_table(file, "events"):
            why = f"{shown(file.name)} is a store of Rasa's own, in which conversations stand in plain"
            remedy = "take it over with 'rasa-privacy import', which can empty it, or delete it"
            yield Finding("RP056", str(file), why, remedy)


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(_MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def _is_rasas(text: str, found: "re.Match[str]") -> bool:
    if not found[0].startswith("-"):
        return True
    command = _command(text, found.start())
    return bool(_RASA.search(command) or (_OF_AN_IMAGE.search(command) and _RASA.search(text)))


def _command(text: str, position: int) -> str:
    """Return the lines of the command at a position."""
    lines = text.split("\n")
    first = last = text.count("\n", 0, position)
    while first > 0 and (_GOES_ON.search(lines[first - 1]) or _IS_ON.match(lines[first])):
        first -= 1
    while last + 1 < len(lines) and (_GOES_ON.search(lines[last]) or _IS_ON.match(lines[last + 1])):
        last += 1
    return "\n".join(lines[first : last + 1])


def _place(file: Path, text: str, found: "re.Match[str]") -> str:
    line = text.count("\n", 0, found.start()) + 1
    return f"{file}:{line}:{found.start() - text.rfind(chr(10), 0, found.start())}"


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return True  # not a URL; RP011 says so
    options = parse_qs(parts.query)
    hosts = [name for given in options.get("host", [host]) for name in given.split(",")]  # libpq, section 34.1.1.3
    if url.startswith("sqlite") or all(name.startswith("/") or name.partition(":")[0] in _HERE for name in hosts):
        return True
    if url.startswith("postgresql"):
        return options.get("sslmode", [""])[-1] in _SAFE_MODES
    return bool(_TLS_OPTIONS & set(options))


def _has_table(file: Path, name: str) -> bool:
    """Say whether a SQLite file has a table; anything else has none."""
    # Immutable, since a reader of a write-ahead log leaves files there that belong to whoever ran this.
    where = f"file:{quote(str(file.absolute()))}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(where, uri=True)) as connection:
            found = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (name,))
            return found.fetchone() is not None
    except sqlite3.Error:
        return False
