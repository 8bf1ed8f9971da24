"""The page of a person's copy: everything in the JSON that a person reads, in one file that stands for itself.

It loads nothing, runs nothing, and shows whatever anybody typed as text: each value is escaped, and a policy in the
page forbids what would be missed. It is yielded in pieces, so that a long conversation is never in memory as a whole.
It is in the language of the conversation; what was asked and said stays as it was.
"""

import html
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timezone
from typing import Any, Final

from rasa_privacy.dialogue.phrases import Phrases

_BY: Final = {"user": "page_you", "bot": "page_bot"}
#: What this page and that of a certificate look like.
STYLE: Final = """
:root{color-scheme:light dark;--line:#8886}
body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{margin-bottom:.2rem}h2{margin-top:2.5rem;border-bottom:2px solid var(--line);padding-bottom:.2rem}
.about{opacity:.8;margin-top:0}
section.item{margin:1rem 0;padding:.6rem 1rem;border:1px solid var(--line);border-radius:.4rem;break-inside:avoid}
section.item h3{margin:0;font-size:1rem;font-weight:normal;opacity:.8}
section.item p.value{margin:.1rem 0 .4rem;font-size:1.2rem;font-weight:600;overflow-wrap:anywhere;white-space:pre-wrap}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:0;font-size:.9rem}
dt{opacity:.7}dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--line);
overflow-wrap:anywhere;white-space:pre-wrap}thead{display:table-header-group}tr{break-inside:avoid}
ol{list-style:none;padding:0}li{margin:.5rem 0;max-width:85%;break-inside:avoid}
li.day{margin:1.5rem 0 .5rem;font-weight:600}
li.user{margin-left:15%}li p{margin:0;padding:.4rem .8rem;border-radius:.6rem;background:#8882;overflow-wrap:anywhere;
white-space:pre-wrap}li small{opacity:.7}
@media screen and (max-width:40rem){thead{display:none}tr{display:block;padding:.4rem 0;
border-bottom:1px solid var(--line)}td{display:grid;grid-template-columns:7.5rem 1fr;border:0;padding:.1rem 0}
td::before{content:attr(data-name);opacity:.7}li{max-width:95%}
li.user{margin-left:5%}dl{grid-template-columns:7.5rem 1fr}}
@media print{body{margin:0;max-width:none;font-size:10pt}a{color:inherit;text-decoration:none}
section.item{margin:.5rem 0}}
"""


def page(
    facts: Mapping[str, Any], events: Iterable[Mapping[str, Any]], phrases: Phrases, called: Mapping[str, str]
) -> Iterator[bytes]:
    """Yield the page of a copy.

    Args:
        facts: The copy without its conversation (`portability.Copy.facts`).
        events: The conversation's events with the values that are held.
        phrases: The words of its language.
        called: What people call what they were asked about.
    """
    yield "".join(_front(facts, phrases, called)).encode()
    yield f"<h2>{phrases.html('page_conversation')}</h2>\n".encode()
    if facts["conversation_kept_until"]:
        until = phrases.html("page_conversation_kept", date=_day(facts["conversation_kept_until"], phrases))
        yield f"<p class=about>{until}</p>\n".encode()
    yield b"<ol>\n"
    day: date | None = None
    for event in events:
        if event.get("event") in _BY and event.get("text"):
            at = datetime.fromtimestamp(event["timestamp"], timezone.utc)
            if at.date() != day:
                day = at.date()
                yield f"<li class=day>{_day_alone(day, phrases)}</li>\n".encode()
            yield _message(event, at, phrases).encode()
    yield b"</ol>\n</body>\n</html>\n"


