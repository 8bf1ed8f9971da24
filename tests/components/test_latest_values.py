"""The values of slots and entities that are looked for in what is said later."""

from itertools import chain

from rasa.shared.core.events import BotUttered, EntitiesAdded, SlotSet, UserUttered

from rasa_privacy.components.history import REMEMBERED, latest_entities, latest_values


def test_as_many_values_of_a_slot_are_found_again_however_long_the_conversation() -> None:
    """The latest different ones; a value that was set again and again counts once, and no slot crowds out another."""
    replaced = [SlotSet("full_name", f"Jane Number{number}") for number in range(3 * REMEMBERED)]
    told = [SlotSet("email", "jane@x.example"), *replaced, *[SlotSet("full_name", None), BotUttered("Hello")] * 50]
    again = [SlotSet("full_name", "Jane Number7") for _ in range(REMEMBERED)]
    found = list(latest_values(reversed([*told, *again])))
    latest = [f"Jane Number{3 * REMEMBERED - back}" for back in range(1, REMEMBERED)]
    assert found == [
        *(("full_name", name) for name in ["Jane Number7", *latest]),
        ("email", "jane@x.example"),
    ]


def test_a_value_that_cannot_be_hashed_is_found_again() -> None:
    """A list, as a slot may hold one."""
    events = [SlotSet("addresses", ["1 Elm Row"]), SlotSet("addresses", ["2 Oak Way"])]
    assert list(latest_values(chain(reversed(events), reversed(events)))) == [
        ("addresses", ["2 Oak Way"]),
        ("addresses", ["1 Elm Row"]),
    ]


def test_so_many_values_of_an_entity_are_found_again() -> None:
    """The latest different ones of each name; what is not in Rasa's form, or was not kept, is none."""
    said = [
        UserUttered("x", entities=[{"entity": "PERSON", "value": f"Jane Number{number}"}, {"entity": "x"}])
        for number in range(3 * REMEMBERED)
    ]
    strange = UserUttered("x", entities=[3, {"entity": "PERSON", "value": None}, {"value": ["1 Elm Row"]}])
    added = EntitiesAdded([{"entity": "city", "value": "Ulm"}])
    found = list(latest_entities(reversed([added, *said, strange, BotUttered("Hello")])))
    assert found == [
        {"entity": "None", "value": ["1 Elm Row"]},
        *({"entity": "PERSON", "value": f"Jane Number{3 * REMEMBERED - back}"} for back in range(1, REMEMBERED + 1)),
        {"entity": "city", "value": "Ulm"},
    ]
