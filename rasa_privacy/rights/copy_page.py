"""The page of a person's copy: everything in the JSON that a person reads, in one file that stands for itself.

It loads nothing, runs nothing, and shows whatever anybody typed as text: each value is escaped, and a policy in the
page forbids what would be missed. It is yielded in pieces, so that a long conversation is never in memory as a whole.
"""

import html
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any, Final

_BY: Final = {"user": "You", "bot": "Bot"}
_EVENTS: Final = {
    "asked": "you were asked",
    "granted": "you agreed",
    "refused": "you said no",
    "withdrawn": "you took it back",
    "expired": "it ended by itself",
    "superseded": "the notice changed",
}
_STYLE: Final = """
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
li.user{margin-left:15%}li p{margin:0;padding:.4rem .8rem;border-radius:.6rem;background:#8882;overflow-wrap:anywhere;
white-space:pre-wrap}li small{opacity:.7}
@media screen and (max-width:40rem){thead{display:none}tr{display:block;padding:.4rem 0;
border-bottom:1px solid var(--line)}td{display:grid;grid-template-columns:7.5rem 1fr;border:0;padding:.1rem 0}
td::before{content:attr(data-name);opacity:.7}li{max-width:95%}
li.user{margin-left:5%}dl{grid-template-columns:7.5rem 1fr}}
@media print{body{margin:0;max-width:none;font-size:10pt}a{color:inherit;text-decoration:none}
section.item{margin:.5rem 0}}
"""


def page(facts: Mapping[str, Any], events: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Yield the page of a copy.

    Args:
        facts: The copy without its conversation (`portability.Copy.facts`).
        events: The conversation's events with the values that are held.
    """
    yield "".join(_front(facts)).encode()
    yield b"<h2>The conversation</h2>\n"
    if facts["conversation_kept_until"]:
        yield f"<p class=about>Kept until {_day(facts['conversation_kept_until'])}, longer if you write.</p>\n".encode()
    yield b"<ol>\n"
    for event in events:
        if event.get("event") in _BY and event.get("text"):
            yield _message(event).encode()
    yield b"</ol>\n</body>\n</html>\n"


def _front(facts: Mapping[str, Any]) -> Iterator[str]:
    controller = facts["controller"]
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        "form-action 'none'; base-uri 'none'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>Your data</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>Your data</h1>\n"
    )
    yield (
        f"<p class=about>What {_text(controller['name'])} holds of you, as of {_day(facts['made_at'])}. "
        f"Questions go to {_text(controller['contact'])}. In the conversation you are known as "
        f"<b>{_text(facts['sender_id'])}</b>.</p>\n<h2>What is held</h2>\n"
    )
    yield "".join(map(_item, facts["data"])) or "<p>No value of yours is held.</p>\n"
    called = {each["purpose"]: each["purpose_called"] for each in facts["data"]}
    consents = (
        (_text(called.get(each["purpose"], each["purpose"])), _choice(each), _day(each["at"]), _text(each["notice"]))
        for each in facts["consents"]
    )
    yield _table("What you agreed to", ("purpose", "choice", "when", "what you were shown"), consents)
    asked = (
        (
            _text(each["number"]),
            _words(each["kind"]),
            _words(each["state"]),
            *map(_day, (each["received_at"], each["closed_at"])),
        )
        for each in facts["requests"]
    )
    yield _table("What you asked for", ("number", "request", "state", "received", "closed"), asked)


def _item(each: Mapping[str, Any]) -> str:
    until = _day(each["kept_until"]) if each["kept_until"] else "you take your consent back"
    about = {
        "Used for": _text(each["purpose_called"]),
        "Legal basis": _words(each["basis"]),
        "Given to": ", ".join(map(_text, each["recipients"])) or "nobody else",
        "From": f"{_text(each['source'])}, {_day(each['collected_at'])}",
        "Kept until": until,
    }
    rows = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in about.items())
    value = f"<h3>{_text(each['called'])}</h3>\n<p class=value>{_text(each['value'])}</p>"
    return f"<section class=item>{value}<dl>{rows}</dl></section>\n"


def _table(title: str, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    shown = "".join(f"<tr>{''.join(map(_cell, heads, row))}</tr>\n" for row in rows)
    if not shown:
        return f"<h2>{title}</h2>\n<p>Nothing yet.</p>\n"
    top = "".join(f"<th>{head}</th>" for head in heads)
    return f"<h2>{title}</h2>\n<table>\n<thead><tr>{top}</tr></thead>\n<tbody>\n{shown}</tbody>\n</table>\n"


def _cell(head: str, text: str) -> str:
    """Return a cell that can say what it is: on a phone the rows stand below each other."""
    return f'<td data-name="{head}">{text}</td>'


def _message(event: Mapping[str, Any]) -> str:
    who = str(event["event"])
    at = datetime.fromtimestamp(event["timestamp"], timezone.utc)
    return f"<li class={who}><small>{_BY[who]}, {at:%Y-%m-%d %H:%M}</small><p>{_text(event['text'])}</p></li>\n"


def _choice(each: Mapping[str, Any]) -> str:
    return _EVENTS.get(each["event"]) or _words(each["event"])


def _words(value: object) -> str:
    return _text(value).replace("_", " ")


def _day(value: str | None) -> str:
    return "-" if value is None else f"{datetime.fromisoformat(value.replace('Z', '+00:00')):%Y-%m-%d %H:%M} UTC"


def _text(value: object) -> str:
    """Return a value as text of the page, whatever is in it."""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_text, value)) or "-"
    return html.escape("-" if value is None else str(value))
