"""The lines that a builder adds to config.yml, endpoints.yml and the actions (DESIGN.md, section 5).

Only what is missing is listed. An empty `pipeline:`, as `rasa init` writes it, is left to Rasa's automatic
configuration, which gives way as soon as several importers are named; then a whole one is listed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rasa_privacy.policy.bot import ACTIONS_MODULE, Bot, imports_our_actions
from rasa_privacy.policy.lint_setup import IMPORTER, MINIMIZER, POLICY, is_ours
from rasa_privacy.policy.settings import STORE_TYPE

#: What Rasa 3.6 would have filled in (rasa/engine/recipes/config_files/default_config.yml).
FULL_PIPELINE: Final = """\
pipeline:
  - name: WhitespaceTokenizer
  - name: RegexFeaturizer
  - name: LexicalSyntacticFeaturizer
  - name: CountVectorsFeaturizer
  - name: CountVectorsFeaturizer
    analyzer: char_wb
    min_ngram: 1
    max_ngram: 4
  - name: DIETClassifier
    epochs: 100
    constrain_similarities: true
  - name: EntitySynonymMapper
  - name: ResponseSelector
    epochs: 100
    constrain_similarities: true
  - name: FallbackClassifier
    threshold: 0.3
    ambiguity_threshold: 0.1
"""
FULL_POLICIES: Final = """\
policies:
  - name: MemoizationPolicy
  - name: RulePolicy
  - name: UnexpecTEDIntentPolicy
    max_history: 5
    epochs: 100
  - name: TEDPolicy
    max_history: 5
    epochs: 100
    constrain_similarities: true
"""
_IMPORTERS: Final = f"importers:\n  - name: RasaFileImporter\n  - name: rasa_privacy.{IMPORTER}\n"
_MINIMIZER_LINE: Final = f"  - name: rasa_privacy.{MINIMIZER}\n"
_POLICY_LINE: Final = f"  - name: rasa_privacy.{POLICY}\n"
#: The first entry of a block of config.yml, after comments and empty lines.
_ENTRY: Final = r"^{block}:[ \t]*(?:#.*)?\n(?:[ \t]*(?:#.*)?\n)*(?P<margin> *)- "
_STORE: Final = f"""\
tracker_store:
  type: {STORE_TYPE}
  url: sqlite:///conversations.db
  keys: {{provider: file, path: keys}}
  privacy: privacy.yml
"""
_ACTION_SERVER: Final = "action_endpoint:\n  url: http://localhost:5055/webhook\n"


_WHY_WRITTEN_OUT: Final = """
This bot leaves its pipeline or policies empty, so that Rasa fills them in. Rasa cannot do that where several
importers are named, so below is what Rasa 3.6 would have chosen, written out."""


@dataclass(frozen=True, slots=True)
class Addition:
    """Lines for one file.

    Attributes:
        file: The file, relative to the bot's folder.
        where: Where in the file, in words.
        lines: The text to paste, with a line end.
    """

    file: str
    where: str
    lines: str


def additions(bot: Bot) -> list[Addition]:
    """Return what is still to be added to a bot."""
    return [*_config(bot), *_endpoints(bot), *_actions(bot)]


def explained(bot: Bot) -> Iterator[str]:
    """Yield in print what is still to be added, with where it goes; nothing where all is there."""
    missing = additions(bot)
    if missing:
        yield "\nLines to add:"
    if not bot.config.pipeline or not bot.config.policies:
        yield _WHY_WRITTEN_OUT
    for addition in missing:
        yield f"\n# {addition.file}, {addition.where}:"
        yield addition.lines.rstrip("\n")


def _config(bot: Bot) -> list[Addition]:
    config, found = bot.config, []
    if not any(is_ours(word, IMPORTER) for word in config.importers):
        line = _aligned(bot, "importers", f"  - name: rasa_privacy.{IMPORTER}\n")
        lines = line if config.importers else _IMPORTERS
        where = "anywhere at the left margin" if not config.importers else "at the end of 'importers:'"
        found.append(Addition("config.yml", where, lines))
    if not config.pipeline:
        found.append(Addition("config.yml", "in place of the empty 'pipeline:'", FULL_PIPELINE + _MINIMIZER_LINE))
    elif not any(is_ours(word, MINIMIZER) for word in config.pipeline):
        found.append(
            Addition("config.yml", "as the last component of 'pipeline:'", _aligned(bot, "pipeline", _MINIMIZER_LINE))
        )
    if not config.policies:
        found.append(Addition("config.yml", "in place of the empty 'policies:'", FULL_POLICIES + _POLICY_LINE))
    elif not any(is_ours(word, POLICY) for word in config.policies):
        found.append(Addition("config.yml", "at the end of 'policies:'", _aligned(bot, "policies", _POLICY_LINE)))
    return found


def _aligned(bot: Bot, block: str, line: str) -> str:
    """Return a line for a block of config.yml, as far from the margin as the block's own entries are."""
    path = bot.folder / "config.yml"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    entry = re.search(_ENTRY.format(block=block), text, re.MULTILINE)
    return line if entry is None else entry["margin"] + line.lstrip()


def _endpoints(bot: Bot) -> list[Addition]:
    found = []
    file = bot.endpoints_file.name
    store = bot.endpoints.get("tracker_store")
    if store.get("type").text != STORE_TYPE:
        where = "in place of the block 'tracker_store:'" if store.node is not None else "anywhere at the left margin"
        found.append(Addition(file, where, _STORE))
    if bot.endpoints.get("action_endpoint").get("url").text is None:
        where = "anywhere at the left margin (the privacy turns run on the action server)"
        found.append(Addition(file, where, _ACTION_SERVER))
    return found


def _actions(bot: Bot) -> list[Addition]:
    if imports_our_actions(bot.folder):
        return []
    package = (bot.folder / "actions").is_dir() or not (bot.folder / "actions.py").exists()
    return [Addition("actions/__init__.py" if package else "actions.py", "at the top", f"import {ACTIONS_MODULE}\n")]
