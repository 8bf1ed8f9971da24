"""Whether what the detectors of privacy.yml need is installed. Nothing is imported: loading a model takes seconds."""

from collections.abc import Iterator
from importlib.util import find_spec

from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.model import Policy


def is_installed(module: str) -> bool:
    """Tell whether a module or package of this name can be imported."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def missing_packages(policy: Policy) -> Iterator[tuple[str, str]]:
    """Yield what is not installed, in words, and what to do about it."""
    settings = policy.detectors.presidio
    if settings is None:
        return
    if not is_installed("presidio_analyzer"):
        yield "Presidio is not installed", "run pip install 'rasa_privacy[presidio]'"
    for language, model in settings.models.items():
        if not is_installed(model):
            yield (
                f"the model {model!r} for language {language!r} is not installed",
                "install its package where the bot is trained and run, or name another",
            )


def require_packages(policy: Policy) -> None:
    """Stop where a detector that privacy.yml asks for could not run.

    Raises:
        ConfigurationError: Something is not installed. A warning would let names through.
    """
    for why, remedy in missing_packages(policy):
        raise ConfigurationError(f"privacy.yml: detectors.presidio: {why}; {remedy}")
