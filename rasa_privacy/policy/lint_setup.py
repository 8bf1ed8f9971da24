"""Are the plug-ins in place: config.yml, endpoints.yml, the actions, the keys?"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rasa_privacy.errors import ConfigurationError
from rasa_privacy.policy.bot import ACTIONS_MODULE, Bot, imports_our_actions
from rasa_privacy.policy.detector_packages import missing_packages
from rasa_privacy.policy.findings import Finding
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.sender_settings import load_sender_settings
from rasa_privacy.policy.settings import load_settings
from rasa_privacy.policy.suggest import listed, shown
from rasa_privacy.policy.yaml_tree import Word

IMPORTER: Final = "PrivacyImporter"
MINIMIZER: Final = "DataMinimizer"
POLICY: Final = "ConsentPolicy"
_OTHERS_BITS: Final = stat.S_IRWXG | stat.S_IRWXO


def is_ours(word: Word, name: str) -> bool:
    """Tell whether a component of config.yml is this one of ours, by its short or its full path."""
    return word.text == f"rasa_privacy.{name}" or (
        word.text.startswith("rasa_privacy.") and word.text.endswith(f".{name}")
    )


def components(bot: Bot, _policy: Policy, _file: str) -> Iterator[Finding]:
    """RP007, RP008, RP009 and RP020."""
    config = bot.config
    for section, words in (("pipeline", config.pipeline), ("policies", config.policies)):
        if not words:
            why = f"'{section}' is empty, and Rasa cannot fill it in by itself where several importers are named"
            yield Finding("RP020", config.file, why, "write it out; 'rasa-privacy check' prints one to paste")
    places = [index for index, word in enumerate(config.pipeline) if is_ours(word, MINIMIZER)]
    if config.pipeline and not places:
        why = "DataMinimizer is not in the pipeline, so personal data is collected without consent"
        yield Finding("RP007", config.file, why, f"add '- name: rasa_privacy.{MINIMIZER}' as its last component")
    elif places and places[-1] != len(config.pipeline) - 1:
        after = shown(config.pipeline[-1].text)
        why = f"DataMinimizer is not last: {after} runs after it and can find what it has removed"
        yield Finding("RP008", str(config.pipeline[places[-1]].place), why, "move it to the end of the pipeline")
    if config.policies and not any(is_ours(word, POLICY) for word in config.policies):
        why = "ConsentPolicy is not among the policies, so nobody is asked"
        yield Finding("RP009", config.file, why, f"add '- name: rasa_privacy.{POLICY}' to 'policies'")


def detectors(_bot: Bot, policy: Policy, file: str) -> Iterator[Finding]:
    """RP063."""
    for why, remedy in missing_packages(policy):
        yield Finding("RP063", file, why, remedy)


def importers(bot: Bot, _policy: Policy, _file: str) -> Iterator[Finding]:
    """RP010."""
    file, words = bot.config.file, bot.config.importers
    if not any(is_ours(word, IMPORTER) for word in words):
        why = "PrivacyImporter is missing, so the bot does not know the privacy turns"
        remedy = f"add '- name: RasaFileImporter' and '- name: rasa_privacy.{IMPORTER}' under 'importers'"
        yield Finding("RP010", file, why, remedy)
    elif all(is_ours(word, IMPORTER) for word in words):
        why = "PrivacyImporter is the only importer, so the bot's own files are not read"
        yield Finding("RP010", file, why, "add '- name: RasaFileImporter' before it")


def endpoints(bot: Bot, _policy: Policy, _file: str) -> Iterator[Finding]:
    """RP011 and RP019."""
    try:
        load_settings(bot.endpoints_file)
    except ConfigurationError as error:
        place, _, why = str(error).partition(": ")  # the error's own words begin with the place
        yield Finding("RP011", place, why, "mend this in endpoints.yml; until then no conversation is encrypted")
    if bot.endpoints.get("action_endpoint").get("url").text is None:
        why = "there is no 'action_endpoint', and the privacy turns run on the action server"
        remedy = "add 'action_endpoint: {url: \"http://localhost:5055/webhook\"}' and start the action server"
        yield Finding("RP019", str(bot.endpoints_file), why, remedy)


def code_sender(bot: Bot, policy: Policy, _file: str) -> Iterator[Finding]:
    """RP035."""
    confirming = [name for name, purpose in policy.purposes.items() if purpose.double_opt_in]
    if not confirming and policy.identity is None:
        return
    try:
        load_sender_settings(bot.endpoints_file)
    except ConfigurationError as error:
        place, _, why = str(error).partition(": ")
        remedy = f"until then nobody can agree to {listed(confirming)}"
        if not confirming:
            remedy = "until then nobody can prove who they are, which 'identity' asks for"
        yield Finding("RP035", place, why, remedy)


def actions(bot: Bot, _policy: Policy, _file: str) -> Iterator[Finding]:
    """RP012."""
    if not imports_our_actions(bot.folder):
        place = str(bot.folder / "actions" / "__init__.py")
        why = "the bot's actions do not import the privacy turns, so the action server does not have them"
        yield Finding("RP012", place, why, f"add the line 'import {ACTIONS_MODULE}'")


def key_folder(bot: Bot, _policy: Policy, _file: str) -> Iterator[Finding]:
    """RP013. Where the settings are wrong, RP011 says so."""
    try:
        named = load_settings(bot.endpoints_file).keys.path
    except ConfigurationError:
        return
    if named is None or os.name != "posix" or not (bot.folder / named).exists():
        return
    keys = bot.folder / named
    for path in (keys, *sorted(keys.glob("kek-*"))):
        if _open_to_others(path):
            why = "others on this computer can read or change the keys, and with them every conversation"
            yield Finding("RP013", str(path), why, f"run: chmod go-rwx {path}")


def _open_to_others(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & _OTHERS_BITS)
    except OSError:
        return False
