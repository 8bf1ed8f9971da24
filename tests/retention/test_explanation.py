"""Why something is still there, and what would go: in words and numbers, without a value."""

from datetime import timedelta

import pytest

from rasa_privacy.access.admission import admit, admit_local
from rasa_privacy.access.login import login
from rasa_privacy.errors import AccessError
from rasa_privacy.retention.explanation import explain, words
from rasa_privacy.retention.plan import plan
from rasa_privacy.storage.vault import Vault
from tests.support.operators import hire, with_roles
from tests.support.vaults import SENDER, START, Clock, give, grant


def test_the_longest_purpose_of_a_shared_item_wins(vault: Vault) -> None:
    """The email address stays as long as the newsletter, the name only as long as the draw."""
    grant(vault, "draw", "newsletter")
    give(
        vault, {"draw": {"full_name": "Ana", "email": "ana@post.example"}, "newsletter": {"email": "ana@post.example"}}
    )
    with vault.database.read() as connection:
        messages, email, name = explain(vault, connection, SENDER, admit_local(vault, "view"))
    assert (messages.item, email.item, name.item) == ("messages", "email", "full_name")
    assert email.due_at is None
    assert [each.purpose for each in email.holdings] == ["newsletter", "draw"]
    assert name.due_at == START + timedelta(days=90)
    said = words(email)
    assert said.startswith("email: until withdrawn, for newsletter (retain: until withdrawn)")
    assert "the longest counts, and these end before or with it: draw (2027-02-21)" in said
    assert words(name) == "full_name: until 2027-02-21 12:30, for draw (retain: 90 days, consent_lasts: 12 months)"
    assert "ana@" not in " ".join(map(words, (messages, email, name)))


@pytest.mark.usefixtures("cheap_hashes")
def test_a_role_hears_of_what_it_reaches(vault: Vault) -> None:
    """A clerk for the email addresses of the draw hears of no other item and no other purpose."""
    grant(vault, "draw", "newsletter")
    given = {"full_name": "Ana", "email": "ana@post.example"}
    give(vault, {"draw": given, "newsletter": {"email": "ana@post.example"}})
    vault = with_roles(vault)
    clerk = login(vault, hire(vault)["clerk"])
    with vault.database.read() as connection:
        messages, email = explain(vault, connection, SENDER, admit(vault, clerk, "view"))
        with pytest.raises(AccessError):
            explain(vault, connection, SENDER, admit(vault, clerk, "rectify"))
    assert {each.purpose for each in messages.holdings} == {"service", "draw"}
    assert (email.item, [each.purpose for each in email.holdings]) == ("email", ["draw"])


def test_nobody_has_nothing_to_explain(vault: Vault) -> None:
    """A sender who was never stored."""
    with vault.database.read() as connection:
        assert explain(vault, connection, "nobody", admit_local(vault, "view")) == []


def test_the_plan_counts_what_the_sweep_removes(vault: Vault, clock: Clock) -> None:
    """By purpose, and the people of whom nothing would be left; and when the next is due."""
    grant(vault, "draw", "fitting", sender="one")
    give(vault, {"draw": {"full_name": "Ana"}, "fitting": {"phone": "+49 30 1"}}, "one")
    give(vault, {}, "two")
    with vault.database.read() as connection:
        assert plan(vault, connection, clock()).keys == 0
        assert plan(vault, connection, clock()).next_at == START + timedelta(days=1)
        later = plan(vault, connection, clock.advance(days=11))
        assert (later.purposes, later.people) == ({"fitting": 1, "service": 1}, 1)
        last = plan(vault, connection, clock.advance(days=100))
        assert (last.people, last.keys, last.next_at) == (2, 4, None)
