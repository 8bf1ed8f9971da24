"""Trains a bot, and only when something that goes into its model changed.

The model's file name carries a fingerprint of everything that went in: the bot's files, this package's code and data,
and the versions of Rasa and Python. Where the file is there already, it is the right one. Two processes that want the
same model at the same time wait for each other: one trains, the other finds the result.
"""

import contextlib
import fcntl
import hashlib
import platform
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

import rasa_privacy
from rasa_privacy.cli.processes import Process
from rasa_privacy.cli.run_folder import make_private_folder
from rasa_privacy.errors import ConfigurationError, ServerError

#: Files and folders of a bot that its model is made of. Actions are not among them.
INGREDIENTS: Final = ("config.yml", "domain.yml", "domain", "data", "endpoints.yml", "privacy.yml")
_OWN_SUFFIXES: Final = (".py", ".yml", ".yaml", ".json")
_KEPT_MODELS: Final = 4
_FINGERPRINT_CHARACTERS: Final = 16


def fingerprint(bot: Path) -> str:
    """Return 16 hexadecimal characters that change when the model of this bot would.

    Raises:
        ConfigurationError: The folder holds no config.yml.
        ServerError: Rasa is not installed.
    """
    if not (bot / "config.yml").is_file():
        raise ConfigurationError(f"{bot}: there is no config.yml here; name the folder of a Rasa bot with --bot")
    digest = hashlib.sha256(f"{platform.python_version()} {_rasa_version()}".encode())
    package = Path(rasa_privacy.__file__).parent
    own = [path for path in package.rglob("*") if path.suffix in _OWN_SUFFIXES]
    for root, paths in ((bot, list(_ingredients(bot))), (package, own)):
        for path in sorted(paths):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(root).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()[:_FINGERPRINT_CHARACTERS]


def model_path(bot: Path, out: Path) -> Path:
    """Return where the model of the bot as it is now is, or will be."""
    return out / f"{bot.resolve().name}-{fingerprint(bot)}.tar.gz"


def train(bot: Path, out: Path) -> Path:
    """Return the model of the bot as it is now, after training it if it is not there yet.

    Args:
        bot: Folder with config.yml, domain, data and endpoints.yml. Nothing in it is written.
        out: Folder for models and the training log; made if needed.

    Raises:
        ConfigurationError: The folder is not a bot.
        ServerError: Rasa is not installed, or training failed; the message ends with the last lines of its log.
    """
    out = make_private_folder(out.resolve())  # Rasa runs in the bot's folder, where a relative path means another place
    with file_lock(out / ".training.lock"):
        model = model_path(bot, out)
        if not model.is_file():
            with tempfile.TemporaryDirectory(dir=out, prefix="training-") as scratch:
                # Moved in one step, so that a file with this name is always a whole model.
                _run_training(bot, Path(scratch), out / f"{bot.resolve().name}-training.log").replace(model)
            _drop_old_models(model)
    return model


@contextlib.contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Wait until this process holds the lock on a file. It ends with the process, however that ends."""
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _run_training(bot: Path, scratch: Path, log: Path) -> Path:
    """Train into the scratch folder and return the file."""
    log.unlink(missing_ok=True)
    # --force: Rasa's own cache looks at component classes, and not at the modules and language packs that they read.
    command = [sys.executable, "-m", "rasa", "train", "--force", "--out", str(scratch), "--fixed-model-name", "model"]
    environment = {
        "RASA_TELEMETRY_ENABLED": "false",
        "RASA_PRIVACY_ENDPOINTS": str((bot / "endpoints.yml").resolve()),
        "RASA_CACHE_DIRECTORY": str(scratch / "cache"),
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    }
    process = Process("training", command, folder=bot, log=log, environment=environment)
    try:
        code = process.wait()
    finally:
        process.stop()
    model = scratch / "model.tar.gz"
    if code != 0 or not model.is_file():
        raise ServerError(
            f"{bot}: training ended with exit code {code} and made no model; mend what the end of its log names "
            f"and start again. {log}:\n{process.last_lines()}"
        )
    return model


def _ingredients(bot: Path) -> Iterator[Path]:
    for name in INGREDIENTS:
        path = bot / name
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from (found for found in path.rglob("*") if found.is_file())


def _rasa_version() -> str:
    try:
        return metadata.version("rasa")
    except metadata.PackageNotFoundError:
        raise ServerError("rasa is not installed; install it with: pip install 'rasa_privacy[rasa]'") from None


def _drop_old_models(newest: Path) -> None:
    """Keep the last few models of this bot, so that changing between two versions of it does not train again."""
    bot_name = newest.name.rpartition("-")[0]
    pattern = f"{bot_name}-{'?' * _FINGERPRINT_CHARACTERS}.tar.gz"
    models = sorted(newest.parent.glob(pattern), key=lambda path: path.stat().st_mtime, reverse=True)
    for model in models[_KEPT_MODELS:]:
        model.unlink()
