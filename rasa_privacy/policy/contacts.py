"""To which item of a purpose its one-time code goes, where it has `double_opt_in`."""

from typing import Final

from rasa_privacy.policy.model import Policy

#: Detectors of what a code can be sent to, in the order of preference.
REACHABLE: Final = ("email", "phone")

#: What a code is for that proves who somebody is. It is no purpose: none in privacy.yml has a colon.
PROOF: Final = "service:identity"


def contact_item(policy: Policy, purpose: str) -> str | None:
    """Return the item of a purpose to which its code goes: the first email address, else the first phone number.

    Only an item that the purpose needs: whether an optional one may be used is asked later.
    """
    items = [name for name, need in policy.purposes[purpose].items.items() if need == "required"]
    found = (name for kind in REACHABLE for name in items if policy.items[name].detect == kind)
    return next(found, None)


def reachable_kinds(policy: Policy, purpose: str) -> tuple[str, ...]:
    """Return the detector of the contact that a purpose's code goes to, or nothing where it has none.

    A code for a proof may go to a contact of either kind.
    """
    if purpose == PROOF:
        return REACHABLE if policy.identity is not None else ()
    if purpose not in policy.purposes:
        return ()
    item = contact_item(policy, purpose)
    kind = policy.items[item].detect if item is not None else None
    return (kind,) if kind is not None else ()
