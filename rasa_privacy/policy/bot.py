"""What a bot's folder says, as far as the linter and `rasa-privacy init` need it.

Reads domain, config and endpoints as YAML and the actions as Python syntax; runs nothing and imports no Rasa.
Not handled: a domain that a custom importer makes up, and slots that actions ask for at run time.
"""

import ast
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.positions import Place
from rasa_privacy.policy.responses import shown_slots
from rasa_privacy.policy.settings import ENDPOINTS_VARIABLE, load_settings
from rasa_privacy.policy.yaml_tree import Tree, Word, read_tree

ACTIONS_MODULE: Final = "rasa_privacy.actions"


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot of the domain.

    Attributes:
        name: Its name and place.
        entities: The entities that fill it, in the order of its mappings.
        free_text: Whether a whole message can fill it.
    """

    name: Word
    entities: tuple[str, ...] = ()
    free_text: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """A form of the domain and the slots that it asks for."""

    name: Word
    required_slots: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Domain:
    """The parts of a domain that matter for privacy, by name.

    `file` is what to name in messages; `shown` has the slots that stand in each response.
    """

    file: str
    slots: Mapping[str, Slot]
    entities: Mapping[str, Place]
    intents: Mapping[str, Place]
    forms: Mapping[str, Form]
    actions: Mapping[str, Place]
    responses: Mapping[str, Place]
    shown: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def runnable(self) -> set[str]:
        """Return every name that a purpose can guard."""
        return {*self.forms, *self.actions, *self.responses}


@dataclass(frozen=True, slots=True)
class Config:
    """The components that config.yml names, in its order."""

    file: str
    language: str
    importers: tuple[Word, ...]
    pipeline: tuple[Word, ...]
    policies: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot's folder.

    Attributes:
        folder: The folder; relative paths in endpoints.yml count from it, as the bot is started there.
        domain: The domain, from one file or a folder of files.
        config: config.yml.
        endpoints_file: The endpoints file, which may not exist.
        endpoints: Its content; empty where there is no file.
    """

    folder: Path
    domain: Domain
    config: Config
    endpoints_file: Path
    endpoints: Tree


def read_bot(folder: Path, domain: Path | None = None, endpoints: Path | None = None) -> Bot:
    """Read a bot's folder.

    Args:
        folder: The folder of the bot.
        domain: Domain file or folder; otherwise `domain.yml` or `domain` in the folder.
        endpoints: Endpoints file; otherwise what `RASA_PRIVACY_ENDPOINTS` says, or `endpoints.yml` in the folder.

    Raises:
        ConfigurationError: The domain or config.yml is missing, or a file is not YAML.
    """
    named = os.environ.get(ENDPOINTS_VARIABLE)
    file = endpoints or (Path(named) if named else folder / "endpoints.yml")
    return Bot(
        folder=folder,
        domain=read_domain(domain or default_domain(folder)),
        config=read_config(folder / "config.yml"),
        endpoints_file=file,
        endpoints=read_tree(file) if file.exists() else Tree(str(file), None),
    )


def read_domain(path: Path) -> Domain:
    """Read a domain from a file, or from all YAML files below a folder as Rasa does.

    Raises:
        ConfigurationError: The path does not exist or holds no YAML file.
    """
    files = domain_files(path)
    if not files:
        raise ConfigurationError(f"{path}: the folder holds no YAML file, so there is no domain")
    trees = [read_tree(file) for file in files]
    return Domain(
        file=str(path),
        slots={name.text: _slot(name, value) for tree in trees for name, value in tree.get("slots").pairs()},
        entities=_places(trees, "entities"),
        intents=_places(trees, "intents"),
        forms={name.text: _form(name, value) for tree in trees for name, value in tree.get("forms").pairs()},
        actions=_places(trees, "actions"),
        responses=_places(trees, "responses"),
        shown=_shown(trees),
    )


def domain_files(path: Path) -> list[Path]:
    """Return the file of a domain, or all YAML files below its folder."""
    return sorted(one for one in path.rglob("*") if one.suffix in {".yml", ".yaml"}) if path.is_dir() else [path]


def read_config(path: Path) -> Config:
    """Read the component names of config.yml.

    Raises:
        ConfigurationError: The file is missing or not YAML.
    """
    tree = read_tree(path)
    return Config(
        file=str(path),
        language=tree.get("language").text or "en",
        importers=_components(tree.get("importers")),
        pipeline=_components(tree.get("pipeline")),
        policies=_components(tree.get("policies")),
    )


def imports_our_actions(folder: Path) -> bool:
    """Tell whether the bot's actions (`actions/` or `actions.py`) import ours; unreadable files count as not."""
    package = folder / "actions"
    files = sorted(package.rglob("*.py")) if package.is_dir() else [folder / "actions.py"]
    return any(_imports(file) for file in files)


def _imports(file: Path) -> bool:
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return False
    return any(_is_ours(module) for node in ast.walk(tree) for module in _imported(node))


def _imported(node: ast.AST) -> Iterator[str]:
    """Yield what a statement imports; `from a import b` gives `a.b`, which may be a module."""
    if isinstance(node, ast.Import):
        yield from (name.name for name in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level == 0:
        yield from (f"{node.module}.{name.name}" for name in node.names)


def _is_ours(module: str) -> bool:
    return module == ACTIONS_MODULE or module.startswith(ACTIONS_MODULE + ".")


def default_domain(folder: Path) -> Path:
    """Return where a bot's domain is: `domain.yml`, or the folder `domain`.

    Raises:
        ConfigurationError: Neither is there.
    """
    for path in (folder / "domain.yml", folder / "domain"):
        if path.exists():
            return path
    raise ConfigurationError(
        f"{folder}: there is no domain.yml and no folder 'domain'; name the bot's folder with --bot"
    )


def _places(trees: list[Tree], section: str) -> dict[str, Place]:
    return {word.text: word.place for tree in trees for word in tree.get(section).names()}


def _shown(trees: list[Tree]) -> dict[str, frozenset[str]]:
    pairs = [(name.text, slot) for tree in trees for name, slot, _ in shown_slots(tree)]
    return {name: frozenset(slot for each, slot in pairs if each == name) for name, _ in pairs}


def _slot(name: Word, value: Tree) -> Slot:
    mappings = list(value.get("mappings").elements())
    entities = [mapping.get("entity").text for mapping in mappings if mapping.get("type").text == "from_entity"]
    return Slot(
        name=name,
        entities=tuple(dict.fromkeys(entity for entity in entities if entity)),
        free_text=any(mapping.get("type").text == "from_text" for mapping in mappings),
    )


def _form(name: Word, value: Tree) -> Form:
    return Form(name=name, required_slots=tuple(word.text for word in value.get("required_slots").names()))


def _components(tree: Tree) -> tuple[Word, ...]:
    """Return the names of a list of components, written `- name: X` or `- X`."""
    words = []
    for element in tree.elements():
        name = element if element.text is not None else element.get("name")
        if name.text is not None:
            words.append(Word(name.text, name.place))
    return tuple(words)


def policy_path(bot: Bot) -> Path:
    """Return where the bot's privacy.yml is: what endpoints.yml says, or `privacy.yml` in the bot's folder."""
    try:
        return bot.folder / load_settings(bot.endpoints_file).privacy
    except ConfigurationError:
        return bot.folder / "privacy.yml"
