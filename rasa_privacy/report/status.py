"""The report in ten lines, for a terminal."""

from collections.abc import Sequence

from rasa_privacy.policy.counted import counted
from rasa_privacy.report.facts import Report


def status_lines(report: Report) -> list[str]:
    """Return ten lines that say how things stand; what needs somebody begins with an exclamation mark."""
    held = ", ".join(f"{each.purpose} {each.people:,}" for each in report.processing.purposes)
    agreed = ", ".join(
        f"{each.purpose} {each.statuses.get('granted', 0):,} of {sum(each.statuses.values()):,}"
        for each in report.consents
        if each.statuses and ":" not in each.purpose
    )
    waiting = sum(each.open for each in report.requests)
    overdue = sum(each.overdue for each in report.requests)
    erased = sum(report.removal.erased.values())
    last = report.removal.runs[0] if report.removal.runs else "never"
    behind = sum(number for name, number in report.training.items() if name != "current")
    lacking = f"{counted(behind, 'operator')} without" if report.training else "not asked for"
    active = next((each for each in report.epochs if each.state == "active"), None)
    keys = f"epoch {active.number} since {active.began}" if active is not None else "no active epoch"
    broken = [each.book for each in report.chains if each.problem]
    whole = min((each.whole_at for each in report.chains if each.whole_at is not None), default=None)
    since = sum(each.since for each in report.chains)
    chains = f"verify; whole on {whole:%Y-%m-%d %H:%M}, and {new_records(since)} since" if whole else "verify"
    found = report.findings
    open_findings = 0 if found is None else sum("(waived" not in line for line in found)
    checked = "not looked at" if found is None else counted(open_findings, "finding")
    review = f"review overdue since {report.review_overdue}" if report.review_overdue else "no review is overdue"
    review += f" ({report.review_waiting} waits)" if report.review_waiting else ""
    review += "" if report.contacts_indexed else "; contacts of before 'identity:' are not indexed"
    unfit = open_findings + (report.review_overdue is not None) + (not report.contacts_indexed)
    return [
        f"Store       {report.store}: {counted(report.conversations, 'conversation')}",
        f"Held        {held or 'nothing'}",
        f"Agreed      {agreed or 'nobody was asked yet'}",
        f"{_mark(overdue)}Requests  {waiting:,} open, {overdue:,} overdue",
        f"{_mark(report.removal.overdue)}Due       {report.removal.overdue:,} still there; last sweep: {last}",
        f"Deleted     {counted(erased, 'person')}",
        f"Keys        {keys}; backups unreadable before: {report.backup_horizon or 'none'}",
        f"{_mark(behind)}Training  {lacking}",
        f"{_mark(unfit)}Check     {checked}; {review}",
        f"{_mark(len(broken))}Chains    {f'{_listed(broken)} not verify' if broken else chains}",
    ]


def new_records(number: int) -> str:
    """Return so many new records in words."""
    return counted(number, "new record")


def _listed(books: Sequence[str]) -> str:
    return f"{', '.join(books)} {'does' if len(books) == 1 else 'do'}"


def _mark(number: int) -> str:
    return "! " if number else "  "
