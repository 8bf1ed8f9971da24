"""Generated conversations in the shape in which rasa 3.6.21 stores those of the example bot.

People say the bot's own training examples and, in the form of the prize draw, generated names, email addresses and
postcodes. Each event has the fields, the metadata and the intent ranking that the trained bot gives it.
"""

import random
import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from bench.support.report import ROOT

BOT: Final = ROOT / "example_bot"

Event = dict[str, Any]

_START: Final = 1_790_000_000.0  # seconds since 1970; the same in each run, so that the bytes are comparable
_RANKED: Final = 10  # intents in a ranking of LogisticRegressionClassifier
_ENTITY: Final = re.compile(r"\[([^\]]+)\]\((\w+)\)")
_NAMES: Final = ("Lena", "Tom", "Maria", "Peter", "Julia", "Ahmed", "Chloe", "Liam", "Priya", "Marek", "Wei", "Ingrid")
_FAMILY: Final = ("Bergstrom", "Fischer", "Santos", "Holm", "Roth", "Khan", "Martin", "Doyle", "Nair", "Nowak", "Zhang")
_FORM: Final = "lead_form"
_SLOTS: Final = ("full_name", "email", "postcode")
_ASKS: Final = {
    "full_name": "utter_ask_lead_form_full_name",
    "email": "utter_ask_lead_form_email",
    "postcode": "utter_ask_postcode",
}
#: Intents that open a form with a purpose that these people did not consent to, and the one that `_form` plays.
_WISHES: Final = frozenset({"book_fitting", "subscribe_newsletter", "enter_draw"})
_FORM_SHARE: Final = 0.15  # of all turns that begin anew, this part enters the draw


