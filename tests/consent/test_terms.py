"""Terms: their version, what is kept of them, and what differs."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from rasa_privacy.access.admission import admit_local
from rasa_privacy.consent.notice_changes import OlderVersion, older_versions, policy_changes
from rasa_privacy.consent.statistics import count_consents
from rasa_privacy.consent.terms import changes, read_terms, terms_text, terms_version, version_of
from rasa_privacy.policy.model import Policy, Storage
from rasa_privacy.rights.audience import Tally, audience
from rasa_privacy.storage.notices import Notices
from rasa_privacy.storage.vault import Vault
from tests.consent.test_ledger import with_other_terms
from tests.support.databases import EACH_KIND
from tests.support.vaults import Clock, active, answer, ask, evidence, grant, policy

on_each_database = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)


def changed(**fields: object) -> Policy:
    """Return the policy of these tests with other settings of the draw."""
    before = policy()
    declared = msgspec.structs.replace(before.purposes["draw"], **fields)
    return msgspec.structs.replace(before, purposes={**before.purposes, "draw": declared})


def test_the_version_of_these_terms_never_changes() -> None:
    """Another one would make everybody be asked again by an upgrade of this package."""
    assert terms_version(policy(), "draw") == "b569a80afad61657"
    assert terms_version(policy(), "newsletter") == "cc302fad0f1d257e"


def test_settings_that_are_no_terms_change_no_version() -> None:
    """Where else the controller can be reached is not agreed to."""
    controller = msgspec.structs.replace(policy().controller, address="Main St 1", phone="+49 30 1", country="DE")
    other = msgspec.structs.replace(policy(), controller=controller)
    assert terms_text(other, "draw") == terms_text(policy(), "draw")


def test_terms_come_back_by_name() -> None:
    """Stored terms can be read without the privacy.yml that they came from."""
    terms = read_terms(terms_text(policy(), "draw"))
    assert terms["controller"]["name"] == "Northwind Outdoor"
    assert terms["items"]["postcode"] == {"need": "optional", "keep": {"first": 3}, "category": "other"}
    assert (terms["retain"], terms["consent_lasts"], terms["marketing"]) == ("90 days", "12 months", False)
    stored = msgspec.structs.replace(policy(), storage=Storage(location={"en": "in Frankfurt"}))
    assert read_terms(terms_text(stored, "draw"))["storage"]["location"] == {"en": "in Frankfurt"}
    decided = msgspec.structs.replace(policy(), automated_decisions={"en": "who wins, by lot"})
    assert policy_changes(policy(), decided)["draw"] == ['automated_decisions was added: {"en":"who wins, by lot"}']


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"retain": "1 year"}, ["retain was 90 days, is 1 year"]),
        ({"recipients": ("Printing House",)}, ['recipients was nothing, is ["Printing House"]']),
        ({"consent_lasts": None}, ["consent_lasts was 12 months, is nothing"]),
        ({"says": {"en": "to sell it"}}, ["says.en was to enter you in the draw, is to sell it"]),
        ({"marketing": True}, ["marketing was false, is true"]),
        (
            {"items": {"email": "required", "full_name": "optional", "birthday": "optional"}},
            [
                'items.birthday was added: {"category":"other","keep":"year","need":"optional"}',
                "items.full_name.need was required, is optional",
                'items.postcode was removed: {"category":"other","keep":{"first":3},"need":"optional"}',
            ],
        ),
    ],
)
def test_each_difference_is_one_sentence(fields: dict[str, object], said: list[str]) -> None:
    """Field by field; and the version is another one."""
    after = changed(**fields)
    assert changes(read_terms(terms_text(policy(), "draw")), read_terms(terms_text(after, "draw"))) == said
    assert policy_changes(policy(), after) == {"draw": said}
    assert terms_version(after, "draw") != terms_version(policy(), "draw")


def test_purposes_that_came_and_went_are_said() -> None:
    """Compared with an older privacy.yml."""
    fewer = msgspec.structs.replace(policy(), purposes={"draw": policy().purposes["draw"]})
    assert policy_changes(fewer, policy()) == {
        "newsletter": ["the purpose is new"],
        "fitting": ["the purpose is new"],
    }
    assert policy_changes(policy(), fewer)["fitting"] == ["the purpose was removed"]


def test_the_terms_are_kept_with_the_notice(vault: Vault) -> None:
    """And are those whose hash is the notice's version."""
    grant(vault, "draw")
    with vault.database.read() as connection:
        (stored,) = vault.notices.iterate(connection)
    assert stored.terms == terms_text(vault.policy, "draw")
    assert version_of(stored.terms) == stored.version


@on_each_database
def test_people_with_an_older_version_are_counted(vault: Vault) -> None:
    """By version, with what changed; who agreed to the present one is not among them."""
    for name in ("ana", "bob", "cem"):
        grant(vault, "draw", "newsletter", sender=name)
    later = with_other_terms(vault)
    grant(later, "draw", sender="cem")
    with vault.database.read() as connection:
        assert list(older_versions(vault, connection, vault.clock())) == [
            OlderVersion(
                "draw", terms_version(later.policy, "draw"), 1, ('recipients was ["Printing House"], is nothing',)
            )
        ]
        assert list(older_versions(later, connection, vault.clock())) == [
            OlderVersion(
                "draw", terms_version(vault.policy, "draw"), 2, ('recipients was nothing, is ["Printing House"]',)
            )
        ]


