"""Makes dictionary 1: `python tests/vectors/make_dictionary.py > rasa_privacy/crypto/dictionary_1.zdict`.

Trained on made-up conversations of made-up bots in the shape of docs/spec/segment.md, section 5: rows, values and
manifests. Nothing of a real bot or person is in it. A dictionary that was given out never changes, since what was
written with it must be read: make one of the next number, with a codec of its own. The bytes are those
of zstandard 0.25.
"""

import random
import sys
from typing import Any, Final

import msgspec
import zstandard

_BYTES: Final = 4096
_SAMPLES: Final = 3000
_LEVEL: Final = 3
_WORDS: Final = [
    "order",
    "refund",
    "status",
    "greet",
    "goodbye",
    "affirm",
    "deny",
    "cancel",
    "book",
    "table",
    "flight",
    "hotel",
    "weather",
    "balance",
    "transfer",
    "card",
    "block",
    "help",
    "human",
    "faq",
    "price",
    "opening",
    "hours",
    "delivery",
    "track",
    "return",
    "size",
    "color",
    "support",
    "bot",
    "challenge",
    "thank",
    "out_of_scope",
    "nlu_fallback",
    "inform",
    "restart",
]
_TEXTS: Final = (
    "Hello! How can I help you today?",
    "Which date would you like?",
    "Thank you, that is all I need.",
    "I am sorry, I did not understand that. Could you say it again?",
    "Would you like to talk to a person?",
    "What is your email address?",
    "Please tell me your name.",
    "We are open from nine to five on weekdays.",
    "Your order is on its way and should arrive tomorrow.",
    "You can return it within thirty days.",
)
_POLICIES: Final = ("RulePolicy", "RulePolicy", "TEDPolicy", "MemoizationPolicy", "AugmentedMemoizationPolicy")
_LISTEN: Final = "action_listen"


class _Bot:
    """A made-up bot: its ids, its intents, and its clock."""

    def __init__(self, source: random.Random) -> None:
        self._random = source
        self._now = 1.7e9 + source.random() * 1e8
        letters = "abcdefghijklmnopqrstuvwxyz-"
        self._origin: Any = [f"{source.getrandbits(128):032x}", "".join(source.choices(letters, k=14))]
        self._intents = source.sample(_WORDS, 14)

    def rows(self) -> list[Any]:
        """Return the structure of one conversation."""
        rows = [self._action("action_session_start", None, 1.0, by_rule=False), [7, self._now, 1]]
        rows[0][2] = self._origin
        rows.append(self._action(_LISTEN, None, None, by_rule=False))
        for _ in range(self._random.randrange(2, 6)):
            rows += self._turn()
        return rows

    def _turn(self) -> list[Any]:
        self._now += self._random.expovariate(0.2)
        text = " ".join(self._random.choices(_WORDS, k=self._random.randrange(2, 7)))
        said: list[Any] = [3, self._now, None, text, "rest", self._random.randbytes(16), None, self._ranking(), []]
        rows: list[Any] = [said, [5, self._soon(), 1, False]]
        for _ in range(self._random.choice((1, 1, 2))):
            name = "utter_" + "_".join(self._random.sample(_WORDS, 2))
            rows.append(self._action(name, self._random.choice(_POLICIES), 1.0, by_rule=True))
            rows.append([4, self._soon(), 1, name, self._random.choice(_TEXTS), None])
            if self._random.random() < 0.2:
                rows.append([2, self._soon(), 1, self._random.choice(("requested_slot", "name", "email")), None])
            if self._random.random() < 0.1:
                rows.append([6, self._soon(), 1, self._random.choice((None, "order_form"))])
        return [*rows, self._action(_LISTEN, "RulePolicy", 1.0, by_rule=True)]

    def _action(self, name: str, policy: str | None, confidence: float | None, *, by_rule: bool) -> list[Any]:
        return [1, self._soon(), 1, name, policy, confidence, by_rule]

    def _soon(self) -> float:
        return self._now + self._random.random() / 3

    def _ranking(self) -> dict[str, float]:
        intents = self._random.sample(self._intents, 10)
        weights = sorted((self._random.random() ** 4 for _ in intents), reverse=True)
        return {intent: weight / sum(weights) for intent, weight in zip(intents, weights, strict=True)}

    def values(self) -> list[Any]:
        """Return a purpose's values: a slot's and an entity's."""
        paths: tuple[list[Any], ...] = (["value"], ["parse_data", "entities", 0, "value"])
        items = self._random.sample(("full_name", "email", "phone", "postcode"), 2)
        return [
            [self._random.randrange(60), path, item, self._random.choice(_WORDS)]
            for item in items
            for path in self._random.sample(paths, 2)
        ]

    def manifest(self) -> list[Any]:
        """Return the head of a conversation."""
        count, tag = self._random.randrange(4, 60), self._random.randbytes
        purposes = {"service": [[0, count, 0, tag(16)]]}
        if self._random.random() < 0.3:
            purposes[self._random.choice(("newsletter", "marketing"))] = [[9, 2, 0, tag(16)]]
        return [count, 0, 0, bytes(32), purposes]


def samples() -> list[bytes | bytearray | memoryview]:
    """Return the payloads that the dictionary is trained on, the same in each run."""
    source = random.Random(5)  # noqa: S311 - made up, and the same in each run
    encode = msgspec.msgpack.Encoder().encode
    found: list[bytes | bytearray | memoryview] = []
    for number in range(_SAMPLES):
        bot = _Bot(source)
        found.append(encode(bot.rows()))
        if number % 4 == 0:
            found += [encode(bot.values()), encode(bot.manifest())]
    return found


if __name__ == "__main__":
    trained = zstandard.train_dictionary(_BYTES, samples(), level=_LEVEL, dict_id=1)
    sys.stdout.buffer.write(trained.as_bytes())
