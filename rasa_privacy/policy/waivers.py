"""Findings that privacy.yml waives, each with its reason; a waiver that waives nothing is a finding itself (RP061)."""

from collections.abc import Iterable
from dataclasses import replace

from rasa_privacy.policy.findings import OF_THE_STORE, Finding
from rasa_privacy.policy.model import Policy
from rasa_privacy.policy.operations import Waiver
from rasa_privacy.policy.suggest import shown


def waived(found: Iterable[Finding], policy: Policy, file: str) -> list[Finding]:
    """Return the findings, those that are waived with their reason.

    Args:
        found: What the checks say.
        policy: What privacy.yml says.
        file: The name of privacy.yml to show.
    """
    used: set[Waiver] = set()
    result = []
    for finding in found:
        waiver = next((each for each in policy.waivers if _fits(each, finding)), None)
        if waiver is not None:
            used.add(waiver)
        result.append(finding if waiver is None else replace(finding, waived=waiver.reason))
    for waiver in policy.waivers:
        if waiver not in used and waiver.code not in OF_THE_STORE:
            where = f" at {shown(waiver.place)}" if waiver.place is not None else ""
            why = f"{waiver.code} is waived{where}, and there is no such finding"
            result.append(Finding("RP061", file, why, "take the waiver out, so that it hides nothing later", "warning"))
    return result


def _fits(waiver: Waiver, finding: Finding) -> bool:
    return waiver.code == finding.code and (waiver.place is None or waiver.place in finding.place)
