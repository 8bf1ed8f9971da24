"""Whose roles reach as far as a role: nobody gives others, with a role or a token, more than they have themselves."""

from collections.abc import Iterable

from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.operations import Role
from rasa_privacy.policy.verbs import VERBS


def within_reach(policy: Policy, own: Iterable[str], role: str) -> bool:
    """Return whether who has the roles `own` may give somebody a role, or a token for it.

    They may where they have the role themselves, or one that may `all`. Otherwise each of its verbs needs a role of
    theirs with the verb that reaches its items and its purposes and shows values as it does; and `break_glass` one with
    `break_glass`.

    Args:
        policy: privacy.yml, as it is now.
        own: Names of the roles of who gives; one that is not declared any more gives nothing.
        role: Name of the role that is given; one that is not declared any more is given only by who may `all`.
    """
    own = tuple(own)
    having = [policy.roles[name] for name in own if name in policy.roles]
    if role in own or any(each.may == "all" for each in having):
        return True
    given = policy.roles.get(role)
    if given is None or (given.break_glass and not any(each.break_glass for each in having)):
        return False
    verbs = VERBS if given.may == "all" else given.may
    return all(any(_covers(each, given, verb) for each in having) for verb in verbs)


def _covers(own: Role, given: Role, verb: str) -> bool:
    shows = own.values == "clear" or given.values == "masked"
    return verb in own.may and shows and _holds(own.items, given.items) and _holds(own.purposes, given.purposes)


def _holds(own: tuple[str, ...] | str, given: tuple[str, ...] | str) -> bool:
    """Return whether names of items or purposes, or `all`, hold the others."""
    return own == "all" or (given != "all" and set(given) <= set(own))
