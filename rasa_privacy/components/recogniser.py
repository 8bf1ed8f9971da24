"""`Recogniser`: guesses whether a free wording is a privacy request, and which, beside the bot's own classifier.

A linear classifier (logistic regression, one intent against all the rest) over pieces and runs of words
(`dialogue.features`), trained with the bot. It knows many everyday messages that a small bot has no examples of, which
is what keeps "how long does the draw run" out. ADR 15 has the choice and the figures.

What it learned is kept as plain numbers and texts, never as pickled objects: who can change a model file must not be
able to run code by it.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from rasa_privacy.dialogue.features import pieces, runs
from rasa_privacy.dialogue.lessons import ORDINARY, lessons
from rasa_privacy.dialogue.turns import REPLIES
from rasa_privacy.errors import ModelMismatchError

#: How much an example that is wrong costs against simple weights; chosen on the development messages (ADR 15).
_COST: Final = 30.0
#: How near to the best weights training goes; nearer takes twice as long and changes no guess.
_NEAR: Final = 0.01
#: A piece that is in one example only says nothing about others.
_OCCURS: Final = 2
#: The analysers, in the order of their blocks of weights.
_ANALYSERS: Final = (pieces, runs)
_SEPARATOR: Final = "\n"

_Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Guess:
    """What a free wording may mean.

    Attributes:
        intent: The likeliest privacy request.
        sure: From 0 to 1, how likely the message is a privacy request at all.
    """

    intent: str
    sure: float


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
        best = max(requests, key=lambda at: float(shares[at]))
        return Guess(self.intents[best], float(shares[requests].sum() / shares.sum()))

    def _scored(self, counts: Counter[int]) -> npt.NDArray[np.float64]:
        """Return what one block of features adds to each column: log frequency by rarity, of length one."""
        rows = np.fromiter(counts, dtype=np.int64)
        values = np.array([1.0 + math.log(count) for count in counts.values()]) * self.rarity[rows]
        scored: npt.NDArray[np.float64] = (values / np.linalg.norm(values)) @ self.weights[rows]
        return scored

    @classmethod
    def learn(cls, examples: Sequence[tuple[str, str]]) -> "Recogniser | None":
        """Learn from the bot's training data; return None where no pack's examples are in it.

        Args:
            examples: Texts with their intents.
        """
        from scipy.sparse import hstack  # noqa: PLC0415 - comes with Rasa, and is needed for training only
        from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 - as above
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - as above

        learned = lessons(examples)
        texts, intents = [text for text, _ in learned], [intent for _, intent in learned]
        if len(set(intents) - {ORDINARY}) < 2 or ORDINARY not in intents:  # noqa: PLR2004 - nothing to tell apart
            return None
        blocks = [TfidfVectorizer(analyzer=analyse, sublinear_tf=True, min_df=_OCCURS) for analyse in _ANALYSERS]
        table = hstack([block.fit_transform(texts) for block in blocks]).tocsr()
        model = LogisticRegression(C=_COST, tol=_NEAR, solver="liblinear", multi_class="ovr", random_state=0)
        model.fit(table, intents)
        return cls(
            intents=tuple(map(str, model.classes_)),
            places=_places([block.vocabulary_ for block in blocks]),
            rarity=np.concatenate([block.idf_ for block in blocks]).astype(np.float32),
            weights=model.coef_.T.astype(np.float32),
            offsets=model.intercept_.astype(np.float32),
        )

    def write(self, path: Path) -> None:
        """Write what was learned."""
        texts = {f"features_{at}": _as_bytes(sorted(one, key=one.__getitem__)) for at, one in enumerate(self.places)}
        np.savez_compressed(
            path,
            intents=_as_bytes(self.intents),
            rarity=self.rarity,
            weights=self.weights,
            offsets=self.offsets,
            **texts,
        )

    @classmethod
    def read(cls, path: Path) -> "Recogniser":
        """Read what was learned.

        Raises:
            ModelMismatchError: The file is not what `write` makes.
        """
        try:
            with np.load(path, allow_pickle=False) as held:
                names = [_as_texts(held[f"features_{at}"]) for at in range(len(_ANALYSERS))]
                read = cls(
                    intents=tuple(_as_texts(held["intents"])),
                    places=_places([{name: at for at, name in enumerate(block)} for block in names]),
                    rarity=held["rarity"].astype(np.float32),
                    weights=held["weights"].astype(np.float32),
                    offsets=held["offsets"].astype(np.float32),
                )
        except (OSError, ValueError, KeyError) as error:
            raise _damaged() from error
        rows, columns = sum(map(len, read.places)), len(read.intents)
        if (read.weights.shape, read.rarity.shape, read.offsets.shape) != ((rows, columns), (rows,), (columns,)):
            raise _damaged()
        return read


def _damaged() -> ModelMismatchError:
    return ModelMismatchError(
        "the model's part that recognises privacy requests is damaged or of another version; run 'rasa train' again"
    )


def _places(blocks: Sequence[dict[str, Any]]) -> tuple[dict[str, int], ...]:
    """Return the row of each feature, where the blocks stand one below the other."""
    starts = [sum(map(len, blocks[:at])) for at in range(len(blocks))]
    return tuple({name: start + int(at) for name, at in one.items()} for start, one in zip(starts, blocks, strict=True))


def _as_bytes(texts: Sequence[str]) -> npt.NDArray[np.uint8]:
    return np.frombuffer(_SEPARATOR.join(texts).encode(), dtype=np.uint8)


def _as_texts(data: npt.NDArray[np.uint8]) -> list[str]:
    return data.tobytes().decode().split(_SEPARATOR)