def _front(facts: Mapping[str, Any], phrases: Phrases, called: Mapping[str, str]) -> Iterator[str]:
    controller, title = facts["controller"], phrases.html("page_title")
    yield (
        f'<!doctype html>\n<html lang="{phrases.locale.language}">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        "form-action 'none'; base-uri 'none'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    )
    about = phrases.html(
        "page_about",
        controller=_text(controller["name"]),
        contact=_text(controller["contact"]),
        date=_moment(facts["made_at"], phrases),
        sender=f"<b>{_text(facts['sender_id'])}</b>",
    )
    yield f"<p class=about>{about}</p>\n<h2>{phrases.html('page_held')}</h2>\n"
    yield "".join(_item(each, phrases) for each in facts["data"]) or f"<p>{phrases.html('page_nothing_held')}</p>\n"
    consents = (
        (
            _text(called[each["purpose"]]),
            phrases.html("choice_" + each["event"]),
            _moment(each["at"], phrases),
            f'<span lang="{_text(each["language"])}">{_text(each["notice"])}</span>',
        )
        for each in facts["consents"]
    )
    heads = [phrases.html(name) for name in ("page_purpose", "page_choice", "page_when", "page_shown")]
    yield _table(phrases.html("page_agreed"), heads, consents, phrases)
    asked = (
        (
            _text(each["number"]),
            phrases.html("request_" + each["kind"]),
            phrases.html("state_" + each["state"]),
            _moment(each["received_at"], phrases),
            _moment(each["closed_at"], phrases),
        )
        for each in facts["requests"]
    )
    names = ("page_number", "page_request", "page_state", "page_received", "page_closed")
    yield _table(phrases.html("page_asked"), [phrases.html(name) for name in names], asked, phrases)


def _item(each: Mapping[str, Any], phrases: Phrases) -> str:
    came = _moment(each["collected_at"], phrases)
    until = phrases.html("until_withdrawn")
    if each["kept_until"]:
        until = phrases.html("until_date", date=_day(each["kept_until"], phrases))
    about = {
        "page_used_for": _text(each["purpose_called"]),
        "page_basis": "-" if each["basis"] is None else phrases.html("basis_" + each["basis"]),
        "page_shared_with": _text(phrases.listed(each["recipients"])) or phrases.html("nobody_else"),
        "page_from": phrases.html("source_" + each["source"], date=came),
        "page_kept": until,
    }
    rows = "".join(f"<dt>{phrases.html(name)}</dt><dd>{value}</dd>" for name, value in about.items())
    shown = "-" if each["value"] is None else phrases.value(each["value"])
    value = f"<h3>{_text(each['called'])}</h3>\n<p class=value>{_text(shown)}</p>"
    return f"<section class=item>{value}<dl>{rows}</dl></section>\n"


def _table(title: str, heads: list[str], rows: Iterable[tuple[str, ...]], phrases: Phrases) -> str:
    shown = "".join(f"<tr>{''.join(map(_cell, heads, row))}</tr>\n" for row in rows)
    if not shown:
        return f"<h2>{title}</h2>\n<p>{phrases.html('page_nothing_yet')}</p>\n"
    top = "".join(f"<th>{head}</th>" for head in heads)
    return f"<h2>{title}</h2>\n<table>\n<thead><tr>{top}</tr></thead>\n<tbody>\n{shown}</tbody>\n</table>\n"


def _cell(head: str, content: str) -> str:
    """Return a cell that can say what it is: on a phone the rows stand below each other."""
    return f'<td data-name="{head}">{content}</td>'


def _message(event: Mapping[str, Any], at: datetime, phrases: Phrases) -> str:
    who = str(event["event"])
    return f"<li class={who}><small>{phrases.html(_BY[who])}, {at:%H:%M}</small><p>{_text(event['text'])}</p></li>\n"


def _day_alone(day: date, phrases: Phrases) -> str:
    return phrases.html("page_day", date=_text(phrases.day(day)))


def _day(value: str, phrases: Phrases) -> str:
    return _text(phrases.day(_parsed(value)))


def _moment(value: str | None, phrases: Phrases) -> str:
    return "-" if value is None else _text(phrases.moment(_parsed(value)))


def _parsed(value: str) -> datetime:
    return datetime.fromisoformat(value.replace("Z", "+00:00"))


def _text(value: object) -> str:
    """Return a value as text of the page, whatever is in it."""
    return html.escape("-" if value is None else str(value))
