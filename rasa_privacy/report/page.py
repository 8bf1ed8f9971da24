"""The report as one HTML file: no script, no outside asset, and made to be printed."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from rasa_privacy.policy.counted import counted
from rasa_privacy.report.facts import Report
from rasa_privacy.report.plot import bars
from rasa_privacy.report.status import new_records

_STYLE: Final = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; color: #1c1c1c; background: #fff;
  max-width: 60rem; margin: 2rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .2rem; }
h2 { font-size: 1.15rem; margin: 2.4rem 0 .6rem; padding-top: .8rem; border-top: 2px solid #1b6e53; }
h3 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
p, ul, dl { margin: .4rem 0; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; font-size: .92em; }
th, td { text-align: left; vertical-align: top; padding: .32rem .6rem .32rem 0; border-bottom: 1px solid #ddd; }
td:first-child { white-space: nowrap; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
dt { font-weight: 600; } dd { margin: 0 0 .4rem; }
.muted { color: #595959; } .good { color: #14533f; font-weight: 600; } .bad { color: #8f2f1b; font-weight: 600; }
svg { width: 100%; height: auto; max-width: 40rem; } svg text { font-size: 11px; fill: #333; }
@media print { body { margin: 0; max-width: none; font-size: 11px; } section { break-inside: auto; }
  h1 { font-size: 20px; } h2 { font-size: 14px; margin-top: 1.6rem; } h3 { font-size: 12px; }
  h2, h3, p:has(+ table), p:has(+ svg), dt { break-after: avoid; } svg, tr, ul { break-inside: avoid; } }
@page { margin: 18mm 15mm; }
"""
_KINDS: Final = ("granted", "refused", "withdrawn")
#: Figures on requests; `ended` are those whose person was erased meanwhile, `elsewhere` those of the done of which
#: staff said that they were done elsewhere.
_FIGURES: Final = ("received", "open", "overdue", "done", "ended", "elsewhere", "refused", "late")


def page(report: Report) -> str:
    """Return the whole file."""
    name = report.processing.controller.get("name", "")
    sections = (
        ("Record of processing (GDPR Art. 30(1))", _processing(report)),
        ("Data inventory", _inventory(report)),
        ("Consent", _consents(report)),
        ("Requests against their deadlines", _requests(report)),
        ("Retention and what was deleted", _removal(report)),
        ("Access by role", _access(report)),
        ("Keys and the backup horizon", _keys(report)),
        ("Training", _training(report)),
        ("What the regulations demand", _obligations(report)),
        ("Findings of check", _findings(report)),
        ("Chain verification", _chains(report)),
    )
    body = "".join(f"<section><h2>{escape(title)}</h2>{content}</section>" for title, content in sections)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Privacy report, {escape(name)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>Privacy report</h1><p class='muted'>{escape(name)}, {report.made_at:%d %B %Y, %H:%M} (UTC), from "
        f"{escape(report.store)}. Counts only: no name, no message and no sender is in it.</p>{body}</body></html>\n"
    )


def _processing(report: Report) -> str:
    made = report.processing
    terms = {
        "(a) Controller": ", ".join(f"{name}: {value}" for name, value in made.controller.items()),
        "(c) Whose data": made.subjects,
        "(c) Categories of data": ", ".join(made.categories),
        "(d) Recipients": ", ".join(sorted({who for each in made.purposes for who in each.recipients})) or "none",
        "(e) Transfers": made.transfers,
        "Where it is kept": made.location,
        "(f) Messages": made.messages,
    }
    rows = [(each.purpose, each.says, each.basis, each.kept) for each in made.purposes]
    security = "".join(f"<li>{escape(line)}</li>" for line in made.security)
    return (
        "<dl>" + "".join(f"<dt>{escape(term)}</dt><dd>{escape(said)}</dd>" for term, said in terms.items()) + "</dl>"
        "<h3>(b), (f) Purposes and when their data goes</h3>"
        + _table(("purpose", "what for", "basis", "kept"), rows)
        + f"<h3>(g) Security</h3><ul>{security}</ul>"
    )


def _inventory(report: Report) -> str:
    rows = [
        (each.purpose, item, said, f"{each.people:,}")
        for each in report.processing.purposes
        for item, said in each.items.items()
    ]
    return f"<p>Stored: {counted(report.conversations, 'conversation')}.</p>" + _table(
        ("purpose", "item", "category, need, how much", "people with data of the purpose"), rows, numbers=1
    )


def _consents(report: Report) -> str:
    parts, by_consent = [], {each.purpose for each in report.processing.purposes if each.basis == "consent"}
    for each in report.consents:
        asked = sum(each.statuses.values())
        if asked == 0 and each.purpose not in by_consent:
            continue  # a purpose that is not asked about, or a question beside one that nobody was asked
        yes = each.statuses.get("granted", 0)
        rate = f", {100 * yes / asked:.0f} % said yes and it holds" if asked else ""
        said = ", ".join(f"{number:,} {status}" for status, number in sorted(each.statuses.items()))
        parts.append(f"<h3>{escape(each.purpose)}</h3><p>{counted(asked, 'person')} answered{rate}. {escape(said)}</p>")
        parts.append(bars(each.months, _KINDS, f"answers about {each.purpose} by month"))
    return "".join(parts) or "<p>Nobody was asked yet.</p>"


