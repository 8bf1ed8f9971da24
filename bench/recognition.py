"""How well privacy requests are understood, per language, and what the packs cost the bot's own messages.

For each language the example bot is trained with that pack beside English, and with some messages of its own intents in
that language; arguments name the languages. The figures are of paraphrases and everyday messages that are no examples
(`tests/dialogue`).
"""

import asyncio
import logging
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, Final

import msgspec
import structlog
import yaml

from bench.support.report import ROOT, Table, publish, verdict
from rasa_privacy.dialogue.lessons import sampled
from rasa_privacy.dialogue.packs import available_languages, load_keywords, load_pack
from rasa_privacy.dialogue.samples import samples
from rasa_privacy.dialogue.turns import INTENTS, REPLIES
from rasa_privacy.minimize.events import EventSplitter
from rasa_privacy.policy.loader import load_policy
from rasa_privacy.policy.needs import Needs

GOAL_RECALL: Final = 0.95
GOAL_ALARMS: Final = 0.005
GOAL_LOSS: Final = 0.005
GOAL_CORE: Final = 0.99
SAID: Final = ROOT / "tests" / "dialogue"
_TELEMETRY: Final = {"RASA_TELEMETRY_ENABLED": "false"}

METHOD: Final = """A request counts as understood where the trained model with our minimizer gives its intent; a guess
at STOP that became a withdrawal counts too, since it is asked about. An everyday message is an alarm where it became
any privacy request. Somebody else wrote the messages, without having seen the packs; they are counted and never read
one by one. Those that happen to be an example word for word are not counted. Answers (yes, no) are not in it: they
are read by fixed wordings while a question is open. The core column is how many requests to delete, to withdraw and
to stop in the fixed wordings are understood, of sentences made of them at random. The last column is how many of the
example bot's own held-out messages keep their intent, beside the same bot without ours."""


