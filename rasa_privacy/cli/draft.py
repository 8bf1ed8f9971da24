"""The privacy.yml that `rasa-privacy init` writes: what a bot's domain lets one guess, with comments for the builder.

Every slot ends as an item or under `not_personal`; every form that asks for an item ends under a purpose's `guards`;
every item ends under a purpose. So the draft loads, and `rasa-privacy check` finds no error in it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import yaml

from rasa_privacy.cli.guess import Guess, guess
from rasa_privacy.policy.bot import Domain
from rasa_privacy.policy.check_notes import NAME
from rasa_privacy.policy.findings import PLACEHOLDER_CONTACT, PLACEHOLDER_NAME, PLACEHOLDER_URL
from rasa_privacy.policy.own_intents import likely_replies, likely_requests
from rasa_privacy.policy.purpose_checks import RESERVED_PURPOSE, can_be_guarded
from rasa_privacy.policy.slots import is_exempt

#: The purpose of items that no form asks for.
OTHER_PURPOSE: Final = "assistance"

_ONE_LINE: Final = 10**9  # a width in characters that no name has
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
# Words that YAML 1.1 does not read as text (https://yaml.org/type/bool.html, null.html).
_YAML_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})

_HEADER: Final = """\
# What this bot does with personal data. Written by 'rasa-privacy init' from the domain: read every line, mend what the
# guess got wrong, and replace the texts that people will be shown. Then run 'rasa-privacy check'.
version: 1
controller:
  name: {name}  # REVIEW: who you are
  contact: {contact}  # REVIEW: where privacy questions go
  policy_url: {url}  # REVIEW: your privacy policy
languages: [en]
regulations: []  # REVIEW: whose rules you keep, such as [gdpr@2026-11]; 'rasa-privacy regulations list' names them
"""


@dataclass(slots=True)
class DraftItem:
    """One item of the draft."""

    name: str
    about: Guess
    slot: str | None = None
    entity: str | None = None

    def line(self) -> str:
        """Return the item as one line of YAML."""
        parts = {"slot": self.slot, "entity": self.entity, "detect": self.about.detect, "keep": self.about.keep}
        parts["category"] = self.about.category
        body = ", ".join(f"{key}: {scalar(value)}" for key, value in parts.items() if value is not None)
        called = f"your {_in_words(self.name)}"
        advice = f"  # {self.about.advice}" if self.about.advice else ""
        return f"  {scalar(self.name)}: {{{body}, called: {{en: {scalar(called)}}}}}{advice}"


@dataclass(slots=True)
class Draft:
    """The guess as a whole: items, slots that are not personal (and whether they take free text), purposes, intents."""

    items: list[DraftItem] = field(default_factory=list)
    not_personal: dict[str, bool] = field(default_factory=dict)
    purposes: dict[str, tuple[list[str], list[str]]] = field(default_factory=dict)  # name to items, guards
    replies: dict[str, str] = field(default_factory=dict)  # what an intent of the bot's own means, to the intent
    requests: dict[str, list[str]] = field(default_factory=dict)  # what intents of the bot's own ask for, to these


def draft_of(domain: Domain) -> Draft:
    """Guess a policy from a domain."""
    draft = Draft()
    _add_slots(draft, domain)
    _add_entities(draft, domain)
    if not draft.items:  # people tell a bot who they are whether it asks or not
        draft.items = [DraftItem(kind, Guess("contact", detect=kind)) for kind in ("email", "phone")]
    _add_purposes(draft, domain)
    draft.replies, draft.requests = likely_replies(domain.intents), likely_requests(domain.intents)
    return draft


def _add_slots(draft: Draft, domain: Domain) -> None:
    for name, slot in domain.slots.items():
        about = guess(name, slot.entities)
        if is_exempt(name):
            continue
        if about is None:
            draft.not_personal[name] = slot.free_text
            continue
        taken = {item.entity for item in draft.items}
        likely = [*slot.entities, *([name] if name in domain.entities else [])]
        entity = next((one for one in likely if one not in taken), None)
        draft.items.append(DraftItem(_free_name(name, draft), about, slot=name, entity=entity))


def _add_entities(draft: Draft, domain: Domain) -> None:
    """Add entities that look personal and fill no item's slot: they are stored with the messages all the same."""
    for entity in domain.entities:
        about = guess(entity)
        if about is not None and all(item.entity != entity for item in draft.items):
            draft.items.append(DraftItem(_free_name(entity, draft), about, entity=entity))


def _add_purposes(draft: Draft, domain: Domain) -> None:
    by_slot = {item.slot: item.name for item in draft.items if item.slot is not None}
    used: set[str] = set()
    for form, details in domain.forms.items():
        asked = [by_slot[slot] for slot in dict.fromkeys(details.required_slots) if slot in by_slot]
        if asked and can_be_guarded(form):
            stem = re.sub(r"^form_|_form$", "", form)
            draft.purposes[_purpose_name(stem, draft)] = (asked, [form, *_actions_about(stem, domain)])
            used.update(asked)
    left = [item.name for item in draft.items if item.name not in used]
    if left:
        draft.purposes[OTHER_PURPOSE] = (left, [])