def _requests(report: Report) -> str:
    rows = [
        (
            each.kind,
            *(f"{getattr(each, name):,}" for name in _FIGURES),
            "" if each.median_days is None else f"{each.median_days:.1f}",
        )
        for each in report.requests
    ]
    names = ("kind", *_FIGURES, "median days")
    shown = [{"refused": "refused or taken back"}.get(name, name) for name in names]
    return _table(shown, rows, numbers=9) if rows else "<p>There was no request.</p>"


def _removal(report: Report) -> str:
    found = report.removal
    state = "good" if not found.overdue else "bad"
    runs = "".join(f"<li>{escape(line)}</li>" for line in found.runs) or "<li>none yet</li>"
    picture = bars({month: {"people": number} for month, number in found.erased.items()}, ("people",), "deleted people")
    total = sum(found.erased.values())
    overdue = counted(found.overdue, "purpose or item", "purposes or items")
    waits = f"; {report.review_waiting} was made and waits for somebody to look at it" if report.review_waiting else ""
    review = (
        f"<p class='bad'>A review of what is stored is overdue since {report.review_overdue}{escape(waits)}.</p>"
        if report.review_overdue is not None
        else ""
    )
    if not report.contacts_indexed:
        review += "<p class='bad'>Contacts of before 'identity:' are not indexed, so a proof does not find them.</p>"
    return (
        f"{review}<p class='{state}'>Due and still there: {overdue} of people.</p>"
        f"<p>Nothing is left of {counted(total, 'person')}, by their wish or because all of their data was due.</p>"
        f"{picture}"
        f"<h3>The newest sweeps</h3><ul>{runs}</ul>"
    )


def _access(report: Report) -> str:
    rows = [(role, what, f"{number:,}") for role, counts in report.access.items() for what, number in counts.items()]
    return _table(("role", "what", "records"), rows, numbers=1) if rows else "<p>The audit log is empty.</p>"


def _keys(report: Report) -> str:
    rows = [
        (str(each.number), each.state, f"{each.began}", f"{each.ended or ''}", f"{each.keys:,}")
        for each in report.epochs
    ]
    horizon = (
        f"Backups from before {report.backup_horizon} cannot be read any more."
        if report.backup_horizon is not None
        else "No epoch has ended: every backup that holds the keys can still be read ('rasa-privacy keys end-epoch')."
    )
    return f"<p>{escape(horizon)}</p>" + _table(("epoch", "state", "began", "ended", "data keys"), rows, numbers=1)


def _training(report: Report) -> str:
    if not report.training:
        return "<p>privacy.yml asks for no training.</p>"
    if not any(report.training.values()):
        return "<p>There are no operators; who has the machine needs the course too.</p>"
    return _table(
        ("operators", "number"), [(name, f"{number:,}") for name, number in report.training.items()], numbers=1
    )


def _obligations(report: Report) -> str:
    if not report.obligations:
        return "<p>privacy.yml names no regulation.</p>"
    rows = [
        (
            each.regulation,
            each.about,
            each.demands,
            each.source,
            each.kept if each.is_kept else f"NOT KEPT: {each.kept}",
        )
        for each in report.obligations
    ]
    return _table(("regulation", "about", "demands", "article", "kept by"), rows)


def _findings(report: Report) -> str:
    if report.findings is None:
        return "<p>The bot's files were not looked at.</p>"
    if not report.findings:
        return "<p class='good'>None.</p>"
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in report.findings) + "</ul>"


def _chains(report: Report) -> str:
    lines = []
    for each in report.chains:
        whole = f"{each.whole_at:%d %B %Y, %H:%M}" if each.whole_at is not None else "never"
        good = (
            f"{counted(each.records, 'record')}, each follows from the one before, and the signatures hold. Verified "
            f"whole on {whole} (UTC), and {new_records(each.since)} since."
        )
        said = (
            f"<span class='bad'>{escape(each.problem)}</span>" if each.problem else f"<span class='good'>{good}</span>"
        )
        lines.append(f"<li>{escape(each.book)}: {said}</li>")
    return f"<ul>{''.join(lines)}</ul>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> str:
    """Return a table whose last `numbers` columns are numbers."""

    def line(cells: Sequence[str], kind: str) -> str:
        first = len(cells) - numbers
        made = (f"<{kind}{' class=n' if at >= first else ''}>{escape(cell)}</{kind}>" for at, cell in enumerate(cells))
        return f"<tr>{''.join(made)}</tr>"

    body = "".join(line(row, "td") for row in rows)
    return f"<table><thead>{line(head, 'th')}</thead><tbody>{body}</tbody></table>"
