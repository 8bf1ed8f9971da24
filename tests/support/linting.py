"""What the linter says of a bot, as `rasa-privacy check` shows it."""

from datetime import date

from rasa_privacy.policy.bot import Bot, policy_path
from rasa_privacy.policy.findings import Finding
from rasa_privacy.policy.linter import lint_all
from rasa_privacy.policy.loader import load_policy


def lint(bot: Bot, today: date | None = None) -> list[Finding]:
    """Return what is to be mended and is not waived, judged by a day or by this one; errors first, then by code."""
    findings = lint_all(bot, load_policy(policy_path(bot)), "privacy.yml", today)
    return [finding for finding in findings if not finding.waived]