def bot_in(folder: Path, language: str, *, packs: bool = True) -> Path:
    """Copy the example bot, let it speak one more language, and train it; return the model."""
    shutil.copytree(ROOT / "example_bot", folder, ignore=shutil.ignore_patterns("models", "keys", "*.db*", ".rasa"))
    policy = yaml.safe_load((folder / "privacy.yml").read_text(encoding="utf-8"))
    policy["languages"] = list(dict.fromkeys(["en", language]))
    for declared in (*policy["purposes"].values(), *policy["items"].values()):
        for texts in (declared.get("says"), declared.get("called")):
            if texts:
                texts.setdefault(language, texts["en"])
    (folder / "privacy.yml").write_text(yaml.safe_dump(policy, allow_unicode=True), encoding="utf-8")
    if language != "en":
        shutil.copy(ROOT / "bench" / "support" / "own_messages.yml", folder / "data" / "nlu")
    if not packs:
        without_packs(folder)
    rasa = Path(sys.executable).with_name("rasa")
    command = [str(rasa), "train", "nlu", "--fixed-model-name", "m"]
    done = subprocess.run(  # noqa: S603 - our own command
        command, cwd=folder, env={**os.environ, **_TELEMETRY}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"training failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return folder / "models" / "m.tar.gz"


def without_packs(folder: Path) -> None:
    """Take our components out of a copy of the example bot."""
    config = yaml.safe_load((folder / "config.yml").read_text(encoding="utf-8"))
    config.pop("importers", None)
    for part in ("pipeline", "policies"):
        config[part] = [each for each in config[part] if not str(each["name"]).startswith("rasa_privacy.")]
    (folder / "config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")


def intents_of(model: Path, texts: list[str]) -> list[str | None]:
    """Return the intent of each text."""
    from rasa.core.agent import Agent  # noqa: PLC0415 - takes seconds, and only where it is needed

    agent = Agent.load(str(model))

    async def read() -> list[str | None]:
        parsed: list[dict[str, Any]] = [await agent.parse_message(text) for text in texts]
        return [(each.get("intent") or {}).get("name") for each in parsed]

    return asyncio.run(read())


def held_out(language: str) -> list[tuple[str, str]]:
    """Return the held-out requests with their intents."""
    found: dict[str, list[str]] = yaml.safe_load((SAID / f"heldout_{language}.yml").read_text(encoding="utf-8"))
    trained = _trained(language)
    return [(text, intent) for intent, texts in found.items() for text in texts if _plain(text) not in trained]


def _trained(language: str) -> set[str]:
    """Return what is learned from, in plain words."""
    examples = [line[2:] for block in load_pack(language).nlu for line in str(block["examples"]).splitlines()]
    return {_plain(text) for text in (*examples, *(text for text, _ in sampled(language)))}


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def core(language: str) -> list[tuple[str, str]]:
    """Return sentences of the fixed wordings by which people delete, withdraw and stop."""
    wordings = load_keywords(language)
    sections = {"privacy_delete": "privacy_delete", "privacy_withdraw": "privacy_withdraw", "opt_out": "privacy_stop"}
    return [(text, intent) for name, intent in sections.items() for text in samples(wordings, name, 5)]


def ordinary(language: str) -> list[str]:
    """Return the held-out everyday messages."""
    found: list[str] = yaml.safe_load((SAID / f"ordinary_{language}.yml").read_text(encoding="utf-8"))
    trained = _trained(language)
    return [text for text in found if _plain(text) not in trained]


def speak(folder: Path, language: str) -> None:
    """Let the minimizer read messages in this language first, as it does in a conversation that is in it."""
    from rasa_privacy.components import runtime  # noqa: PLC0415 - imports rasa

    policy = load_policy(folder / "privacy.yml")
    languages = (language, *(each for each in policy.languages if each != language))
    policy = msgspec.structs.replace(policy, languages=languages)
    vault: Any = SimpleNamespace(policy=policy)
    patience: Any = None
    runtime.install(runtime.Runtime(vault, EventSplitter(policy), Needs(policy), language, patience))


def own_accuracy(model: Path) -> float:
    """Return the share of the example bot's own held-out messages that keep their intent."""
    messages = yaml.safe_load((ROOT / "tests" / "example_bot" / "heldout.yml").read_text(encoding="utf-8"))
    pairs = [(text, intent) for intent, texts in messages.items() for text in texts]
    found = intents_of(model, [text for text, _ in pairs])
    return float(sum(name == intent for name, (_, intent) in zip(found, pairs, strict=True))) / len(pairs)


def measure(language: str, folder: Path, before: float) -> tuple[str, ...]:
    """Return a language's row."""
    model = bot_in(folder, language)
    speak(folder, language)
    requests, everyday, fixed = held_out(language), ordinary(language), core(language)
    hits, cores = _understood(model, requests), _understood(model, fixed)
    alarms = sum(name in INTENTS and name not in REPLIES for name in intents_of(model, everyday))
    recall, rate, after = hits / len(requests), alarms / len(everyday), own_accuracy(model)
    met = (
        recall >= GOAL_RECALL
        and rate <= GOAL_ALARMS
        and before - after <= GOAL_LOSS
        and cores / len(fixed) >= GOAL_CORE
    )
    shown = f"{after:.1%} (without: {before:.1%})"
    counted = (f"{recall:.1%} of {len(requests)}", f"{rate:.1%} of {len(everyday)}", f"{cores / len(fixed):.1%}")
    return language, *counted, shown, verdict(met=met)


def _understood(model: Path, requests: list[tuple[str, str]]) -> int:
    """Return how many requests get their intent; who wants no more messages may also be asked what is meant."""
    alike = {"privacy_stop": "privacy_withdraw"}
    found = intents_of(model, [text for text, _ in requests])
    return sum(name in (intent, alike.get(intent, intent)) for name, (_, intent) in zip(found, requests, strict=True))


def main() -> None:
    """Measure, print, and write the document."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    import rasa_privacy.components.rasa_api  # noqa: F401, PLC0415 - Rasa is wanted here, and imported once

    with TemporaryDirectory() as folder:
        before = own_accuracy(bot_in(Path(folder, "without"), "en", packs=False))
        wanted = sys.argv[1:] or available_languages()
        rows = [measure(language, Path(folder, language), before) for language in wanted]
    goals = (f">= {GOAL_RECALL:.0%}", f"<= {GOAL_ALARMS:.1%}", f">= {GOAL_CORE:.0%}", f"at most {GOAL_LOSS:.1%} less")
    goal = ("goal", *goals, "")
    head = ("language", "requests understood", "false alarms", "core wordings", "the bot's own messages", "")
    publish("recognition", Table("Understanding privacy requests", " ".join(METHOD.split()), head, [*rows, goal]))


if __name__ == "__main__":
    main()