def _actions_about(stem: str, domain: Domain) -> Iterator[str]:
    """Yield the actions that carry the form's name; the ones that only ask or validate run inside the form."""
    for action in domain.actions:
        if action.startswith("action_") and not action.startswith("action_ask_") and f"_{stem}_" in f"{action}_":
            yield action


def _free_name(wanted: str, draft: Draft) -> str:
    """Return a name that the policy allows and that no item has yet."""
    base = re.sub(r"[^A-Za-z0-9_-]+", "_", wanted).strip("_-")[:56]
    base = base if NAME.fullmatch(base) else f"item_{base}".rstrip("_")
    taken = {item.name for item in draft.items}
    return next(name for name in _numbered(base) if name not in taken)


def _purpose_name(stem: str, draft: Draft) -> str:
    base = re.sub(r"[^A-Za-z0-9_-]+", "_", stem).strip("_-")[:56]
    base = base if NAME.fullmatch(base) else f"form_{base}".rstrip("_")
    taken = {*draft.purposes, OTHER_PURPOSE, RESERVED_PURPOSE}
    return next(name for name in _numbered(base) if name not in taken)


def _numbered(base: str) -> Iterator[str]:
    yield base
    number = 2
    while True:
        yield f"{base}_{number}"
        number += 1


def write(draft: Draft) -> str:
    """Return the draft as YAML with comments."""
    header = _HEADER.format(name=PLACEHOLDER_NAME, contact=PLACEHOLDER_CONTACT, url=PLACEHOLDER_URL)
    return "\n".join(
        [
            header,
            *_items(draft),
            "",
            *_not_personal(draft),
            "",
            *_messages(),
            "",
            *_replies(draft),
            *_requests(draft),
            *_purposes(draft),
            "",
        ]
    )


def _items(draft: Draft) -> Iterator[str]:
    yield "# Each kind of personal data, and where it is met: a slot, an entity, or a detector for free text"
    yield "# (email, phone, payment_card, iban). 'called' is what people read for it."
    yield "# REVIEW: take out what is not about a person, and say the rest as people would."
    yield "items:"
    for item in draft.items:
        yield item.line()


def _not_personal(draft: Draft) -> Iterator[str]:
    yield "# The slots that hold nothing about a person. REVIEW: move to 'items' what does."
    if not draft.not_personal:
        yield "not_personal: []"
        return
    yield "not_personal:"
    for slot, free_text in draft.not_personal.items():
        yield f"  - {scalar(slot)}" + ("  # REVIEW: takes free text, in which people say anything" if free_text else "")


def _messages() -> Iterable[str]:
    return (
        "# What is kept of message texts (full, masked or none), and for how long after the last one.",
        "messages: {keep: masked, retain: 30 days}",
    )


def _replies(draft: Draft) -> Iterator[str]:
    """Without them a yes or no that the bot's classifier takes for the bot's own passes our question by."""
    if draft.replies:
        named = ", ".join(f"{meaning}: [{intent}]" for meaning, intent in draft.replies.items())
        yield "# The bot's own intents that answer a question of ours while it is open, if it is sure of them."
        yield f"replies: {{{named}}}  # REVIEW: only what means yes or no, and nothing else"
        yield ""


def _requests(draft: Draft) -> Iterator[str]:
    """Without them a wish that the bot's classifier takes for the bot's own is on no record."""
    if draft.requests:
        yield "# The bot's own intents that mean a request about privacy: such a message is answered as that."
        yield "# REVIEW: take out what means something else, such as a complaint about a delivery."
        yield "requests:"
        for name, intents in draft.requests.items():
            yield f"  {name}: [{', '.join(map(scalar, intents))}]"
        yield ""


def _purposes(draft: Draft) -> Iterator[str]:
    yield "# Each reason to use data. 'says' continues the sentence 'We need this ...', which people read first."
    yield "purposes:"
    for name, (items, guards) in draft.purposes.items():
        other = name == OTHER_PURPOSE and not guards
        request = f"your request ({_in_words(name)})"
        words = "to help you with what you ask for" if other else f"to handle {request}"
        yield f"  {scalar(name)}:"
        yield f"    says: {{en: {scalar(words)}}}  # REVIEW: say it in your own words"
        called = scalar("our help" if other else request)
        yield f"    called: {{en: {called}}}  # REVIEW: the same in short, as in 'your yes for ...'"
        yield "    basis: consent"
        yield f"    items: {{{', '.join(f'{scalar(item)}: required' for item in items)}}}  # REVIEW: or optional"
        advice = "name the forms and actions that use these items" if other else "add the actions that use these items"
        yield f"    guards: [{', '.join(map(scalar, guards))}]  # REVIEW: {advice}"
        yield "    retain: 90 days  # REVIEW: as short as the purpose allows, or 'until withdrawn'"
        yield "    recipients: []  # REVIEW: who else gets the data"


def _in_words(name: str) -> str:
    return re.sub("[_-]+", " ", name)


def scalar(text: str) -> str:
    """Return a text as YAML that every reader takes for that text."""
    if _PLAIN.fullmatch(text) and text.lower() not in _YAML_WORDS:
        return text
    quoted: str = yaml.safe_dump(text, default_style='"', allow_unicode=True, width=_ONE_LINE)
    return quoted.rstrip("\n")
