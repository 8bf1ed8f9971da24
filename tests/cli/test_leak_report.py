"""What the leak test calls a leak: a leak planted at each door is reported, and what may travel is not."""

import base64
import gzip
import io
import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from rich.console import Console

from rasa_privacy.cli.leak_marks import Marks, Value
from rasa_privacy.cli.leak_report import Report, as_json, report_of, show
from rasa_privacy.cli.leak_run import AFTER, BEFORE, DOORS, Places, Request, Run, _files
from rasa_privacy.cli.leak_script import load_script, play
from rasa_privacy.cli.leak_search import Sink
from rasa_privacy.cli.leak_triggers import triggers
from rasa_privacy.cli.leak_visitor import Visitor
from rasa_privacy.cli.rest import BotMessage, Button, Chat
from rasa_privacy.errors import ConfigurationError, ServerError
from rasa_privacy.policy.bot import read_bot
from rasa_privacy.policy.loader import load_policy

EXAMPLE_BOT = Path(__file__).parents[2] / "example_bot"
POLICY = load_policy(EXAMPLE_BOT / "privacy.yml")
BOT = read_bot(EXAMPLE_BOT)
FILES = [door for door in DOORS if door not in ("actions", "nlg")]


class FakeChat(Chat):
    """A chat without a server: it remembers what was said, and offers one button."""

    def say(self, text: str) -> list[BotMessage]:
        """Remember the text."""
        self.texts = [*getattr(self, "texts", []), text]
        self.offered = (Button("Yes, I agree", "/privacy_grant"),)
        return []


def a_run(*, consents: bool = True) -> tuple[Run, Visitor]:
    """Return a run of one person who said everything, of which nothing came out."""
    values = Marks(POLICY, random.Random(1)).values  # noqa: S311 - the same values in each run
    visitor = Visitor(FakeChat("http://bot.example", "qwertzuiopasdf"), POLICY, values, consents=consents)
    visitor.tell_everything()
    run = Run(POLICY, BOT, [visitor], held={"qwertzuiopasdf": set(POLICY.items)})
    run.sinks = [(BEFORE, Sink(f"{door} file", b"nothing", door)) for door in FILES]
    return run, visitor


def payload(action: str, value: str) -> Request:
    """Return a request to the action server with a value in it."""
    body = json.dumps({"next_action": action, "sender_id": "qwertzuiopasdf", "x": value}).encode()
    return Request("actions", action, body)


def test_a_run_that_leaks_nothing_is_clean() -> None:
    """A table without a leak, and nothing that was not tested."""
    report = report_of(a_run()[0])
    assert report.is_clean
    assert (report.unsaid, report.not_held, report.unreached) == ([], [], [])
    assert set(report.doors) == set(DOORS) - {"nlg"}


def test_a_narrow_terminal_shows_whole_names_of_items() -> None:
    """Two that begin alike would be the same there."""
    run, _ = a_run()
    run.requests = [Request("nlg", "utter_greet", b"{}")]
    written = io.StringIO()
    show(report_of(run), Console(file=written, width=80))
    rows = {line.split("\u2502")[1].strip() for line in written.getvalue().splitlines() if line.startswith("\u2502")}
    assert set(POLICY.items) <= rows


@pytest.mark.parametrize("door", FILES)
@pytest.mark.parametrize("item", ["full_name", "email", "phone", "postcode", "birthday", "fitting_day", "sender id"])
def test_a_leak_that_is_planted_in_a_file_is_found(door: str, item: str) -> None:
    """Each item at each door, before or after the deletion; once, though it stands there at both times."""
    run, visitor = a_run()
    planted = visitor.chat.sender if item == "sender id" else visitor.said[item][0].marks[-1]
    run.sinks += [(when, Sink("planted", b"... " + planted.encode(), door)) for when in (BEFORE, AFTER)]
    report = report_of(run)
    assert [(leak.item, leak.door, leak.place, leak.form, leak.at) for leak in report.leaks] == [
        (item, door, "planted", "plain", 4)
    ]
    assert not report.is_clean


@pytest.mark.parametrize(
    ("action", "item", "consents", "leaks"),
    [
        ("action_submit_entry", "email", True, False),
        ("validate_lead_form", "full_name", True, False),
        ("action_submit_entry", "phone", True, True),
        ("action_other", "email", True, True),
        ("action_privacy_ask_consent", "email", True, True),
        ("action_submit_entry", "email", False, True),
        ("action_validate_slot_mappings", "phone", True, False),
        ("action_validate_slot_mappings", "phone", False, True),
    ],
)
def test_an_action_may_get_what_it_needs_of_who_consented(action: str, item: str, consents: bool, leaks: bool) -> None:  # noqa: FBT001 - cases
    """The same value is a leak in the payload of another action, or of somebody who said no."""
    run, visitor = a_run(consents=consents)
    run.requests = [payload(action, visitor.said[item][0].text)]
    found = report_of(run).leaks
    assert bool(found) is leaks
    assert all((leak.item, leak.door) == (item, "actions") for leak in found)


