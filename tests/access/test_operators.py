"""Operators: their tokens, roles, revocation, and what is refused."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import msgspec
import pytest

from rasa_privacy.access import admission, reviews
from rasa_privacy.access.admission import admit, admit_local, break_glass
from rasa_privacy.access.login import FAILURES, LOCK, Operator, local_operator, login
from rasa_privacy.access.operators import add_operator, renew_token, revoke_operator
from rasa_privacy.access.reviews import pending_reviews, review
from rasa_privacy.access.sight import see
from rasa_privacy.errors import AccessError, SenderError, StorageError
from rasa_privacy.policy.operations import Audit, Role
from rasa_privacy.policy.verbs import VERBS
from rasa_privacy.storage.vault import Vault, open_vault
from tests.support.databases import EACH_KIND
from tests.support.operators import ROLES, hire, records, with_roles
from tests.support.vaults import SENDER, Clock, give, grant, note_unwrapped, settings_in

if TYPE_CHECKING:
    from rasa_privacy.access.permit import Permit

Sql = Callable[..., list[Any]]

pytestmark = pytest.mark.usefixtures("cheap_hashes")
each_kind = pytest.mark.parametrize("kind", EACH_KIND, indirect=True)


@pytest.fixture
def tokens(vault: Vault) -> dict[str, str]:
    """Return the tokens of an operator of each role."""
    return hire(vault)


def other(token: str) -> str:
    """Return a token of the same operator with another secret."""
    return f"{token[:-43]}{'A' * 43}"


@each_kind
def test_a_token_is_kept_as_a_hash(vault: Vault, tokens: dict[str, str], sql: Sql) -> None:
    """argon2id, and nothing of the secret; it lets its operator in."""
    ((hashed,),) = sql("SELECT token_hash FROM operators WHERE name = 'carl'")
    assert hashed.startswith("$argon2id$")
    assert tokens["clerk"].rpartition(".")[2] not in hashed
    operator = login(vault, tokens["clerk"])
    assert operator.name == "carl"
    assert hashed not in repr(operator)
    last = records(vault)[-1]
    assert (last.verb, last.outcome, last.operator) == ("login", "done", "carl")


def test_the_first_operator_may_look_after_operators(vault: Vault) -> None:
    """Since from then on nobody else can; before, the user of the machine may do everything."""
    boss = admit_local(vault, "operators")
    with pytest.raises(AccessError, match="the first operator needs a role that may 'operators'"):
        add_operator(vault, boss, "carl", ["clerk"])
    with pytest.raises(AccessError, match="no role 'clark'; did you mean 'clerk'"):
        add_operator(vault, boss, "carl", ["clark"])
    with pytest.raises(AccessError, match="no role 'pilot'; write it under 'roles:' first"):
        add_operator(vault, boss, "carl", ["pilot"])
    with pytest.raises(AccessError, match="small letter"):
        add_operator(vault, boss, "Carl Mayer", ["clerk"])
    with pytest.raises(AccessError, match="1 to 366 days"):
        add_operator(vault, boss, "carl", ["dpo"], days=0)
    add_operator(vault, boss, "olga", ["dpo"])
    with pytest.raises(AccessError, match="this store has operators, so a command needs a token"):
        admit_local(vault, "view")
    assert (records(vault)[-1].verb, records(vault)[-1].outcome) == ("view", "refused")


def test_names_are_not_used_twice(vault: Vault, tokens: dict[str, str]) -> None:
    """Also after a revocation, since the log would call two people by one name."""
    officer = login(vault, tokens["dpo"])
    revoke_operator(vault, admit(vault, officer, "operators"), "carl")
    for name in ("carl", "mia"):
        with pytest.raises(AccessError, match="choose another name"):
            add_operator(vault, admit(vault, officer, "operators"), name, ["clerk"])


def test_the_last_who_could_add_any_other_is_not_revoked_by_mistake(
    vault: Vault, tokens: dict[str, str], clock: Clock
) -> None:
    """One whose token is over, who was revoked, or whose role does not reach far enough is no other."""
    officer = login(vault, tokens["dpo"])

    def revoke(name: str, *, last: bool = False) -> None:
        revoke_operator(vault, admit(vault, officer, "operators"), name, last=last)

    before = len(records(vault))
    with pytest.raises(AccessError, match=r"'olga' is the last operator with a token that lasts .* or pass --last"):
        revoke("olga")
    assert "revoked" not in records(vault)[-1].counts
    assert len(records(vault)) == before
    add_operator(vault, admit(vault, officer, "operators"), "paul", ["dpo"], days=1)
    add_operator(vault, admit(vault, officer, "operators"), "rosa", ["dpo"])
    revoke("rosa")
    clock.advance(days=2)
    with pytest.raises(AccessError, match="'olga' is the last"):
        revoke("olga")
    revoke("paul")
    revoke("carl")
    with pytest.raises(AccessError, match="no such operator"):
        revoke("carl")
    add_operator(vault, admit(vault, officer, "operators"), "sven", ["dpo"])
    revoke("olga")
    glass = break_glass(vault, local_operator(), "operators", "the token is lost", lambda *_: None)
    officer = login(vault, renew_token(vault, glass, "sven"))
    revoke("sven", last=True)
    permit = break_glass(vault, local_operator(), "operators", "nobody else is left", lambda *_: None)
    assert add_operator(vault, permit, "tina", ["dpo"])


@each_kind
def test_of_two_who_revoke_each_other_at_once_one_is_left(vault: Vault, tokens: dict[str, str]) -> None:
    """The second waits for the first, and is then the last."""
    officer = login(vault, tokens["dpo"])
    second = login(vault, add_operator(vault, admit(vault, officer, "operators"), "paul", ["dpo"]))
    permits = {"paul": admit(vault, officer, "operators"), "olga": admit(vault, second, "operators")}
    together, refused = threading.Barrier(2), []

    def revoke(name: str) -> None:
        together.wait()
        try:
            revoke_operator(vault, permits[name], name)
        except AccessError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=revoke, args=(name,)) for name in permits]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert "is the last operator" in refused[0]
    with vault.database.read() as connection:
        left = [row.name for row in vault.operators.all(connection) if row.revoked_at is None]
    assert len({"olga", "paul"}.intersection(left)) == 1


def test_only_who_may_changes_operators(vault: Vault, tokens: dict[str, str]) -> None:
    """A permit for something else is no permit for this."""
    officer = login(vault, tokens["dpo"])
    permit = admit(vault, officer, "view")
    for change in (
        lambda: add_operator(vault, permit, "zoe", ["clerk"]),
        lambda: renew_token(vault, permit, "carl"),
        lambda: revoke_operator(vault, permit, "carl"),
    ):
        with pytest.raises(AccessError, match="is to view and not to operators"):
            change()


GIVERS = {
    **ROLES,
    "admin": Role(may=("operators",)),
    "lead": Role(items=("email", "phone"), purposes=("draw",), may=("view", "rectify", "operators"), values="clear"),
    "narrow": Role(items=("email",), purposes=("newsletter",), may=("view", "rectify", "operators")),
    "reader": Role(items=("email",), purposes=("draw",), may=("view",), values="clear"),
    "trusted": Role(may="all"),
}


def staffed(vault: Vault, own: list[str], given: str) -> tuple[Vault, Operator]:
    """Return the store with more roles, and `gil` who has some of them; `hal` has the role that is to be given."""
    more = replace(vault, policy=msgspec.structs.replace(vault.policy, roles=GIVERS))
    officer = login(more, hire(more)["dpo"])
    add_operator(more, admit(more, officer, "operators"), "hal", [given])
    return more, login(more, add_operator(more, admit(more, officer, "operators"), "gil", own))


@pytest.mark.parametrize(
    ("own", "given", "allowed"),
    [
        (["admin"], "admin", True),
        (["admin"], "dpo", False),
        (["admin"], "clerk", False),
        (["admin", "clerk"], "clerk", True),
        (["lead"], "clerk", True),
        (["lead"], "reader", True),
        (["lead"], "narrow", False),  # another purpose
        (["lead"], "mailer", False),  # another verb
        (["lead"], "medic", False),  # every item, and broken glass
        (["narrow"], "clerk", False),  # another purpose
        (["narrow", "reader"], "lead", False),  # what no one role of theirs covers
        (["admin", "reader"], "narrow", False),
        (["admin", "medic"], "medic", True),
        (["trusted"], "dpo", True),
    ],
)
def test_nobody_gives_more_than_they_have(vault: Vault, own: list[str], given: str, *, allowed: bool) -> None:
    """Neither a role to a new operator nor, by a new token, that of one who is there; what is refused is in the log."""
    more, gil = staffed(vault, own, given)
    changes: tuple[Callable[[Permit], str], ...] = (
        lambda permit: add_operator(more, permit, "zoe", [given]),
        lambda permit: renew_token(more, permit, "hal"),
    )
    for change in changes:
        if allowed:
            assert login(more, change(admit(more, gil, "operators")))
            continue
        with pytest.raises(AccessError, match=f"the role '{given}' reaches further than your own"):
            change(admit(more, gil, "operators"))
        last = records(more)[-1]
        assert (last.verb, last.outcome, last.operator) == ("operators", "refused", "gil")
    revoke_operator(more, admit(more, gil, "operators"), "hal")


def test_after_the_first_operator_every_role_can_be_given(vault: Vault) -> None:
    """Who only looks after operators could hire nobody else; who has every role can, and who may all."""
    few = {name: GIVERS[name] for name in ("admin", "clerk", "mailer")}
    more = replace(vault, policy=msgspec.structs.replace(vault.policy, roles=few))
    boss = admit_local(more, "operators")
    with pytest.raises(AccessError, match="nobody could give the role 'clerk'"):
        add_operator(more, boss, "olga", ["admin"])
    token = add_operator(more, boss, "olga", [*few])
    add_operator(more, admit(more, login(more, token), "operators"), "carl", ["clerk"])


def test_a_role_that_is_not_declared_any_more_is_renewed_by_who_may_all(vault: Vault) -> None:
    """It may be declared again, and nobody knows as what."""
    more, gil = staffed(vault, ["admin"], "clerk")
    less = {name: role for name, role in GIVERS.items() if name != "clerk"}
    more = replace(more, policy=msgspec.structs.replace(more.policy, roles=less))
    with pytest.raises(AccessError, match="reaches further"):
        renew_token(more, admit(more, gil, "operators"), "hal")


@pytest.mark.parametrize(
    ("role", "allowed"),
    [("clerk", {"view", "rectify"}), ("medic", {"view"}), ("mailer", {"audience"}), ("dpo", {*VERBS})],
)
def test_a_role_allows_its_verbs_alone(vault: Vault, tokens: dict[str, str], role: str, allowed: set[str]) -> None:
    """And each refusal is in the log."""
    operator = login(vault, tokens[role])
    before = len(records(vault))
    for verb in sorted(VERBS):
        if verb in allowed:
            assert admit(vault, operator, verb).role == role
        else:
            with pytest.raises(AccessError, match=f"may '{verb}'; privacy.yml says"):
                admit(vault, operator, verb)
    refused = [(each.verb, each.operator, each.outcome) for each in records(vault)[before:]]
    assert refused == [(verb, operator.name, "refused") for verb in sorted({*VERBS} - allowed)]


def test_another_server_knows_of_a_revocation_at_once(
    vault: Vault, tokens: dict[str, str], tmp_path: Path, clock: Clock
) -> None:
    """Who is logged in there is refused there; and both write one audit log."""
    other_server = with_roles(open_vault(settings_in(tmp_path), clock))
    clerk = login(other_server, tokens["clerk"])
    admit(other_server, clerk, "view")
    revoke_operator(vault, admit(vault, login(vault, tokens["dpo"]), "operators"), "carl")
    with pytest.raises(AccessError, match="was revoked"):
        admit(other_server, clerk, "view")
    other_server.close()
    with vault.database.read() as connection:
        vault.audit.verify(connection)


@each_kind
def test_a_revoked_operator_is_refused_at_the_next_call(vault: Vault, tokens: dict[str, str]) -> None:
    """Who was logged in before, too; and the token lets nobody in any more."""
    officer, clerk = login(vault, tokens["dpo"]), login(vault, tokens["clerk"])
    admit(vault, clerk, "view")
    revoke_operator(vault, admit(vault, officer, "operators"), "carl")
    with pytest.raises(AccessError, match="operator 'carl' was revoked on 2026-11-23"):
        admit(vault, clerk, "view")
    with pytest.raises(AccessError, match="was revoked"):
        login(vault, tokens["clerk"])
    assert [(each.verb, each.outcome) for each in records(vault)[-2:]] == [("view", "refused"), ("login", "refused")]


def test_a_new_token_ends_the_old_one(vault: Vault, tokens: dict[str, str]) -> None:
    """At once, and for who is logged in with it."""
    clerk = login(vault, tokens["clerk"])
    made = renew_token(vault, admit(vault, login(vault, tokens["dpo"]), "operators"), "carl")
    with pytest.raises(AccessError, match="has a new token since"):
        admit(vault, clerk, "view")
    with pytest.raises(AccessError, match="the token is not accepted"):
        login(vault, tokens["clerk"])
    assert login(vault, made).name == "carl"


def test_a_token_ends_by_itself(vault: Vault, tokens: dict[str, str], clock: Clock) -> None:
    """For who is logged in, too; the message says how to get another one."""
    clerk = login(vault, tokens["clerk"])
    clock.advance(days=90)
    with pytest.raises(AccessError, match="is over since 2027-02-21; 'rasa-privacy operator token carl'"):
        admit(vault, clerk, "view")
    with pytest.raises(AccessError, match="is over since"):
        login(vault, tokens["clerk"])


@pytest.mark.parametrize("text", ["", "rpo.carl", "rpo.carl.short", "Ana Lindqvist", "rpo.nobody." + "A" * 43])
def test_what_is_no_token_is_refused_alike(vault: Vault, tokens: dict[str, str], text: str) -> None:
    """With the words for a wrong secret, and `unknown` in the log instead of what was typed."""
    assert tokens
    with pytest.raises(AccessError, match="the token is not accepted"):
        login(vault, text)
    last = records(vault)[-1]
    assert (last.verb, last.outcome, last.operator) == ("login", "refused", "unknown")


@each_kind
def test_guessing_locks(vault: Vault, tokens: dict[str, str], clock: Clock) -> None:
    """After five wrong tokens not even the right one is looked at for a while; then one guess doubles the time."""
    for _ in range(FAILURES):
        with pytest.raises(AccessError, match="the token is not accepted"):
            login(vault, other(tokens["clerk"]))
    with pytest.raises(AccessError, match="no token of this operator is looked at until 2026-11-23 12:45 UTC"):
        login(vault, tokens["clerk"])
    clock.advance(seconds=LOCK.total_seconds())
    with pytest.raises(AccessError, match="the token is not accepted"):
        login(vault, other(tokens["clerk"]))
    clock.advance(seconds=LOCK.total_seconds())
    with pytest.raises(AccessError, match="no token of this operator"):
        login(vault, tokens["clerk"])
    clock.advance(seconds=LOCK.total_seconds())
    assert login(vault, tokens["clerk"]).name == "carl"
    for _ in range(FAILURES - 1):
        with pytest.raises(AccessError, match="the token is not accepted"):
            login(vault, other(tokens["clerk"]))
    assert login(vault, tokens["clerk"]).name == "carl"
    refused = [each for each in records(vault) if each.outcome == "refused"]
    assert len(refused) == 2 * FAILURES + 2


def test_guesses_at_the_same_time_do_not_slip_through(
    vault: Vault, tokens: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of twenty at once, five are looked at."""
    looked: list[str] = []
    together = threading.Barrier(20)

    def slow(secret: str, _hashed: str) -> bool:
        looked.append(secret)
        return False

    def guess() -> None:
        together.wait()
        with pytest.raises(AccessError):
            login(vault, other(tokens["clerk"]))

    monkeypatch.setattr("rasa_privacy.access.login.is_secret", slow)
    threads = [threading.Thread(target=guess) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(looked) == FAILURES


@pytest.mark.parametrize(
    "change",
    [
        "roles = '[\"dpo\"]' WHERE name = 'carl'",
        "expires_at = expires_at + 1 WHERE name = 'carl'",
        "token_hash = 'x' WHERE name = 'carl'",
        "name = 'bert' WHERE name = 'carl'",
    ],
)
def test_nobody_becomes_an_operator_by_hand(vault: Vault, tokens: dict[str, str], sql: Sql, change: str) -> None:
    """A row that was written without the store's keys lets nobody in, not even who was logged in."""
    clerk = login(vault, tokens["clerk"])
    sql(f"UPDATE operators SET {change}")  # noqa: S608 - the changes stand above
    with pytest.raises(AccessError):
        admit(vault, clerk, "view")
    with pytest.raises(AccessError, match=r"changed by hand|not accepted"):
        login(vault, tokens["clerk"].replace("carl", "bert" if "bert" in change else "carl"))


def test_an_operator_is_not_made_by_hand() -> None:
    """Only who logged in is one."""
    with pytest.raises(AccessError, match="comes from"):
        Operator("olga", None, object())
    with pytest.raises((ValueError, TypeError), match="must be specified with replace"):
        replace(local_operator(), name="olga")  # type: ignore[call-arg]  # a type error, too


def test_a_login_that_cannot_be_recorded_is_none(
    vault: Vault, tokens: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a refusal that cannot be recorded is an error of the disk, not of the role."""
    clerk = login(vault, tokens["clerk"])

    def full(*_: object) -> int:
        raise StorageError("c.db: the disk is full; free some space")

    monkeypatch.setattr(type(vault.audit), "append", full)
    with pytest.raises(StorageError, match="disk is full"):
        login(vault, tokens["clerk"])
    with pytest.raises(StorageError, match="disk is full"):
        admit(vault, clerk, "erase")


class TestWhatIsSeen:
    """What an operator sees of a person."""

    @pytest.fixture(autouse=True)
    def person(self, vault: Vault) -> None:
        """Store a person's values for two purposes."""
        grant(vault, "draw", "newsletter")
        give(vault, {"draw": {"email": "ana@x.example", "full_name": "Ana Lindqvist"}})
        give(vault, {"newsletter": {"email": "ana@work.example"}})

    def test_items_and_purposes_of_the_role_masked(self, vault: Vault, tokens: dict[str, str]) -> None:
        """A clerk sees the email of the draw, masked, and that something else is there."""
        permit = admit(vault, login(vault, tokens["clerk"]), "view")
        with vault.database.read() as connection:
            seen = see(vault, connection, SENDER, permit)
        assert seen is not None
        assert seen.values == {"draw": {"email": "an******"}}
        assert (seen.withheld, seen.items) == (1, ("email",))
        assert "ana@" not in repr(seen)

    def test_the_officer_sees_all_and_says_why(self, vault: Vault, tokens: dict[str, str]) -> None:
        """In the clear, with a reason; without one it is refused, and so is a role that masks."""
        officer = login(vault, tokens["dpo"])
        with pytest.raises(AccessError, match="need a reason of at least 8"):
            admit(vault, officer, "view", clear=True)
        with pytest.raises(AccessError, match="shows values in the clear"):
            admit(vault, login(vault, tokens["clerk"]), "view", clear=True, reason="ticket 4711")
        permit = admit(vault, officer, "view", clear=True, reason="ticket 4711")
        with vault.database.read() as connection:
            seen = see(vault, connection, SENDER, permit)
        assert seen is not None
        assert seen.values["draw"] == {"email": "ana@x.example", "full_name": "Ana Lindqvist"}
        assert seen.values["newsletter"] == {"email": "ana@work.example"}

    def test_no_key_of_another_purpose_is_unwrapped(
        self, vault: Vault, tokens: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """So that a mistake above cannot open it."""
        unwrapped = note_unwrapped(monkeypatch)
        permit = admit(vault, login(vault, tokens["clerk"]), "view")
        with vault.database.read() as connection:
            see(vault, connection, SENDER, permit)
        assert set(unwrapped) == {"service", "draw"}

    def test_nothing_without_a_permit_for_it(self, vault: Vault, tokens: dict[str, str]) -> None:
        """A permit to rectify is none to view, and one that was copied and widened is none at all."""
        permit = admit(vault, login(vault, tokens["clerk"]), "rectify")
        with vault.database.read() as connection, pytest.raises(AccessError, match="not to view"):
            see(vault, connection, SENDER, permit)
        with pytest.raises(AccessError, match="made by"):
            replace(permit, verb="view", seal=None)
        with pytest.raises((ValueError, TypeError), match="must be specified with replace"):
            replace(permit, verb="view")  # type: ignore[call-arg]  # a type error, too

    def test_what_is_named_must_be_reached(self, vault: Vault, tokens: dict[str, str]) -> None:
        """A purpose or item that the role does not have is refused and recorded."""
        mailer = login(vault, tokens["mailer"])
        admit(vault, mailer, "audience", purposes=["newsletter"], items=["email"])
        with pytest.raises(AccessError, match="does not reach the purpose 'draw'"):
            admit(vault, mailer, "audience", purposes=["draw"])
        with pytest.raises(AccessError, match="does not reach the item 'phone'"):
            admit(vault, mailer, "audience", items=["phone"])
        assert [each.outcome for each in records(vault)[-2:]] == ["refused", "refused"]


class TestBreakingTheGlass:
    """Going beyond a role in an emergency."""

    def test_it_is_alarmed_recorded_and_reviewed(
        self, vault: Vault, tokens: dict[str, str], caplog: pytest.LogCaptureFixture
    ) -> None:
        """By somebody else, once."""
        alarms: list[tuple[str, str, int]] = []
        medic = login(vault, tokens["medic"])
        permit = break_glass(vault, medic, "erase", "fire in the data centre", lambda *said: alarms.append(said))
        assert (permit.role, permit.verb, permit.items, permit.clear) == ("break_glass", "erase", None, True)
        with vault.database.read() as connection:
            (entry,) = pending_reviews(vault, connection)
        assert (entry.record.operator, entry.record.reason) == ("mia", "fire in the data centre")
        assert alarms == [("mia", "erase", entry.seq)]
        assert f"operator mia, to erase; record {entry.seq}" in caplog.text
        own = break_glass(vault, medic, "audit", "fire in the data centre", lambda *_: None)
        with pytest.raises(AccessError, match="who broke the glass cannot review it"):
            review(vault, own, entry.seq)
        officer = login(vault, tokens["dpo"])
        review(vault, admit(vault, officer, "audit", reason="it was justified"), entry.seq)
        with pytest.raises(AccessError, match="waits for no review"):
            review(vault, admit(vault, officer, "audit"), entry.seq)
        with vault.database.read() as connection:
            assert len(pending_reviews(vault, connection)) == 1

    def test_not_everybody_may(self, vault: Vault, tokens: dict[str, str]) -> None:
        """A role must say so, and a reason be given; refusals are in the log."""
        with pytest.raises(AccessError, match="may break the glass"):
            break_glass(vault, login(vault, tokens["dpo"]), "view", "fire in the data centre", lambda *_: None)
        with pytest.raises(AccessError, match="needs a --reason"):
            break_glass(vault, login(vault, tokens["medic"]), "view", "fire", lambda *_: None)
        refused = [each for each in records(vault) if each.verb == "break_glass"]
        assert [each.outcome for each in refused] == ["refused", "refused"]

    def test_who_has_the_machine_may(self, vault: Vault, tokens: dict[str, str]) -> None:
        """When all tokens are lost; a revoked operator may not."""
        assert tokens
        permit = break_glass(vault, local_operator(), "operators", "all tokens are lost", lambda *_: None)
        renewed = renew_token(vault, permit, "olga")
        medic = login(vault, tokens["medic"])
        revoke_operator(vault, admit(vault, login(vault, renewed), "operators"), "mia")
        with pytest.raises(AccessError, match="was revoked"):
            break_glass(vault, medic, "view", "fire in the data centre", lambda *_: None)

    def test_who_broke_it_on_the_machine_does_not_review_it_with_a_token(
        self, vault: Vault, tokens: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In whatever form the log calls them; another user of the machine may."""
        hidden = msgspec.structs.replace(vault.policy, audit=Audit(operators="pseudonym"))
        for store in (vault, replace(vault, policy=hidden)):
            break_glass(store, local_operator(), "view", "fire in the data centre", lambda *_: None)
            with store.database.read() as connection:
                (entry,) = pending_reviews(store, connection)
            officer = login(store, tokens["dpo"])
            with pytest.raises(AccessError, match="this user of the machine broke the glass"):
                review(store, admit(store, officer, "audit", reason="it looked fine"), entry.seq)
            with monkeypatch.context() as elsewhere:
                elsewhere.setattr(reviews, "local_user", lambda: "os+somebody-else")
                review(store, admit(store, officer, "audit", reason="it looked fine"), entry.seq)
            with store.database.read() as connection:
                assert pending_reviews(store, connection) == []

    def test_a_review_is_no_emergency(self, vault: Vault, tokens: dict[str, str]) -> None:
        """Else who broke it with a token would review it as the user of the machine."""
        medic = login(vault, tokens["medic"])
        break_glass(vault, medic, "view", "fire in the data centre", lambda *_: None)
        with vault.database.read() as connection:
            (entry,) = pending_reviews(vault, connection)
        permit = break_glass(vault, local_operator(), "audit", "fire in the data centre", lambda *_: None)
        with pytest.raises(AccessError, match="a review is no emergency"):
            review(vault, permit, entry.seq)

    def test_with_a_token_it_makes_no_stronger_operator(self, vault: Vault, tokens: dict[str, str]) -> None:
        """Else who broke it would review it as the one whom they made."""
        medic = login(vault, tokens["medic"])
        permit = break_glass(vault, medic, "operators", "fire in the data centre", lambda *_: None)
        with pytest.raises(AccessError, match="the role 'dpo' reaches further than your own"):
            add_operator(vault, permit, "zoe", ["dpo"])
        with pytest.raises(AccessError, match="the role 'dpo' reaches further than your own"):
            renew_token(vault, permit, "olga")

    def test_an_alarm_that_fails_is_recorded(
        self, vault: Vault, tokens: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The emergency goes on."""

        def fails(*_: object) -> None:
            raise SenderError("mail server localhost:25: it does not answer")

        logger = Mock()  # what a server's scrubbing leaves of a line is tested where it is done
        monkeypatch.setattr(admission, "logger", logger)
        break_glass(vault, login(vault, tokens["medic"]), "view", "fire in the data centre", fails)
        assert [each.outcome for each in records(vault) if each.verb == "break_glass"] == ["done", "failed"]
        message, *arguments = logger.error.call_args.args
        assert "could not be sent: mail server localhost:25" in message % tuple(arguments)
