"""Language packs: what the bot understands and says about privacy in one language.

A pack is `packs/<language>.yml`, written as Rasa YAML (`nlu:` and `responses:`) with the parts of sentences that
`phrases.py` reads (`phrases:` and `locale:`). Beside it, `packs/<language>.keywords.yml` has the fixed wordings that
`keywords.py` and `purposes.py` read. `lessons.py` reads two more: `packs/<language>.ordinary.yml`, everyday messages
that are no privacy requests, and `packs/<language>.samples.yml`, messages of both kinds that only our recogniser learns
from, so that the bot's own classifier is not weighed down by them. All are package data; a pack without its keywords is
refused, since STOP must work in each language that the bot speaks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

import yaml
from babel import Locale, UnknownLocaleError

from rasa_privacy.dialogue.names import LANGUAGE_SLOT
from rasa_privacy.errors import ConfigurationError

_SUFFIX: Final = ".yml"
_KEYWORDS: Final = ".keywords.yml"
_ORDINARY: Final = ".ordinary.yml"
_SAMPLES: Final = ".samples.yml"


@dataclass(frozen=True, slots=True)
class Pack:
    """What one language adds to a bot. Shared between callers, so never changed.

    Attributes:
        nlu: Rasa's training data blocks, as under `nlu:` in a file.
        responses: The variations of each response by name.
        intents: Names of the intents that have examples, in the order of the file.
        phrases: Parts of sentences by name.
        locale: Name of the CLDR locale that writes dates, durations and lists, for example `en_GB`.
    """

    nlu: list[dict[str, Any]]
    responses: dict[str, list[dict[str, Any]]]
    intents: tuple[str, ...]
    phrases: dict[str, str]
    locale: str


def available_languages() -> tuple[str, ...]:
    """Return the codes of the languages that have a pack, sorted."""
    names = (entry.name for entry in files(__package__).joinpath("packs").iterdir())
    stems = (name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))
    return tuple(sorted(stem for stem in stems if "." not in stem))


@lru_cache(maxsize=32)
def load_pack(language: str) -> Pack:
    """Return the pack of a language.

    Raises:
        ConfigurationError: There is no such pack, or its file is not what a pack must be.
    """
    raw = read_mapping(language, _SUFFIX)
    load_keywords(language)
    where = f"packs/{language}{_SUFFIX}"
    nlu, responses = raw.get("nlu"), raw.get("responses")
    if not isinstance(nlu, list) or not all(_is_block(block) for block in nlu):
        raise ConfigurationError(f"{where}: 'nlu' must be a list of blocks with 'examples'; see packs/en.yml")
    if not isinstance(responses, dict) or not all(_is_response(texts) for texts in responses.values()):
        raise ConfigurationError(f"{where}: 'responses' must map each name to variations with 'text'; see packs/en.yml")
    phrases = raw.get("phrases")
    if not isinstance(phrases, dict) or not all(isinstance(text, str) for text in phrases.values()):
        raise ConfigurationError(f"{where}: 'phrases' must map each name to a text; quote words such as \"no\"")
    intents = tuple(str(block["intent"]) for block in nlu if "intent" in block)
    return Pack(nlu, responses, intents, phrases, _locale(raw, where))


@lru_cache(maxsize=32)
def load_keywords(language: str) -> Mapping[str, str]:
    """Return the sections of a language's keyword file, each with one wording a line.

    Raises:
        ConfigurationError: There is no such file, or a section is not a text.
    """
    return _sections(language, _KEYWORDS)


@lru_cache(maxsize=32)
def load_ordinary(language: str) -> Mapping[str, str]:
    """Return a language's everyday messages: wordings (`messages`, with the sections they name) and lines (`heard`).

    Raises:
        ConfigurationError: There is no such file, or a section is not a text.
    """
    return _sections(language, _ORDINARY)


@lru_cache(maxsize=32)
def load_samples(language: str) -> Mapping[str, str]:
    """Return the messages that only the recogniser learns from: a section for each intent, and `ordinary`.

    A line is a message or a wording; sections of another name are parts of wordings.

    Raises:
        ConfigurationError: There is no such file, or a section is not a text.
    """
    return _sections(language, _SAMPLES)


def _sections(language: str, suffix: str) -> Mapping[str, str]:
    raw = read_mapping(language, suffix)
    for section, lines in raw.items():
        if not isinstance(lines, str):
            raise ConfigurationError(
                f"packs/{language}{suffix}: '{section}' must be a block of text; write '{section}: |' above it"
            )
    return raw


def in_language(variation: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Return the variation so that Rasa says it only where the slot `privacy_language` names this language.

    https://rasa.com/docs/rasa/responses/#conditional-response-variations
    """
    return {**variation, "condition": [{"type": "slot", "name": LANGUAGE_SLOT, "value": language}]}


def variation_in(language: str, default: str, variations: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the first variation in a language, or None: one on the condition of it, else in `default` one without.

    A variation that has another condition too is passed over, since only Rasa knows whether that holds.
    """
    wanted = in_language({}, language)["condition"]
    found = [variation for variation in variations if variation.get("condition") == wanted]
    if not found and language == default:
        found = [variation for variation in variations if not variation.get("condition")]
    return found[0] if found else None


def read_mapping(language: str, suffix: str) -> dict[str, Any]:
    """Return the mapping that a file of the packs holds.

    Raises:
        ConfigurationError: The file is missing, is no YAML, or holds no mapping.
    """
    entry = files(__package__).joinpath("packs").joinpath(f"{language}{suffix}")
    if not language.replace("-", "").isalnum() or not entry.is_file():
        known = ", ".join(available_languages())
        raise ConfigurationError(
            f"packs/: there is no '{suffix}' file for the language '{language}'; choose one of: {known}"
        )
    try:
        raw = yaml.safe_load(entry.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigurationError(f"packs/{language}{suffix}: not valid YAML ({error}); correct it") from error
    if not isinstance(raw, dict):
        raise ConfigurationError(f"packs/{language}{suffix}: must hold a mapping; see the file of English")
    return raw


def _locale(raw: Mapping[str, Any], where: str) -> str:
    name = str(raw.get("locale"))
    try:
        return str(Locale.parse(name))
    except (UnknownLocaleError, ValueError) as error:
        raise ConfigurationError(f"{where}: 'locale: {name}' is no locale; write one such as en_GB") from error


def _is_block(block: object) -> bool:
    return isinstance(block, dict) and isinstance(block.get("examples"), str)


def _is_response(texts: object) -> bool:
    return isinstance(texts, list) and bool(texts) and all(isinstance(t, dict) and "text" in t for t in texts)
