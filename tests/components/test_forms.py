"""A form does not ask for what its person left out."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.vaults import SENDER, grant

pytestmark = [pytest.mark.rasa, pytest.mark.asyncio]


def form(untouched: Any) -> Any:
    """Return a form as Rasa makes it."""
    return untouched.rasa_api.forms_module.FormAction("lead_form", None)


DOMAIN: Any = SimpleNamespace(
    required_slots_for_form=lambda _: ["full_name", "email", "postcode", "favourite_activity"]
)


async def test_an_optional_item_that_was_left_out_is_not_asked_for(untouched: Any, store: Any) -> None:
    """Plain slots and what is needed are."""
    grant(store._vault, "draw")
    made = form(untouched)
    made._withheld = await untouched.forms.withheld_slots("lead_form", SENDER)
    assert made.required_slots(DOMAIN) == ["full_name", "email", "favourite_activity"]
    grant(store._vault, "draw:postcode")
    assert "postcode" not in await untouched.forms.withheld_slots("lead_form", SENDER)


async def test_a_form_without_its_consent_is_left_to_the_gate(untouched: Any, store: Any, sql: Any) -> None:
    """Without the purpose, or without a ledger, the form is not finished by leaving everything out."""
    assert await untouched.forms.withheld_slots("lead_form", SENDER) == frozenset()
    grant(store._vault, "draw")
    sql("ALTER TABLE ledger RENAME TO away")
    assert await untouched.forms.withheld_slots("lead_form", SENDER) == frozenset()


async def test_a_process_without_our_store_changes_no_form(untouched: Any) -> None:
    """`rasa test` and the like."""
    assert await untouched.forms.withheld_slots("lead_form", SENDER) == frozenset()
