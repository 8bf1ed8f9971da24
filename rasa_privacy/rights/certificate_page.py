"""The page of a certificate of erasure, in one language: all that the certificate says, for people.

It loads nothing and runs nothing. What stands in it is the certificate's document in the words of a language pack, and
what the document names (purposes, items, systems) as text. `certificate_files` signs it.
"""

import html
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from rasa_privacy.consent.notice import name_of_item, name_of_purpose
from rasa_privacy.dialogue.phrases import Phrases, phrases_of
from rasa_privacy.policy.model import Policy
from rasa_privacy.rights.copy_page import STYLE

#: Where the JWS stands; in what is signed it is empty.
SCRIPT_BEGIN: Final = '<script type="application/jose" id="certificate">'
SCRIPT_END: Final = "</script>"
_CHECK: Final = "<code>rasa-privacy rights verify-certificate</code>"
_STYLE: Final = (
    STYLE + "code{overflow-wrap:anywhere;font-size:.85em}th,td{overflow-wrap:break-word}"
    "h3::first-letter{text-transform:uppercase}\n"
)


@dataclass(frozen=True, slots=True)
class _Words:
    """A language's words for what a certificate names."""

    policy: Policy
    phrases: Phrases

    def say(self, name: str, **variables: str) -> str:
        return self.phrases.html(f"erasure_{name}", **variables)

    def purpose(self, name: str) -> str:
        known = name in self.policy.purposes
        return _text(name_of_purpose(self.policy, name, self.phrases.locale.language) if known else name)

    def item(self, name: str) -> str:
        known = name in self.policy.items
        return _text(name_of_item(self.policy, name, self.phrases.locale.language) if known else name)

    def moment(self, value: str) -> str:
        return _text(self.phrases.moment(datetime.fromisoformat(value.replace("Z", "+00:00"))))

    def because(self, purpose: str, said: str) -> str:
        declared = self.policy.purposes.get(purpose)
        return _text(said if declared is None else declared.because.get(self.phrases.locale.language, said))


def certificate_page(policy: Policy, made: Mapping[str, Any], language: str) -> str:
    """Return the page of a certificate, with an empty place for its JWS.

    Args:
        policy: Where purposes and items have their names.
        made: The document (docs/spec/certificate.md, section 2), version 2.
        language: One for which there is a pack.

    Raises:
        ConfigurationError: There is no pack of this language.
    """
    words = _Words(policy, phrases_of(language))
    title = words.say("title", number=_text(made["certificate"]))
    body = "\n".join(_body(words, made))
    return (
        f'<!doctype html>\n<html lang="{_text(language)}">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        "form-action 'none'; base-uri 'none'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{body}\n"
        f"{SCRIPT_BEGIN}{SCRIPT_END}\n</body>\n</html>\n"
    )


def _body(words: _Words, made: Mapping[str, Any]) -> Iterator[str]:
    controller = made["controller"]
    about = {"date": words.moment(made["erased_at"]), "controller": _text(controller["name"])}
    is_part = "everything else" in made["stays"]
    yield f"<p>{words.say('part' if is_part else 'whole', contact=_text(controller['contact']), **about)}</p>"
    yield f"<p>{_asked(words, made)}</p>"
    yield f"<h2>{words.say('destroyed')}</h2>"
    yield from _destroyed(words, made["destroyed"])
    if made.get("kept_by_law"):
        yield f"<h2>{words.say('by_law')}</h2>"
        yield from _kept(words, made["kept_by_law"])
    yield f"<h2>{words.say('stays')}</h2>"
    slugs = [name.replace(" ", "_") for name in made["stays"]]
    rows = [(words.say(f"left_{slug}"), words.say(f"why_{slug}")) for slug in slugs]
    yield from _table([words.say("what"), words.say("why")], rows)
    if made["other_systems"]:
        yield f"<h2>{words.say('systems')}</h2>"
        answers = [(_text(name), words.say(f"answer_{state}")) for name, state in made["other_systems"].items()]
        yield from _table([words.say("system"), words.say("answer")], answers)
    yield f"<h2>{words.say('verified')}</h2>"
    verified = made["verified"]
    yield f"<p>{words.say('read_part' if is_part else 'read_whole', date=words.moment(verified['at']))}</p>"
    yield f"<p>{words.say('tables')}: {_text(', '.join(verified['tables']))}.</p>"
    yield f"<p>{words.say('check', store=_code(made['store']))} {_CHECK}.</p>"


def _asked(words: _Words, made: Mapping[str, Any]) -> str:
    if made["request"] is None:
        return words.say("not_asked")
    return words.say("asked", number=_text(made["request"]), date=words.moment(made["requested_at"]))


def _destroyed(words: _Words, found: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was destroyed: values by purpose and item with the key of each, and the numbers of the whole."""
    rows = [row for each in found["purposes"] for row in _values(words, each)]
    heads = [words.phrases.html("page_purpose"), *map(words.say, ("item", "values", "key"))]
    if rows:
        yield from _table(heads, rows)
    if found["values"] == 0:
        yield f"<p>{words.say('no_values')}</p>"
    if found["values"] is None:
        yield f"<p>{words.say('uncounted')}</p>"
    numbers = {
        words.say(name): str(found[name]) for name in ("values", "events", "keys") if found.get(name) is not None
    }
    if found["conversation_key"] is not None:
        numbers[words.say("conversation_key")] = _code(found["conversation_key"])
    listed = "".join(f"<dt>{name}</dt><dd>{number}</dd>" for name, number in numbers.items())
    yield f"<h3>{words.say('all')}</h3>\n<dl>{listed}</dl>"


def _values(words: _Words, purpose: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return a row for each item of a purpose: which were counted, or which it may have held."""
    name, key, values = words.purpose(purpose["purpose"]), _code(purpose["data_key"]), purpose["values"]
    if values is None:
        return [(name, ", ".join(map(words.item, purpose["items"])) or "-", words.say("not_counted"), key)]
    if not values:
        return [(name, "-", "0", key)]
    return [(name, words.item(item), str(number), key) for item, number in values.items()]


def _kept(words: _Words, kept: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    rows = [
        (
            words.purpose(each["purpose"]),
            ", ".join(map(words.item, each["items"])),
            str(each["values"]),
            words.moment(each["until"]),
            words.say("because", because=words.because(each["purpose"], each["because"])),
        )
        for each in kept
    ]
    heads = [words.phrases.html("page_purpose"), *map(words.say, ("item", "values", "until", "why"))]
    yield from _table(heads, rows)


def _table(heads: list[str], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield a table whose cells say what they are: on a phone the rows stand below each other."""
    yield f"<table>\n<thead><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr></thead>\n<tbody>"
    for row in rows:
        cells = (f'<td data-name="{head}"><span>{cell}</span></td>' for head, cell in zip(heads, row, strict=True))
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody>\n</table>"


def _code(value: object) -> str:
    return "-" if value is None else f"<code>{_text(value)}</code>"


def _text(value: object) -> str:
    """Return a value as text of the page, whatever is in it."""
    return html.escape(str(value))