def test_a_value_in_the_payload_of_another_person_is_a_leak() -> None:
    """Also where the action may have it of the one who is served; but not where both said the same."""
    run, visitor = a_run()
    value = visitor.said["email"][0].text
    other = Visitor(FakeChat("http://bot.example", "yxcvbnmasdfghj"), POLICY, visitor.values, consents=True)
    run.visitors.append(other)
    run.held[other.chat.sender] = set()
    body = json.dumps({"next_action": "action_submit_entry", "sender_id": "yxcvbnmasdfghj", "x": value}).encode()
    run.requests = [Request("actions", "action_submit_entry", body)]
    assert [(leak.item, leak.door) for leak in report_of(run).leaks] == [("email", "actions")]
    other.said = visitor.said
    assert report_of(run).leaks == []


@pytest.mark.parametrize(("response", "leaks"), [("utter_greet", True), ("utter_entry_confirmed", False)])
def test_an_nlg_server_may_get_what_stands_in_the_response(response: str, leaks: bool) -> None:  # noqa: FBT001 - cases
    """Of who consented; any other value is a leak."""
    run, visitor = a_run()
    run.bot = replace(BOT, domain=replace(BOT.domain, shown={"utter_entry_confirmed": frozenset({"full_name"})}))
    body = json.dumps({"response": response, "tracker": {"slots": {"full_name": visitor.said["full_name"][0].text}}})
    run.requests = [Request("nlg", response, body.encode())]
    assert bool(report_of(run).leaks) is leaks


def test_what_an_action_needed_is_a_leak_after_the_deletion() -> None:
    """The consent went with the person."""
    run, visitor = a_run()
    sent = payload("action_submit_entry", visitor.said["email"][0].text)
    run.requests, run.deleted = [sent._replace(at=1.0)], {visitor.chat.sender: 2.0}
    assert report_of(run).leaks == []
    run.requests = [sent._replace(at=3.0)]
    assert [leak.item for leak in report_of(run).leaks] == ["email"]


def test_a_run_in_which_nobody_could_leave_anything_is_not_clean() -> None:
    """It would be clean for a bot that answers nothing."""
    run, _ = a_run()
    run.held = {"qwertzuiopasdf": set()}
    report = report_of(run)
    assert not report.is_clean
    assert "Nothing was tested" in shown(report)
    assert "Nothing leaked" not in shown(report)


