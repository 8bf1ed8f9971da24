"""Everything that `rasa-privacy check` looks for in a bot, beyond privacy.yml being right by itself.

A check is a function of the bot, the policy and the name of its file; it reads files at most. Not looked for: whether a
legal basis holds, and what the bot's own actions do with values beyond writing them to a log (`lint_code`).
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timezone
from typing import Final

from rasa_privacy.policy import (
    lint_access,
    lint_code,
    lint_dialogue,
    lint_domain,
    lint_emit,
    lint_regulations,
    lint_running,
    lint_setup,
)
from rasa_privacy.policy.bot import Bot
from rasa_privacy.policy.findings import Finding
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.waivers import waived

Check = Callable[[Bot, Policy, str], Iterator[Finding]]
DatedCheck = Callable[[Bot, Policy, str, date], Iterator[Finding]]

_CHECKS: Final[tuple[Check, ...]] = (
    lint_domain.unclassified,
    lint_domain.guards,
    lint_domain.retains,
    lint_domain.items,
    lint_domain.entities,
    lint_domain.forms,
    lint_domain.imported,
    lint_domain.declared_only,
    lint_domain.asking,
    lint_domain.own_intents,
    lint_setup.components,
    lint_setup.importers,
    lint_setup.detectors,
    lint_setup.endpoints,
    lint_setup.code_sender,
    lint_setup.actions,
    lint_setup.key_folder,
    lint_emit.event_broker,
    lint_emit.nlg,
    lint_emit.lock_store,
    lint_emit.remote_nlu,
    lint_emit.unsent,
    lint_access.roles,
    lint_dialogue.dialogue,
    lint_code.leaks,
    lint_running.start_files,
    lint_running.transport,
    lint_running.other_stores,
)
_DATED_CHECKS: Final[tuple[DatedCheck, ...]] = (lint_regulations.regulations,)


def lint_all(
    bot: Bot, policy: Policy, file: str = "privacy.yml", today: date | None = None, more: Iterable[Finding] = ()
) -> list[Finding]:
    """Return every finding, the waived ones with their reason; errors first, then by code.

    Args:
        bot: The bot's folder as read by `read_bot`.
        policy: What privacy.yml says.
        file: The name of privacy.yml to show.
        today: The day to judge by, in UTC; otherwise this one.
        more: What was found elsewhere.
    """
    day = today or datetime.now(timezone.utc).date()
    found = [finding for check in _CHECKS for finding in check(bot, policy, file)]
    found += [finding for dated in _DATED_CHECKS for finding in dated(bot, policy, file, day)]
    found = waived([*found, *more], policy, file)
    return sorted(found, key=lambda finding: (finding.severity != "error", finding.code, finding.place))
