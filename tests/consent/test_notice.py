"""Notices: the version follows the terms, the hash follows every word."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_privacy.consent.notice import (
    Notice,
    items_in_words,
    name_of_item,
    name_of_purpose,
    terms_version,
)
from rasa_privacy.consent.terms import read_terms, terms_text
from rasa_privacy.policy.item_model import Item
from rasa_privacy.policy.model import Controller, Messages, Policy, Storage
from rasa_privacy.policy.purpose_model import Purpose
from tests.support.vaults import policy

Change = Callable[[Policy], Policy]
_replace = msgspec.structs.replace


def on_purpose(name: str = "draw", **fields: Any) -> Change:
    """Return a change of one purpose."""
    return lambda before: _replace(
        before, purposes={**before.purposes, name: _replace(before.purposes[name], **fields)}
    )


def on_item(name: str, **fields: Any) -> Change:
    """Return a change of one item."""
    return lambda before: _replace(before, items={**before.items, name: _replace(before.items[name], **fields)})


def on_policy(**fields: Any) -> Change:
    """Return a change of the file's own fields."""
    return lambda before: _replace(before, **fields)


TERMS: dict[str, Change] = {
    "what for": on_purpose(says={"en": "to sell your address"}),
    "legal basis": on_purpose(basis="contract"),
    "its reason": on_purpose(because={"en": "you asked for it"}),
    "one item more": on_purpose(items={"full_name": "required", "email": "required", "phone": "optional"}),
    "optional becomes required": on_purpose(
        items={"full_name": "required", "email": "required", "postcode": "required"}
    ),
    "retention": on_purpose(retain="91 days"),
    "recipients": on_purpose(recipients=("Printing House",)),
    "how long it lasts": on_purpose(consent_lasts="24 months"),
    "marketing": on_purpose(marketing=True),
    "more is kept of an item": on_item("postcode", keep="full"),
    "controller": on_policy(
        controller=Controller(name="Southwind", contact="c@s.example", policy_url="https://s.example")
    ),
    "age": on_policy(minimum_age=16),
    "where it is kept": on_policy(storage=Storage(location={"en": "in Atlantis"})),
    "what a program decides": on_policy(automated_decisions={"en": "who gets credit"}),
}

NO_TERMS: dict[str, Change] = {
    "what the purpose is called": on_purpose(called={"en": "the raffle"}),
    "what it guards": on_purpose(guards=("other_form",)),
    "another purpose": on_purpose("newsletter", retain="1 day"),
    "a new purpose": lambda before: _replace(
        before, purposes={**before.purposes, "x": Purpose(says={"en": "x"}, basis="consent", retain="1 day")}
    ),
    "an item of another purpose": on_item("birthday", keep="full"),
    "a new item": lambda before: _replace(before, items={**before.items, "shoe_size": Item(slot="shoe_size")}),
    "messages": on_policy(messages=Messages(keep="none")),
    "that no program decides": on_policy(automated_decisions="none"),
    "whom to complain to": lambda before: _replace(before, controller=_replace(before.controller, authority="ICO")),
    "plain slots": on_policy(not_personal=("favourite_activity", "topic")),
    "what an item is called": on_item("full_name", called={"en": "what we may call you"}),
    "the slot that holds an item": on_item("full_name", slot="person_name"),
}

#: Names, when and how the bot asks, and what a yes opens: none of them says what becomes of the data.
NO_TERMS_OF_A_PURPOSE = {
    *("called", "guards", "double_opt_in", "quiet_hours", "ask", "ask_again_after", "also_ask", "requires"),
}


@pytest.mark.parametrize("change", TERMS.values(), ids=TERMS.keys())
def test_version_changes_with_the_terms(change: Change) -> None:
    """Another promise is another version."""
    assert terms_version(change(policy()), "draw") != terms_version(policy(), "draw")


def test_each_field_of_a_purpose_is_a_term_or_known_to_be_none() -> None:
    """A new field that the notice shows and the terms forget would let an old yes stand for a new promise."""
    fields = {field.name for field in msgspec.structs.fields(Purpose)}
    assert fields - read_terms(terms_text(policy(), "draw")).keys() == NO_TERMS_OF_A_PURPOSE


@pytest.mark.parametrize("change", NO_TERMS.values(), ids=NO_TERMS.keys())
def test_version_stays_where_the_terms_stay(change: Change) -> None:
    """Nobody is asked again for a change that promises nothing else."""
    assert terms_version(change(policy()), "draw") == terms_version(policy(), "draw")


def test_purposes_have_versions_of_their_own() -> None:
    """No consent to one purpose fits another."""
    assert len({terms_version(policy(), name) for name in policy().purposes}) == len(policy().purposes)
    assert all(len(terms_version(policy(), name)) == 16 for name in policy().purposes)


def test_order_of_the_items_is_no_term() -> None:
    """The same items in another order are the same promise."""
    turned = dict(reversed(policy().purposes["draw"].items.items()))
    assert terms_version(on_purpose(items=turned)(policy()), "draw") == terms_version(policy(), "draw")


@given(st.tuples(*[st.text(max_size=4)] * 4), st.tuples(*[st.text(max_size=4)] * 4))
def test_hash_tells_notices_apart(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    """The parts are length-prefixed, so that moving a letter from one to the next is seen."""
    assert (Notice(*one).hash == Notice(*other).hash) == (one == other)


def test_items_are_named_with_how_much_is_kept() -> None:
    """The notice says what is optional and what is cut."""
    said = items_in_words(policy(), "draw", "en")
    assert said == "full name, email and postcode (only the first 3 characters are kept, optional)"
    assert items_in_words(policy(), "newsletter", "en") == "email and birthday (only the year is kept, optional)"


@pytest.mark.parametrize(
    ("items", "words"),
    [({}, "no personal data"), ({"email": "required"}, "email"), ({"email": "optional"}, "email (optional)")],
)
def test_few_items_need_no_and(items: dict[str, str], words: str) -> None:
    """None and one are sentences too."""
    assert items_in_words(on_purpose(items=items)(policy()), "draw", "en") == words


def test_names_fall_back_to_the_files_own() -> None:
    """Without a name for people the name in privacy.yml is read with spaces."""
    named = on_item("full_name", called={"de": "Ihr Name"})(policy())
    assert name_of_item(named, "full_name", "de") == "Ihr Name"
    assert name_of_item(named, "full_name", "en") == "full name"
    assert name_of_purpose(policy(), "draw", "en") == "draw"
