"""The course, and who may act without it."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rasa_privacy.access.admission import admit, admit_local, break_glass
from rasa_privacy.access.course import OF_CONDUCT, OF_THE_FILE, introduction, questions
from rasa_privacy.access.login import local_operator, login
from rasa_privacy.access.operators import revoke_operator
from rasa_privacy.access.training import attest, everybody
from rasa_privacy.errors import AccessError
from rasa_privacy.policy.loader import parse_policy
from rasa_privacy.policy.operations import Training
from rasa_privacy.policy.verbs import REACHES_PEOPLE, VERBS
from rasa_privacy.storage.vault import Vault
from tests.support.operators import hire, records, with_roles
from tests.support.vaults import Clock, policy

TRAINING = Training(course="data-handling", valid_for="12 months", pass_mark=80)
_SMALL = """\
version: 1
controller: {name: N, contact: privacy@n.example, policy_url: https://n.example}
purposes:
  draw: {says: {en: to enter you in the draw}, basis: consent, guards: [action_draw], retain: 90 days}
"""

pytestmark = pytest.mark.usefixtures("cheap_hashes")


@pytest.fixture
def vault(vault: Vault) -> Vault:
    """Return the store with training in its privacy.yml."""
    return with_roles(vault, TRAINING)


def take(vault: Vault, operator: Any, wrong: int = 0) -> bool:
    """Take the course with so many wrong answers, and return whether it was passed."""
    asked = questions(vault.policy, Random(1))  # noqa: S311 - the same questions each time
    answers = [(each.right + (number < wrong)) % len(each.choices) for number, each in enumerate(asked)]
    return attest(vault, operator, asked, answers).passed


@settings(deadline=None, max_examples=30)  # timings never decide
@given(seed=st.integers(0, 10_000))
def test_every_question_has_one_right_answer(seed: int) -> None:
    """Among at least two different ones, whatever the file says."""
    for read in (policy(), parse_policy(_SMALL, "privacy.yml")):
        asked = questions(read, Random(seed))  # noqa: S311 - any will do
        assert OF_CONDUCT < len(asked) <= OF_CONDUCT + OF_THE_FILE
        assert len({each.text for each in asked}) == len(asked)
        for each in asked:
            assert 2 <= len(each.choices) <= 4
            assert len(set(each.choices)) == len(each.choices)
            assert 0 <= each.right < len(each.choices)


def test_the_questions_are_of_this_bots_file() -> None:
    """Which purposes may use an item, how long data is kept, what allows it, and who gets it."""
    asked = [each for seed in range(40) for each in questions(policy(), Random(seed))]  # noqa: S311 - any will do
    found = {each.text: each.choices[each.right] for each in asked}
    assert found["Which purposes may use the item 'phone'?"] == "fitting"
    assert found["Which purposes may use the item 'email'?"] == "draw, newsletter"
    assert found["How long is data kept for 'newsletter'?"] == "until the person takes the consent back"
    assert found["How long is data kept for 'fitting'?"] == "10 days after the last use"
    assert found["What allows us to use data for 'draw'?"] == "the person's consent"
    assert found["Who may get the data of 'draw' from us?"] == "nobody else"
    assert "draw: full_name, email, postcode; 90 days after the last use" in introduction(policy())


@pytest.mark.parametrize(
    ("retain", "said"),
    [
        ("90 days", "90 days after the last use"),
        ("until withdrawn", "until the person takes the consent back"),
        ("until lead_form", "until lead_form is done"),
        ("30 days after action_submit", "30 days after action_submit"),
        ("6 years after 31 December", "6 years after 31 December of the year of the last use"),
    ],
)
def test_how_long_is_said_as_it_is_counted(retain: str, said: str) -> None:
    """Not every time counts from the last use."""
    read = parse_policy(_SMALL.replace("90 days", retain), "privacy.yml")
    assert f"draw: no items; {said}\n" in introduction(read)


def test_without_an_attestation_nobody_gets_personal_data(vault: Vault, clock: Clock) -> None:
    """Neither the machine's user nor an operator, nor by breaking the glass; for a year after the course they do."""
    for verb in VERBS:
        if verb not in REACHES_PEOPLE:
            assert admit_local(vault, verb).verb == verb
            continue
        with pytest.raises(AccessError, match="'data-handling' was never passed; 'rasa-privacy training take'"):
            admit_local(vault, verb)
        with pytest.raises(AccessError, match="was never passed"):
            break_glass(vault, local_operator(), verb, "fire in the data centre", lambda *_: None)
    assert take(vault, local_operator())
    assert admit_local(vault, "view").verb == "view"
    clock.advance(days=365)
    with pytest.raises(AccessError, match="was valid until 2027-11-23"):
        admit_local(vault, "view")


def test_it_is_each_operators_own(vault: Vault) -> None:
    """What one learned lets in nobody else."""
    tokens = hire(vault)
    clerk, medic = login(vault, tokens["clerk"]), login(vault, tokens["medic"])
    assert take(vault, clerk)
    assert admit(vault, clerk, "view").operator == "carl"
    with pytest.raises(AccessError, match="was never passed"):
        admit(vault, medic, "view")


@pytest.mark.parametrize(("wrong", "passed"), [(0, True), (2, True), (3, False), (10, False)])
def test_the_pass_mark_decides(vault: Vault, wrong: int, passed: bool) -> None:  # noqa: FBT001 - a column of the table
    """At 80 percent, two of ten may be wrong; every attempt is kept and in the log."""
    assert take(vault, local_operator(), wrong) is passed
    last = records(vault)[-1]
    assert (last.verb, last.outcome) == ("training", "done" if passed else "failed")
    assert dict(last.counts) == {"asked": 10, "correct": 10 - wrong}
    with vault.database.read() as connection:
        (standing,) = everybody(vault, connection, TRAINING)
    assert (standing.attempts, standing.until is not None) == (1, passed)


def test_the_report_names_everybody_who_may_act(vault: Vault) -> None:
    """Those who never took it too, and not the revoked ones."""
    tokens = hire(vault)
    officer = login(vault, tokens["dpo"])
    take(vault, login(vault, tokens["medic"]))
    revoke_operator(vault, admit(vault, officer, "operators"), "mia")
    take(vault, officer)
    take(vault, officer, wrong=9)
    with vault.database.read() as connection:
        found = {each.operator: (each.attempts, each.until is None) for each in everybody(vault, connection, TRAINING)}
    assert found == {"olga": (2, False), "carl": (0, True), "max": (0, True)}


def test_an_attestation_is_not_made_by_hand(vault: Vault, sql: Callable[..., list[Any]]) -> None:
    """Neither of a failed attempt nor of somebody else's."""
    take(vault, local_operator(), wrong=9)
    sql("UPDATE attestations SET passed = 1")
    with pytest.raises(AccessError, match="changed by hand"):
        admit_local(vault, "view")


def test_a_revoked_operator_takes_no_course(vault: Vault) -> None:
    """Nor the machine's user where there are operators; nor anybody where there is none."""
    tokens = hire(vault)
    clerk = login(vault, tokens["clerk"])
    revoke_operator(vault, admit(vault, login(vault, tokens["dpo"]), "operators"), "carl")
    with pytest.raises(AccessError, match="was revoked"):
        take(vault, clerk)
    with pytest.raises(AccessError, match="this store has operators"):
        take(vault, local_operator())
    with pytest.raises(AccessError, match="asks for no training"):
        take(replace(vault, policy=policy()), local_operator())