class Talk:
    """One person's endless conversation with the bot.

    Args:
        seed: The same seed gives the same conversation.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._now = _START
        self._examples = _examples()
        self._intents = sorted(self._examples)
        domain = yaml.safe_load((BOT / "domain.yml").read_text(encoding="utf-8"))
        self._responses: dict[str, Any] = {name: texts[0] for name, texts in domain["responses"].items()}
        self._metadata = {"model_id": self._hex(), "assistant_id": "northwind-outdoor"}
        self._turns = self._endless()

    def turn(self) -> list[Event]:
        """Return the events of the next turn; the first is the start of the session."""
        return next(self._turns)

    def events(self, count: int) -> list[list[Event]]:
        """Return turns that hold `count` events together; the last turn is cut to that."""
        turns: list[list[Event]] = []
        while count > 0:
            turns.append(self.turn()[:count])
            count -= len(turns[-1])
        return turns

    def _endless(self) -> Iterator[list[Event]]:
        yield [self._event("session_started"), self._action("action_listen", policy=None)]
        while True:
            if self._random.random() < _FORM_SHARE:
                yield from self._form()
            else:
                yield self._question()

    def _question(self) -> list[Event]:
        intent = self._random.choice([name for name in self._intents if name not in _WISHES])
        text, entities = self._random.choice(self._examples[intent])
        reply = f"utter_{intent.removeprefix('ask_')}"
        reply = reply if reply in self._responses else "utter_anything_else"
        slots = [
            self._slot("favourite_activity", found["value"]) for found in entities if found["entity"] == "activity"
        ]
        asked = [self._user(text, intent, entities), *slots, self._event("user_featurization", **_NOT_BY_TEXT)]
        return [*asked, self._action(reply), self._bot(reply), self._action("action_listen")]

    def _form(self) -> Iterator[list[Event]]:
        text, entities = self._random.choice(self._examples["enter_draw"])
        yield [
            self._user(text, "enter_draw", [found for found in entities if found["entity"] != "email"]),
            self._event("user_featurization", **_NOT_BY_TEXT),
            self._action(_FORM),
            self._event("active_loop", name=_FORM),
            *self._ask(_SLOTS[0]),
        ]
        given = self._person()
        for slot, following in zip(_SLOTS, (*_SLOTS[1:], None), strict=True):
            yield [*self._answer(slot, given[slot]), *(self._ask(following) if following else self._done())]

    def _answer(self, slot: str, value: str) -> list[Event]:
        text = f"my name is {value}" if slot == "full_name" and self._random.random() < 0.5 else value  # noqa: PLR2004
        found = {"entity": slot, "start": 0, "end": len(value), "value": value, "extractor": "RegexEntityExtractor"}
        return [
            self._user(text, "inform", [found] if slot == "email" else []),
            self._slot(slot, text),
            self._event("user_featurization", **_NOT_BY_TEXT),
            self._action(_FORM),
            self._slot(slot, value),
        ]

    def _ask(self, slot: str) -> list[Event]:
        return [self._slot("requested_slot", slot), self._bot(_ASKS[slot]), self._action("action_listen")]

    def _done(self) -> list[Event]:
        name = "utter_entry_confirmed"
        reference = "NW-" + "".join(self._random.choices("BCDFGHJKLMNPQRSTVWXZ", k=6))
        said = self._bot(name, template=name, reference=reference)
        said["text"] = said["text"].format(reference=reference)
        end = [self._slot("requested_slot", None), self._event("active_loop", name=None)]
        return [*end, self._action("action_submit_entry"), said, self._action("action_listen")]

    def _person(self) -> dict[str, str]:
        name, family = self._random.choice(_NAMES), self._random.choice(_FAMILY)
        number = self._random.randrange(1, 10_000)
        postcode = f"{self._letters(2)}{self._random.randrange(1, 20)} {self._random.randrange(10)}{self._letters(2)}"
        email = f"{name}.{family}{number}@{self._letters(6)}.example".lower()
        return {"full_name": f"{name} {family}", "email": email, "postcode": postcode}

    def _user(self, text: str, intent: str, entities: list[Event]) -> Event:
        message_id = self._hex()
        ranking = self._ranking(intent)
        parsed = {
            "intent": ranking[0],
            "entities": entities,
            "text": text,
            "message_id": message_id,
            "metadata": {},
            "text_tokens": [list(match.span()) for match in re.finditer(r"[\w@.'-]+", text)],
            "intent_ranking": ranking,
        }
        return self._event("user", text=text, parse_data=parsed, input_channel="rest", message_id=message_id)

    def _ranking(self, intent: str) -> list[Event]:
        others = self._random.sample([name for name in self._intents if name != intent], _RANKED - 1)
        weights = sorted((self._random.expovariate(8) for _ in others), reverse=True)
        best = 1 + self._random.expovariate(1)
        total = best + sum(weights)
        pairs = [(intent, best / total), *zip(others, (weight / total for weight in weights), strict=True)]
        return [{"name": name, "confidence": confidence} for name, confidence in pairs]

    def _bot(self, response: str, **metadata: str) -> Event:
        template = self._responses[response]
        fields = ("elements", "quick_replies", "buttons", "attachment", "image", "custom")
        said = self._event("bot", text=template["text"], data={name: template.get(name) for name in fields})
        said["metadata"] = {"utter_action": response, **metadata, **said["metadata"]}
        return said

    def _action(self, name: str, policy: str | None = "RulePolicy") -> Event:
        confidence = None if policy is None else 1.0
        fields = {"policy": policy, "confidence": confidence, "action_text": None, "hide_rule_turn": policy is not None}
        return self._event("action", name=name, **fields)

    def _slot(self, name: str, value: str | None) -> Event:
        return self._event("slot", name=name, value=value)

    def _event(self, kind: str, **fields: Any) -> Event:
        self._now += self._random.expovariate(1 if kind == "user" else 50)
        return {"event": kind, "timestamp": self._now, "metadata": dict(self._metadata), **fields}

    def _hex(self) -> str:
        return f"{self._random.getrandbits(128):032x}"

    def _letters(self, count: int) -> str:
        return "".join(self._random.choices("ABCDEFGHJKLMNPRSTUVW", k=count))


_NOT_BY_TEXT: Final = {"use_text_for_featurization": False}


def _examples() -> dict[str, list[tuple[str, list[Event]]]]:
    """Return text and entities of each training example, by intent."""
    found: dict[str, list[tuple[str, list[Event]]]] = {}
    for path in sorted((BOT / "data" / "nlu").glob("*.yml")):
        for block in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]:
            if "intent" in block:
                lines = [line.removeprefix("- ").strip() for line in block["examples"].splitlines()]
                found.setdefault(block["intent"], []).extend(_parsed(line) for line in lines if line)
    return found


def _parsed(line: str) -> tuple[str, list[Event]]:
    """Return an example without its marks, and the entities that were marked."""
    entities: list[Event] = []
    text, done = "", 0
    for match in _ENTITY.finditer(line):
        text += line[done : match.start()]
        place = {"start": len(text), "end": len(text) + len(match[1])}
        entities.append({"entity": match[2], **place, "value": match[1], "extractor": "RegexEntityExtractor"})
        text, done = text + match[1], match.end()
    return text + line[done:], entities
