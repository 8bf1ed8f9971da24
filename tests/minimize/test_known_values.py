"""What a person said is made ready once, and found as if it were made ready for each text."""

import pytest

from rasa_privacy.minimize import known_values
from rasa_privacy.minimize.events import EventSplitter
from rasa_privacy.minimize.known_values import KnownValues
from rasa_privacy.minimize.masking import mask
from rasa_privacy.minimize.view import View
from tests.support.rasa_events import message, utterance
from tests.support.vaults import policy

GIVEN = {"full_name": {"Ana Li", "Jörg Müller"}, "phone": {"0301 234567"}}


def test_what_is_ready_is_found_as_what_is_not() -> None:
    """The same texts are masked alike."""
    ready = KnownValues(GIVEN)
    for text in ("I am Li, Ana", "call 0301-234567 for joerg", "nothing here", ""):
        assert mask(text, [], ready) == mask(text, [], GIVEN)
    assert mask("Ana Li", [], ready) == "[full_name]"


def test_more_values_are_found_beside_the_first_ones() -> None:
    """A message brings values of its own, and those of others stay as they were."""
    first = KnownValues(GIVEN)
    both = first.joined({"full_name": {"Bo"}, "city": {"Ulm"}})
    assert mask("Bo and Ana Li in Ulm", [], both) == "[full_name] and [full_name] in [city]"
    assert mask("Bo in Ulm", [], first) == "Bo in Ulm"


def test_values_that_are_known_already_make_nothing_new() -> None:
    """Nearly every message says what the slots hold, and is looked through with what was made ready for them."""
    first = KnownValues(GIVEN)
    assert first.joined({"full_name": {"Ana Li"}, "phone": set()}) is first
    assert first.joined({}) is first
    assert first.joined({"city": {"Ana Li"}}) is not first


def test_nothing_of_a_value_is_shown() -> None:
    """They stand in views, which a traceback may print."""
    assert "Ana" not in repr(KnownValues(GIVEN))


def test_a_turn_makes_its_values_ready_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its message, what the bot says, and the names beside them are looked through with the same values."""
    made: list[object] = []
    folded = known_values._folded

    def counted(values: object) -> object:
        made.append(values)
        return folded(values)  # type: ignore[arg-type]

    monkeypatch.setattr(known_values, "_folded", counted)
    splitter, view = EventSplitter(policy()), View({"draw"}, KnownValues({"full_name": {"Ana Li"}}))
    said = message("Ana Li")
    said["parse_data"]["entities"] = []
    for seq, event in enumerate((said, utterance("Ana Li"), utterance("Ana Li again"))):
        kept, _ = splitter.split(event, seq, view)
        assert "[full_name]" in kept["text"]
    assert len(made) == 1
