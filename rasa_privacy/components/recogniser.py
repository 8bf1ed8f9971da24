"""`Recogniser`: guesses whether a free wording of one language is a privacy request, and which.

A linear classifier (logistic regression, one intent against all the rest) over pieces, runs, pairs and stretches of
words (`dialogue.features`), trained with the bot; `recognisers` has one for each language. It knows many everyday
messages that a small bot has no examples of, which is what keeps "how long does the draw run" out. ADR 15 has the
choice and the figures.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rasa_privacy.dialogue.features import pairs, pieces, runs, stretches, words
from rasa_privacy.dialogue.lessons import ORDINARY
from rasa_privacy.dialogue.names import REPLIES

#: Raised when something else is learned from the same lessons, so that Rasa does not take what it learned before.
FORM: Final = 2
#: How much an example that is wrong costs against simple weights; chosen on the development messages (ADR 15).
_COST: Final = 30.0
#: How near to the best weights training goes; nearer takes longer and was worse on the development messages.
_NEAR: Final = 0.1
#: The analysers, in the order of their blocks of weights, each with how many examples a feature must be in: one that is
#: in a single example says nothing about others, and stretches are so many that rare ones only make a model big.
_OCCURS: Final = {pieces: 2, runs: 2, pairs: 2, stretches: 3}
_ANALYSERS: Final = tuple(_OCCURS)
#: Which of them has single words.
_OF_WORDS: Final = 1
_SEPARATOR: Final = "\n"
#: So many requests a guess names, the likeliest among them.
LIKELIEST: Final = 3

_Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Guess:
    """What a free wording may mean.

    Attributes:
        intent: The likeliest privacy request.
        others: The next likeliest ones, likeliest first.
        rival: From 0 to 1, how likely the next one is against the likeliest.
        sure: From 0 to 1, how likely the message is a privacy request at all.
        language: The language that the message is clearly written in; None where that is open.
    """

    intent: str
    sure: float
    others: tuple[str, ...] = ()
    rival: float = 0.0
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Recogniser:
    """What was learned.

    Attributes:
        intents: Names of the columns of `weights`, `ORDINARY` among them.
        places: For each analyser the row of each of its features.
        rarity: For each row how much the feature counts (its inverse document frequency).
        weights: Rows by columns.
        offsets: One for each column.
    """

    intents: tuple[str, ...]
    places: tuple[dict[str, int], ...]
    rarity: _Floats
    weights: _Floats
    offsets: _Floats

    def guess(self, text: str) -> Guess | None:
        """Return the likeliest request, or None where the message has nothing that was ever learned."""
        scores = self.offsets.astype(np.float64)
        known = False
        for analyse, places in zip(_ANALYSERS, self.places, strict=True):
            counts = Counter(places[feature] for feature in analyse(text) if feature in places)
            if counts:
                known = True
                scores = scores + self._scored(counts)
        if not known:
            return None
        shares = 1.0 / (1.0 + np.exp(-scores))
        requests = [at for at, name in enumerate(self.intents) if name != ORDINARY and name not in REPLIES]
        best, *others = sorted(requests, key=lambda at: -float(shares[at]))[:LIKELIEST]
        sure = float(shares[requests].sum() / shares.sum())
        rival = float(shares[others[0]] / shares[best]) if others else 0.0
        return Guess(self.intents[best], sure, tuple(self.intents[at] for at in others), rival)

    def _scored(self, counts: Counter[int]) -> npt.NDArray[np.float64]:
        """Return what one block of features adds to each column: log frequency by rarity, of length one."""
        rows = np.fromiter(counts, dtype=np.int64)
        values = np.array([1.0 + math.log(count) for count in counts.values()]) * self.rarity[rows]
        scored: npt.NDArray[np.float64] = (values / np.linalg.norm(values)) @ self.weights[rows]
        return scored

    def knows(self, text: str) -> float:
        """Return the share of the message's words that were ever learned, from 0 to 1."""
        said, known = words(text), self.places[_OF_WORDS]
        return sum(word in known for word in said) / len(said) if said else 0.0

    @classmethod
    def learn(cls, learned: Sequence[tuple[str, str]]) -> "Recogniser | None":
        """Learn from texts with what each is (`dialogue.lessons`); return None where there is nothing to tell apart."""
        from scipy.sparse import hstack  # noqa: PLC0415 - comes with Rasa, and is needed for training only
        from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 - as above
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - as above

        texts, intents = [text for text, _ in learned], [intent for _, intent in learned]
        if len(set(intents) - {ORDINARY}) < 2 or ORDINARY not in intents:  # noqa: PLR2004 - nothing to tell apart
            return None
        blocks = [TfidfVectorizer(analyzer=one, sublinear_tf=True, min_df=least) for one, least in _OCCURS.items()]
        table = hstack([block.fit_transform(texts) for block in blocks]).tocsr()
        model = LogisticRegression(C=_COST, tol=_NEAR, solver="liblinear", multi_class="ovr", random_state=0)
        model.fit(table, intents)
        return cls(
            intents=tuple(map(str, model.classes_)),
            places=_places([block.vocabulary_ for block in blocks]),
            rarity=np.concatenate([block.idf_ for block in blocks]).astype(np.float32),
            # Half the bytes in the file; rounded here already, so that what is read back guesses the same.
            weights=model.coef_.T.astype(np.float16).astype(np.float32),
            offsets=model.intercept_.astype(np.float32),
        )

    def parts(self) -> dict[str, npt.NDArray[Any]]:
        """Return what was learned as arrays of numbers and bytes."""
        texts = {f"features_{at}": _as_bytes(sorted(one, key=one.__getitem__)) for at, one in enumerate(self.places)}
        numbers: dict[str, npt.NDArray[Any]]
        numbers = {"rarity": self.rarity, "weights": self.weights.astype(np.float16), "offsets": self.offsets}
        return {"intents": _as_bytes(self.intents), **numbers, **texts}

    @classmethod
    def of_parts(cls, held: Mapping[str, npt.NDArray[Any]]) -> "Recogniser":
        """Return what `parts` gave.

        Raises:
            KeyError: A part is missing.
            ValueError: The parts do not fit together.
        """
        names = [_as_texts(held[f"features_{at}"]) for at in range(len(_ANALYSERS))]
        read = cls(
            intents=tuple(_as_texts(held["intents"])),
            places=_places([{name: at for at, name in enumerate(block)} for block in names]),
            rarity=held["rarity"].astype(np.float32),
            weights=held["weights"].astype(np.float32),
            offsets=held["offsets"].astype(np.float32),
        )
        rows, columns = sum(map(len, read.places)), len(read.intents)
        if (read.weights.shape, read.rarity.shape, read.offsets.shape) != ((rows, columns), (rows,), (columns,)):
            raise ValueError("parts of a recogniser do not fit together")
        return read


def _places(blocks: Sequence[dict[str, Any]]) -> tuple[dict[str, int], ...]:
    """Return the row of each feature, where the blocks stand one below the other."""
    starts = [sum(map(len, blocks[:at])) for at in range(len(blocks))]
    return tuple({name: start + int(at) for name, at in one.items()} for start, one in zip(starts, blocks, strict=True))


def _as_bytes(texts: Sequence[str]) -> npt.NDArray[np.uint8]:
    return np.frombuffer(_SEPARATOR.join(texts).encode(), dtype=np.uint8)


def _as_texts(data: npt.NDArray[np.uint8]) -> list[str]:
    return data.tobytes().decode().split(_SEPARATOR)