#: The forms that programs write, each as `leak_search` names it.
FORMS: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "base64": lambda text: base64.b64encode(b"n:" + text.encode()),
    "url": lambda text: quote(text, safe="").encode(),
    "utf-16": lambda text: text.encode("utf-16-le"),
    "json": lambda text: json.dumps(text).encode(),
    "hex": lambda text: text.encode().hex().encode(),
}
#: Where a bot writes in a run, and the door that this is.
PLACES = {
    "store/conversations.db": "store",
    "store/conversations.db-wal": "store",
    "store/conversations.db-journal": "store",
    "store/keys/other": "store",
    "run/rasa.log": "logs",
    "published.jsonl": "broker",
    "tmp/folder/entry": "temp",
    "bot/entries.txt": "files",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("place", PLACES)
def test_each_form_is_found_in_each_file_of_a_run(place: str, form: str, tmp_path: Path) -> None:
    """A file is read where the bot wrote it, also under gzip, and one of the bot's own that is as it was is not."""
    run, visitor = a_run()
    visitor.said["full_name"] = [Value("Zo\xeb Qu\xe1rz & S\xf6hne", ("Zo\xeb Qu\xe1rz & S\xf6hne",))]
    written = FORMS[form]("Zo\xeb Qu\xe1rz & S\xf6hne")
    untouched = tmp_path / "bot" / "data.yml"
    for name, content in (
        (place, b"\0" * 99 + written),
        (f"{place}.gz", gzip.compress(written)),
        ("bot/data.yml", written),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    run.sinks = [(BEFORE, sink) for sink in _files(Places(tmp_path), {untouched: written})]
    found = {(leak.item, leak.place, leak.form, leak.door) for leak in report_of(run).leaks}
    beside = (
        "files" if place == "published.jsonl" else PLACES[place]
    )  # a file beside the broker's is none of the broker's
    assert found == {
        ("full_name", place, form, PLACES[place]),
        ("full_name", f"{place}.gz (unpacked)", form, beside),
    }


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("door", ["actions", "nlg"])
def test_each_form_is_found_in_what_is_sent(door: str, form: str) -> None:
    """To an action server and to an NLG server, of somebody who allowed nothing."""
    run, visitor = a_run(consents=False)
    visitor.said["full_name"] = [Value("Zo\xeb Qu\xe1rz & S\xf6hne", ("Zo\xeb Qu\xe1rz & S\xf6hne",))]
    name = json.dumps("qwertzuiopasdf").encode() if door == "actions" else b""
    run.requests = [Request(door, "utter_or_action", name + b" " + FORMS[form]("Zo\xeb Qu\xe1rz & S\xf6hne"))]
    assert [(leak.item, leak.door, leak.form) for leak in report_of(run).leaks] == [("full_name", door, form)]


def test_an_nlg_server_must_not_learn_the_sender_id() -> None:
    """The action server does; a generator of texts does not."""
    run, visitor = a_run()
    body = json.dumps({"response": "utter_hi", "tracker": {"sender_id": visitor.chat.sender}}).encode()
    run.requests = [payload("action_submit_entry", ""), Request("nlg", "utter_hi", body)]
    assert [(leak.item, leak.door) for leak in report_of(run).leaks] == [("sender id", "nlg")]


def test_somebody_whom_the_store_still_knows_is_a_leak() -> None:
    """Also when no byte of theirs is readable."""
    run, _ = a_run()
    run.remained = ["qwertzuiopasdf"]
    assert not report_of(run).is_clean


def test_what_was_not_tested_is_said() -> None:
    """An item that nobody could leave, an item nobody named, a form that nothing starts."""
    run, visitor = a_run()
    run.held["qwertzuiopasdf"].remove("phone")
    del visitor.said["birthday"]
    run.unreached = ["lead_form", "action_submit_entry"]
    run.requests = [payload("action_submit_entry", "")]
    report = report_of(run)
    assert (report.not_held, report.unsaid, report.unreached) == (["phone"], ["birthday"], ["lead_form"])
    assert "phone: no value" in shown(report)


def test_the_report_shows_places_and_no_values() -> None:
    """The table and the JSON may go into a log of a build."""
    run, visitor = a_run()
    secret = visitor.said["email"][0]
    run.sinks.append((AFTER, Sink("run/rasa.log", b"a" + secret.text.encode(), "logs")))
    report = report_of(run)
    text, data = shown(report), json.loads(as_json(report))
    assert "LEAK email of somebody who consented: logs, run/rasa.log, plain, byte 1, after the deletion" in text
    assert data["clean"] is False
    assert data["leaks"][0]["place"] == "run/rasa.log"
    assert not [mark for mark in secret.marks if mark in text + json.dumps(data)]


def shown(report: Report) -> str:
    """Return what a person sees."""
    file = io.StringIO()
    show(report, Console(file=file, width=200))
    return file.getvalue()


def test_guarded_forms_are_started_by_what_the_rules_say() -> None:
    """A rule outside a loop counts before one within."""
    found = triggers(BOT, POLICY)
    assert {name: found[name] for name in ("lead_form", "newsletter_form", "fitting_form")} == {
        "lead_form": "enter_draw",
        "newsletter_form": "subscribe_newsletter",
        "fitting_form": "book_fitting",
    }


def test_a_script_is_played_with_marked_values(tmp_path: Path) -> None:
    """A step is a message, with items in braces, or a button in brackets."""
    path = tmp_path / "script.yml"
    path.write_text('people: [{consents: true, steps: [hello, "[i agree]", "I am {full_name}"]}]', encoding="utf-8")
    script = load_script(path, POLICY)
    _, visitor = a_run()
    visitor.said.clear()
    play(visitor, script.people[0].steps)
    chat: Any = visitor.chat
    assert chat.texts[-3:] == ["hello", "/privacy_grant", f"I am {visitor.values['full_name'][0].text}"]
    assert list(visitor.said) == ["full_name"]
    with pytest.raises(ServerError, match="0 buttons match"):
        play(visitor, ("[Perhaps]",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("people: [{consents: true, steps: ['I am {name}']}]", "item 'name' is not declared"),
        ("people: [{consents: true, steps: [hello]}]", "no step holds a marked value"),
        ("people: [{steps: ['{email}']}]", "this is no script"),
        ("people: [", "this is no script"),
    ],
)
def test_a_script_that_proves_nothing_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """A typing mistake must not look like a bot that leaks nothing."""
    path = tmp_path / "script.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=message):
        load_script(path, POLICY)


def test_the_example_of_a_script_is_one() -> None:
    """It can be copied as it stands."""
    script = load_script(Path(__file__).parents[2] / "config" / "leaktest.yml", POLICY)
    assert [person.consents for person in script.people] == [True, False]
