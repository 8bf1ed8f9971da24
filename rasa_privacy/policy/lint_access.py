"""Who may see what: the roles."""

from collections.abc import Iterator
from typing import Final

from rasa_privacy.policy.bot import Bot
from rasa_privacy.policy.findings import Finding
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.suggest import shown

#: Verbs with which a role reaches values.
_REACHING: Final = ("view", "export", "rectify")


def roles(bot: Bot, policy: Policy, file: str) -> Iterator[Finding]:
    """RP038, RP039 and RP040."""
    for name, role in policy.roles.items():
        verbs = [verb for verb in _REACHING if role.may == "all" or verb in role.may]
        if verbs and not role.items:
            why = f"role {shown(name)} may {' and '.join(verbs)} and names no item, so it is shown no value"
            yield Finding("RP038", file, why, "name the items that it needs under 'items', or write 'all'", "warning")
    breaking = [name for name, role in policy.roles.items() if role.break_glass]
    if breaking and not bot.endpoints.has("privacy_sender"):
        why = f"role {shown(breaking[0])} may break the glass, and there is no 'privacy_sender' that could tell anybody"
        remedy = "add the block 'privacy_sender' with 'type: smtp', 'host' and 'from'"
        yield Finding("RP040", str(bot.endpoints_file), why, remedy, "warning")
    if policy.roles and not any(role.may == "all" or "operators" in role.may for role in policy.roles.values()):
        why = "no role may look after operators, so none can be added"
        yield Finding("RP039", file, why, "let one role do 'operators', for example the data protection officer's")
