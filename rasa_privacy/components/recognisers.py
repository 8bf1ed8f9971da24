"""`Recognisers`: a recogniser of free wordings for each language of the bot, in one file of its model.

A message is guessed at in one language: the one of which it has the most words, the conversation's where two are equal.
A language of its own for each keeps the words of one from speaking for an intent in another.

What was learned is kept as plain numbers and texts, never as pickled objects: who can change a model file must not be
able to run code by it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from rasa_privacy.components.recogniser import Guess, Recogniser
from rasa_privacy.dialogue.lessons import languages_in, lessons
from rasa_privacy.errors import ModelMismatchError

#: Between a language and the name of a part.
_DOT: Final = "."
#: A message is clearly in a language of which it has so many times the words that it has of any other.
_CLEARLY: Final = 2.0


@dataclass(frozen=True, slots=True)
class Recognisers:
    """What was learned.

    Attributes:
        by_language: A recogniser for each language, at least one.
    """

    by_language: Mapping[str, Recogniser]

    def guess(self, text: str, languages: Sequence[str]) -> Guess | None:
        """Return the likeliest request, or None where the message has nothing that was ever learned.

        Args:
            text: The message as the person wrote it.
            languages: The bot's languages, the conversation's first.
        """
        known = [each for each in languages if each in self.by_language] or list(self.by_language)
        shares = {each: self.by_language[each].knows(text) for each in known}
        spoken = max(known, key=shares.__getitem__)
        guess = self.by_language[spoken].guess(text)
        if guess is None or not self.by_language.keys() >= set(languages):
            return guess  # nothing is clearly in one language where another was never learned
        others = max((share for each, share in shares.items() if each != spoken), default=0.0)
        is_clear = shares[spoken] > 0 and shares[spoken] >= _CLEARLY * others
        return replace(guess, language=spoken) if is_clear else guess

    @classmethod
    def learn(cls, examples: Sequence[tuple[str, str]]) -> "Recognisers | None":
        """Learn from the bot's training data; return None where no pack's examples are in it.

        Args:
            examples: Texts with their intents.
        """
        spoken = languages_in(text for text, _ in examples)
        learned = {each: Recogniser.learn(lessons(examples, each)) for each in spoken}
        by_language = {each: one for each, one in learned.items() if one is not None}
        return cls(by_language) if by_language else None

    def write(self, path: Path) -> None:
        """Write what was learned."""
        parts = {
            f"{language}{_DOT}{name}": part
            for language, one in self.by_language.items()
            for name, part in one.parts().items()
        }
        np.savez_compressed(path, **parts)

    @classmethod
    def read(cls, path: Path) -> "Recognisers":
        """Read what was learned.

        Raises:
            ModelMismatchError: The file is not what `write` makes.
        """
        try:
            with np.load(path, allow_pickle=False) as held:
                languages = sorted({name.partition(_DOT)[0] for name in held.files})
                parts = {
                    each: {name.partition(_DOT)[2]: held[name] for name in held.files if name.startswith(each + _DOT)}
                    for each in languages
                }
            read = {each: Recogniser.of_parts(part) for each, part in parts.items()}
        except (OSError, ValueError, KeyError) as error:
            raise _damaged() from error
        if not read:
            raise _damaged()
        return cls(read)


def _damaged() -> ModelMismatchError:
    return ModelMismatchError(
        "the model's part that recognises privacy requests is damaged or of another version; run 'rasa train' again"
    )
