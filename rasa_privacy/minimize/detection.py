"""`Detection`: everything that looks for personal data in a text, as one privacy.yml has it.

Rules:

1. The detectors by patterns read every text. Where privacy.yml has `detectors: presidio:`, so do its models, those of
   all languages: people change the language within a conversation.
2. Where a pattern found something, or stands what `masking` wrote, a model's word does not count.
3. Models have a deadline (`deadline`). A text that they did not read to its end counts as not searched.
4. What a model said of a text is remembered, and so is that it did not answer, for a while: every door asks for the
   same texts. What is kept is a keyed hash of the text, and places in it.
"""

import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from hashlib import blake2b
from threading import Lock
from typing import Final, Protocol

from rasa_privacy.errors import DetectorError
from rasa_privacy.minimize.deadline import Deadline
from rasa_privacy.minimize.detectors import DETECTORS, Finding, count_failure, find
from rasa_privacy.minimize.event_fields import SENDER
from rasa_privacy.minimize.masking import PLACEHOLDER
from rasa_privacy.minimize.presidio import Models
from rasa_privacy.policy.detector_names import PRESIDIO_NAMES
from rasa_privacy.policy.detector_packages import require_packages
from rasa_privacy.policy.item_model import Presidio
from rasa_privacy.policy.model import Policy

_MOST_REMEMBERED: Final = 1_000  # texts
_REMEMBERED_SECONDS: Final = 60.0
_EDGES: Final = re.compile(r"[\s\W_]*")
_KEY: Final = secrets.token_bytes(32)

#: Start, end and kind of what a model found.
Span = tuple[int, int, str]


class Search(Protocol):
    """Reads a text by a model."""

    def __call__(self, text: str, /) -> Iterable[Span]:
        """Return start, end and kind of each finding."""


class Detection:
    """The detectors of one privacy.yml.

    Args:
        policy: The privacy.yml in force.

    Raises:
        ConfigurationError: It asks for what is not installed.
    """

    def __init__(self, policy: Policy) -> None:
        require_packages(policy)
        self._presidio = policy.detectors.presidio
        self._names = frozenset({*DETECTORS, *PRESIDIO_NAMES, *policy.items, "withheld", SENDER})
        self._model: _Remembered | None = None
        self._lock = Lock()

    @property
    def takes_long(self) -> bool:
        """Whether a search takes milliseconds, so that it has no place in an event loop."""
        return self._presidio is not None

    def load(self) -> None:
        """Load the models now and not with the first text.

        Raises:
            ConfigurationError: One cannot be loaded.
        """
        if self._presidio is not None:
            self._read(self._presidio, "Ana")

    def find(self, text: str) -> list[Finding]:
        """Return what is found, sorted and without overlaps.

        Raises:
            DetectorError: The text was not searched, or not to its end; it is to be taken for personal data.
            ConfigurationError: A model cannot be loaded.
        """
        findings = find(text)
        if self._presidio is None or not text:
            return findings
        masked = [found.span() for found in PLACEHOLDER.finditer(text) if found[1] in self._names]
        return _beside(text, findings, self._read(self._presidio, text), masked)

    def search_ahead(self, texts: Iterable[str]) -> None:
        """Let the models read these texts now, so that nothing waits for them where they are looked at next."""
        for text in texts:
            with suppress(DetectorError):
                self.find(text)

    def _read(self, settings: Presidio, text: str) -> Sequence[Span]:
        with self._lock:
            if self._model is None:
                self._model = remembered_model(settings)
        return self._model(text)


class _Remembered:
    """A model with its deadline and what it said lately."""

    def __init__(self, search: Search, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._search = search
        self._deadline = Deadline("presidio", seconds, clock)
        self._clock = clock
        self._said: OrderedDict[bytes, tuple[float, Sequence[Span] | None]] = OrderedDict()
        self._lock = Lock()

    def __call__(self, text: str) -> Sequence[Span]:
        """Return what the model finds.

        Raises:
            DetectorError: It failed or did not come back, now or a while ago.
        """
        key = blake2b(text.encode("utf-8", "surrogatepass"), key=_KEY, digest_size=16).digest()
        at, said = self._said.get(key, (float("-inf"), None))
        if said is not None:
            return said
        if self._clock() - at < _REMEMBERED_SECONDS:
            raise DetectorError("a detector did not read this text a moment ago; withhold it")
        try:
            said = self._ask(text)
            return said
        finally:
            self._remember(key, said)

    def _ask(self, text: str) -> Sequence[Span]:
        try:
            return self._deadline.run(lambda: tuple(self._search(text)))
        except DetectorError:
            count_failure("presidio")
            raise
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the text was not searched
            count_failure("presidio")
            # Without its cause, which may quote the text.
            name = type(error).__name__
            raise DetectorError(f"the detector 'presidio' failed with {name}; withhold the text") from None

    def _remember(self, key: bytes, said: Sequence[Span] | None) -> None:
        with self._lock:
            self._said[key] = (self._clock(), said)
            while len(self._said) > _MOST_REMEMBERED:
                self._said.popitem(last=False)


_models: Final[dict[tuple[object, ...], _Remembered]] = {}


def remembered_model(settings: Presidio) -> _Remembered:
    """Return the models of these settings, of which a process has one.

    Raises:
        ConfigurationError: They cannot be loaded.
    """
    key = (*sorted(settings.models.items()), settings.seconds)
    if key not in _models:
        models = Models(settings)
        tuple(models.spans("Ana"))  # the first text takes longer than the others
        _models[key] = _Remembered(models.spans, settings.seconds)
    return _models[key]


def _beside(
    text: str, findings: list[Finding], spans: Iterable[Span], masked: Sequence[tuple[int, int]] = ()
) -> list[Finding]:
    """Return the findings, and what models found beside them and beside what is masked already."""
    taken = sorted([*((each.start, each.end) for each in findings), *masked], reverse=True)
    joined = list(findings)
    for start, end, kind in sorted(spans):
        joined += [Finding(*part, kind) for part in _outside(text, start, end, taken)]
    return _apart(joined)


def _outside(text: str, start: int, end: int, taken: list[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    """Yield the parts of a place that are not taken, without the signs at their edges.

    Of `taken`, which is sorted with the first at its end, what ends before the place is let go of.
    """
    while taken and taken[-1][1] <= start:
        taken.pop()
    for first, last in reversed(taken):
        if first >= end:
            break
        yield from _trimmed(text, start, max(start, first))
        start = max(start, last)
    yield from _trimmed(text, start, end)


def _trimmed(text: str, start: int, end: int) -> Iterable[tuple[int, int]]:
    head = _EDGES.match(text, start, end)
    start = head.end() if head else start
    while end > start and not text[end - 1].isalnum():
        end -= 1
    if start < end:
        yield start, end


def _apart(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings sorted; of two models that found the same words, the first has them, to the end of the longer."""
    apart: list[Finding] = []
    for finding in sorted(findings):
        if apart and finding.start < apart[-1].end:
            last = apart[-1]
            apart[-1] = Finding(last.start, max(last.end, finding.end), last.kind)
        else:
            apart.append(finding)
    return apart