def translated(vault: Vault, **says: str) -> Vault:
    """Return the store under a privacy.yml that says more, or other words, of the draw in other languages."""
    policy = vault.policy
    draw = msgspec.structs.replace(policy.purposes["draw"], says={**policy.purposes["draw"].says, **says})
    stored = Storage(location={"en": "in Frankfurt", **dict.fromkeys(says, "Frankfurt")})
    purposes = {**policy.purposes, "draw": draw}
    return replace(vault, policy=msgspec.structs.replace(policy, purposes=purposes, storage=stored))


@on_each_database
def test_a_translation_that_is_added_makes_nobody_be_asked_again(vault: Vault) -> None:
    """It has another version, and promises nothing else to who read the notice in another language."""
    before = translated(vault)
    grant(before, "draw", sender="ana")
    after = translated(vault, de="um Sie an der Verlosung teilnehmen zu lassen")
    assert terms_version(after.policy, "draw") != terms_version(before.policy, "draw")
    assert "draw" in active(after, "ana")
    with vault.database.read() as connection:
        assert list(older_versions(after, connection, vault.clock())) == []
        counts = next(count_consents(after, connection, vault.clock()))
    assert counts.statuses == {"granted": 1}
    assert counts.versions == {terms_version(after.policy, "draw"): 1}
    permit = admit_local(after, "audience")
    assert [each.sender_id for each in audience(after, permit, "draw", None, vault.clock(), Tally())] == ["ana"]


@pytest.mark.parametrize(
    "change",
    [
        lambda each: translated(each, en="to sell it"),
        lambda each: replace(each, policy=msgspec.structs.replace(each.policy, storage=Storage(location={"en": "X"}))),
        lambda each: with_other_terms(translated(each, de="etwas anderes")),
    ],
)
def test_a_change_in_the_language_that_was_read_is_asked_about(vault: Vault, change: Callable[[Vault], Vault]) -> None:
    """And one that every language has, whatever else was added."""
    grant(translated(vault), "draw", sender="ana")
    after = change(vault)
    assert "draw" not in active(after, "ana")
    with vault.database.read() as connection:
        assert [each.people for each in older_versions(after, connection, vault.clock())] == [1]


def test_terms_that_were_put_in_place_of_others_hold_for_nothing(vault: Vault, sql: Any) -> None:
    """They are not under the notice's hash; its version is, and does not fit them."""
    grant(vault, "draw", sender="ana")
    after = with_other_terms(vault)
    sql("UPDATE notices SET terms = ?", (terms_text(after.policy, "draw"),))
    fresh = replace(after, notices=Notices())
    assert "draw" not in active(fresh, "ana")


def test_who_was_asked_anew_and_has_not_answered_is_counted_still(vault: Vault) -> None:
    """The change concerns them as before; who says no is not concerned any more."""
    for name in ("ana", "bob"):
        grant(vault, "draw", sender=name)
    later = with_other_terms(vault)
    for name in ("ana", "bob"):
        ask(later, "draw", sender=name)
    answer(later, "draw", granted=False, sender="bob")
    with vault.database.read() as connection:
        assert [each.people for each in older_versions(later, connection, vault.clock())] == [1]


@on_each_database
def test_the_counts_are_those_of_the_fold(vault: Vault, clock: Clock) -> None:
    """Each person stands under what the fold says of them."""
    grant(vault, "draw", sender="old")
    clock.advance(days=372)
    for name in ("ana", "bob", "cem"):
        grant(vault, "draw", sender=name)
    grant(with_other_terms(vault), "draw", sender="dora")
    for name in ("ana", "eva"):
        ask(vault, "draw", sender=name)
        answer(vault, "draw", granted=False, sender=name)
    ask(vault, "draw", sender="finn")
    ask(vault, "draw", sender="bob")
    with vault.database.read() as connection:
        draw, *others = count_consents(vault, connection, vault.clock())
    assert draw.statuses == {"granted": 2, "refused": 2, "expired": 1, "superseded": 1}
    assert draw.versions == {
        terms_version(vault.policy, "draw"): 2,
        terms_version(with_other_terms(vault).policy, "draw"): 1,
    }
    assert [(each.purpose, each.statuses) for each in others] == [
        ("newsletter", {}),
        ("fitting", {}),
        ("draw:postcode", {}),
        ("newsletter:birthday", {}),
    ]
    people = ("old", "ana", "bob", "cem", "dora", "eva", "finn")
    assert sum("draw" in active(vault, name) for name in people) == draw.statuses["granted"]


def test_a_yes_from_the_future_is_not_counted(vault: Vault, clock: Clock) -> None:
    """As the fold has it: the answer before it stands."""
    grant(vault, "draw", sender="ana")
    with vault.database.read() as connection:
        early = clock.now.replace(year=2025)
        assert next(count_consents(vault, connection, early)).statuses == {}


def test_a_purpose_that_is_no_more_is_counted(vault: Vault) -> None:
    """It is marked, since its people are to be let go."""
    grant(vault, "draw")
    fewer = msgspec.structs.replace(vault.policy, purposes={"fitting": vault.policy.purposes["fitting"]})
    with vault.database.read() as connection:
        counts = list(count_consents(replace(vault, policy=fewer), connection, evidence(vault).at))
    assert [(each.purpose, each.is_declared, each.statuses) for each in counts] == [
        ("fitting", True, {}),
        ("draw", False, {"superseded": 1}),
    ]
