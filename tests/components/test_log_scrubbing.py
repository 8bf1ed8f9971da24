"""Nothing personal in a log line, whatever logs it; and lines that stay worth reading."""

import importlib.util
import io
import logging
import sys
import threading
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rasa_privacy.components import log_registry, log_scrubbing, log_structlog
from rasa_privacy.errors import PolicyError, StorageError

MARK = "Zoë-Quartz"
EMAIL = "zoe.quartz@mail.example"
NUMBER = 48213
ALL_MARKS = ("Quartz", "quartz", "Zoë", str(NUMBER))

#: Log statements as Rasa, rasa_sdk, Sanic and others write them: (statement, what must stay readable).
STATEMENTS = [
    ("log.debug(f\"Starting a new session for conversation ID '{tracker.sender_id}'.\")", "Starting a new session"),
    (
        "log.warning('Circuit breaker tripped. Stopped '\n f\"predicting for sender '{tracker.sender_id}'.\")",
        "Circuit breaker tripped. Stopped predicting for sender '[withheld]'.",
    ),
    ("log.debug(f\"Issuing ticket for conversation '{conversation_id}'.\")", "Issuing ticket for conversation"),
    ("log.debug(f\"Recreating tracker for id '{sender_id}'\")", "Recreating tracker for id '[withheld]'"),
    ("log.debug(f'Validating extracted slots: {slot_candidates}')", "Validating extracted slots: [withheld]"),
    (
        "log.debug(f\"Predicted action '{action.name()}' \"\n f'with confidence {prediction.max_confidence:.2f}.')",
        "Predicted action 'action_submit' with confidence 0.98.",
    ),
    ("log.debug(\"Calling action endpoint to run action '{}'.\".format(action.name()))", "run action 'action_submit'."),
    (
        "log.debug(f\"The execution of '{ACTION}' resulted in these events: {events_as_str}.\")",
        "The execution of 'action_extract_slots' resulted in these events: [withheld].",
    ),
    ("log.debug(f\"Request next slot '{slot_name}'\")", "Request next slot 'email'"),
    ("log.error(exception.message)", "[withheld: exception.message]"),
    ("log.error(e)", "ValueError: [withheld]"),
    ("log.error(f'Could not load model due to {e}.')", "Could not load model due to [withheld]."),
    (
        "log.debug('Requesting NLG for {} from {}.'\n    'The request body is {}.'.format(utter_action, url, body))",
        "Requesting NLG for utter_ask_email from http://localhost:5055/webhook.The request body is [withheld].",
    ),
    ("log.info(f'Registered function for \\'{name}\\'.')", "Registered function for 'action_submit'."),
    ("log.debug(f\"Contents of ignored event: '{event}'\")", "Contents of ignored event: '[withheld]'"),
    ("log.exception('Exception occurred while handling uri: %s', uri)", "while handling uri: http://localhost:5005/"),
    ('log.info(\'Added job "%s" to job store "%s"\', job, store)', 'Added job "[withheld]" to job store'),
    ("log.error('Value ' + text + ' is wrong')", "Value [withheld] is wrong"),
    ("log.error('%(text)s is wrong', {'text': text})", "[withheld] is wrong"),
    ("log.info('%s of %s', text)", "[arguments withheld]"),
    ("log.info({'text': text})", "[withheld]"),
    ("log.info(text)", "[withheld: text]"),
    ("log.info(unprintable)", "could not be scrubbed"),
    ("note = f'Saved {text} at last'\nlog.info(note)", "Saved [withheld] at last"),
    ("log.info('Yes' if text else f'No {text}')", "Yes"),
    ("log.log(30, 'Server %s waits %s seconds', text, seconds)", "Server [withheld] waits 5 seconds"),
    ("log.info('Starting Rasa server on %s', server_url)", "Starting Rasa server on http://0.0.0.0:5005"),
]


class Unprintable:
    """A value whose printing fails with the value in the message."""

    def __str__(self) -> str:
        raise ValueError(MARK)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """Install the scrubbing for one test, with a DEBUG handler at the root; give what was logged."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    level, factory = root.level, logging.getLogRecordFactory()
    for owner, name in ((logging.Logger, "makeRecord"), (warnings, "showwarning"), (sys, "excepthook")):
        monkeypatch.setattr(owner, name, getattr(owner, name))
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    monkeypatch.setattr(log_structlog, "hook_structlog", lambda: None)
    monkeypatch.setattr(log_scrubbing, "hook_structlog", lambda: None)
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    log_scrubbing.install()
    log_scrubbing.allow(["email", "lead_form", "action_submit"])
    yield out.getvalue
    root.removeHandler(handler)
    root.setLevel(level)
    logging.setLogRecordFactory(factory)


@pytest.fixture
def foreign(tmp_path: Path) -> Callable[[str], types.ModuleType]:
    """Return a function that runs statements as a module of somebody else, with personal values in its names."""

    def run(code: str, **names: Any) -> types.ModuleType:
        path = tmp_path / f"foreign_{len(list(tmp_path.iterdir()))}.py"
        path.write_text(code, encoding="utf-8")
        spec = importlib.util.spec_from_file_location("foreign", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        module.__dict__.update(personal_names() | names)
        spec.loader.exec_module(module)
        return module

    return run


def personal_names() -> dict[str, Any]:
    """Return the names that the statements use, with the marks in them."""
    error = ValueError(f"bad value {MARK}")
    return {
        "log": logging.getLogger("rasa.core.processor"),
        "tracker": types.SimpleNamespace(sender_id=MARK),
        "action": types.SimpleNamespace(name=lambda: "action_submit"),
        "prediction": types.SimpleNamespace(max_confidence=0.9812),
        "exception": types.SimpleNamespace(message=f"rejected {MARK}"),
        "slot_candidates": {"email": EMAIL, "age": NUMBER},
        "events_as_str": f"SlotSet(key: email, value: {EMAIL})",
        "event": {"event": "slot", "value": NUMBER},
        "body": {"text": MARK, "number": NUMBER},
        "uri": f"http://localhost:5005/conversations/{MARK}/tracker?number={NUMBER}",
        "job": f"remind__{MARK}",
        "conversation_id": NUMBER,
        "sender_id": EMAIL,
        "text": MARK,
        "e": error,
        "ACTION": "action_extract_slots",
        "slot_name": "email",
        "utter_action": "utter_ask_email",
        "url": "http://localhost:5055/webhook",
        "server_url": "http://0.0.0.0:5005",
        "name": "action_submit",
        "store": "default",
        "seconds": 5,
        "unprintable": Unprintable(),
    }


def assert_unmarked(text: str) -> None:
    """Fail if any of the marks is in the text."""
    assert not [mark for mark in ALL_MARKS if mark in text], text


@pytest.mark.parametrize(("statement", "readable"), STATEMENTS)
def test_log_statement_keeps_its_wording_and_loses_its_values(
    lines: Callable[[], str], foreign: Callable[[str], types.ModuleType], statement: str, readable: str
) -> None:
    """A line as Rasa writes it says what happened, and not to whom."""
    foreign(statement)
    assert_unmarked(lines())
    assert readable in lines()
    assert "rasa.core.processor" in lines()


def test_marks_are_found_where_nothing_scrubs() -> None:
    """The check itself fails on a line that carries a mark, so that the other tests can fail."""
    with pytest.raises(AssertionError):
        assert_unmarked(f"Starting a new session for conversation ID '{MARK}'.")


def test_traceback_keeps_types_and_places_without_messages_or_values(
    lines: Callable[[], str], foreign: Callable[[str], types.ModuleType]
) -> None:
    """Nested exceptions are shown with their types, causes and functions; their messages are withheld."""
    foreign(
        "def look_up():\n"
        "    try:\n"
        "        {}[text]\n"
        "    except KeyError as missing:\n"
        "        raise RuntimeError(f'no {text}') from missing\n"
        "try:\n"
        "    look_up()\n"
        "except RuntimeError:\n"
        "    log.exception('Encountered an exception while running action.')\n"
    )
    assert_unmarked(lines())
    for wanted in ("KeyError: [withheld]", "RuntimeError: [withheld]", "in look_up", "direct cause", "while running"):
        assert wanted in lines()


def test_traceback_as_a_message_is_written_without_messages(
    lines: Callable[[], str], foreign: Callable[[str], types.ModuleType]
) -> None:
    """`logger.debug(traceback.format_exc())`, which Rasa's server uses, keeps the types and places."""
    foreign(
        "import traceback\n"
        "try:\n"
        "    raise ValueError(text)\n"
        "except ValueError:\n"
        "    log.debug(traceback.format_exc())\n"
    )
    assert_unmarked(lines())
    assert "ValueError: [withheld]" in lines()


def test_exc_info_that_handlers_read_has_type_but_neither_message_nor_frames(
    lines: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handler that formats `record.exc_info` by itself, or walks its frames for locals, finds nothing personal."""
    seen: list[logging.LogRecord] = []
    logger = logging.getLogger("some.library")
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", seen.append)
    logger.addHandler(handler)
    logger.error("Failed", exc_info=LookupError(MARK))
    logger.removeHandler(handler)
    assert seen[0].exc_info is not None
    kind, value, frames = seen[0].exc_info
    assert kind is not None
    assert (kind.__name__, str(value), frames) == ("LookupError", "[withheld]", None)
    assert_unmarked(lines())


def test_own_errors_and_system_errors_keep_their_messages(lines: Callable[[], str]) -> None:
    """What says how to mend the configuration is not lost, nor why a port cannot be opened."""
    logger = logging.getLogger("rasa.core.run")
    logger.error("Cannot start", exc_info=PolicyError("privacy.yml:14:7: purpose 'prize_draw' uses item 'emali'"))
    logger.error("Cannot listen", exc_info=OSError(98, MARK, EMAIL))
    assert "PolicyError: privacy.yml:14:7: purpose 'prize_draw' uses item 'emali'" in lines()
    assert "[Errno 98] " in lines()
    assert_unmarked(lines())


def test_extra_attributes_are_scrubbed_as_in_an_access_log(lines: Callable[[], str]) -> None:
    """Sanic's access line, which is made of `extra` alone, keeps method, route and status."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logging.Formatter("[%(host)s]: %(request)s %(message)s %(status)d %(byte)d %(who)s"))
    logger = logging.getLogger("sanic.access")
    logger.addHandler(handler)
    url = f"GET http://localhost:5005/conversations/{MARK}/tracker?include={EMAIL}"
    logger.info("", extra={"request": url, "host": "203.0.113.9:41", "status": 200, "byte": 17, "who": [EMAIL]})
    logger.removeHandler(handler)
    line = "GET http://localhost:5005/conversations/[withheld]/tracker?[withheld]  200 17 [1 str]"
    assert out.getvalue() == f"[[withheld]]: {line}\n"
    assert_unmarked(lines())


def test_own_loggers_lose_only_remembered_values(lines: Callable[[], str]) -> None:
    """Our own lines are trusted, but a value that is in flight is withheld from them, and so is each of its words."""
    log_scrubbing.remember(f"I am {MARK} from Elmhurst", {"slot": [EMAIL]}, NUMBER)
    logger = logging.getLogger("rasa_privacy.components.tracker_store")
    logger.info("%s saved with %s segments from %s", "Conversation", 3, f"near ELMHURST, {EMAIL}")
    assert "Conversation saved with 3 segments from near [withheld], [withheld]" in lines()
    assert_unmarked(lines())


def test_remembered_value_is_withheld_although_the_vocabulary_allows_it(
    lines: Callable[[], str], foreign: Callable[..., types.ModuleType]
) -> None:
    """A person who types the name of an action has typed a message, for as long as it is remembered."""
    log_scrubbing.allow(["lead_extra_form"])
    foreign("log.info('Chose %s', choice)", choice="lead_extra_form")
    log_scrubbing.remember("lead_extra_form")
    foreign("log.info('Chose %s', choice)", choice="lead_extra_form")
    assert lines().splitlines()[-2:] == [
        "INFO rasa.core.processor Chose lead_extra_form",
        "INFO rasa.core.processor Chose [withheld]",
    ]


def test_line_without_readable_source_is_withheld(lines: Callable[[], str]) -> None:
    """Code that was made by `exec` has no source to compare with, so nothing of its lines is shown."""
    exec(compile("log.info(f'Hello {text}')", "<made up>", "exec"), personal_names())  # noqa: S102 - the case tested
    assert lines().splitlines()[-1] == "INFO rasa.core.processor [withheld]"


def test_literals_inside_a_value_do_not_let_the_rest_through(
    lines: Callable[[], str], foreign: Callable[..., types.ModuleType]
) -> None:
    """A person who writes words of the template cannot move their own words into its literals."""
    text = f"x' and then '{MARK}' and then '"
    foreign("log.info(f\"First '{text}' and then '{text}' ended\")", text=text)
    assert_unmarked(lines())
    assert "First '[withheld]' and then '[withheld]' ended" in lines()


def test_warnings_and_uncaught_exceptions_reach_stderr_scrubbed(
    lines: Callable[[], str], foreign: Callable[[str], types.ModuleType], capsys: pytest.CaptureFixture[str]
) -> None:
    """What Python itself prints on stderr is under the same rules as a log line."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.showwarning = log_scrubbing._scrubbing_showwarning(warnings.showwarning)
        foreign("import warnings\nwarnings.warn(f'Invalid entity specification: {text}. Assuming none.')")
    error = ValueError(MARK)
    sys.excepthook(ValueError, error, None)
    thread = threading.Thread(target=lambda: personal_names()[MARK], name="worker")
    threading.excepthook(threading.ExceptHookArgs((ValueError, error, None, thread)))
    printed = capsys.readouterr().err
    assert_unmarked(printed + lines())
    assert [str(warning.message) for warning in caught] == ["Invalid entity specification: [withheld]. Assuming none."]
    assert printed.count("ValueError: [withheld]") == 2


def _fail() -> None:
    raise StorageError("c.db: the disk is full; free it")


def test_an_error_of_ours_that_ends_the_process_is_its_message(
    lines: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    """It says place, cause and remedy; a traceback before it would hide that."""
    with pytest.raises(StorageError) as caught:
        _fail()
    assert caught.value.__traceback__ is not None
    sys.excepthook(StorageError, caught.value, caught.value.__traceback__)
    assert capsys.readouterr().err == "rasa_privacy.errors.StorageError: c.db: the disk is full; free it\n"
    assert not lines()


def test_installing_twice_changes_nothing(lines: Callable[[], str]) -> None:
    """The Rasa process installs from several components; the second time has no effect."""
    factory, make_record = logging.getLogRecordFactory(), logging.Logger.makeRecord
    log_scrubbing.install()
    assert logging.getLogRecordFactory() is factory
    assert logging.Logger.makeRecord is make_record
    assert lines() is not None


def test_registry_forgets_the_oldest_values_when_it_is_full() -> None:
    """The registry is bounded: two generations of values, then the oldest are gone."""
    registry = log_registry.Registry(limit=10)
    registry.remember(MARK)
    registry.remember(*(f"filler{index}" for index in range(30)))
    assert not registry.knows(MARK)
    assert registry.knows("filler29")


def test_registry_keeps_no_readable_copy_of_what_it_protects() -> None:
    """A dump of the registry shows hashes, no values."""
    registry = log_registry.Registry()
    registry.remember(f"I am {MARK}")
    assert_unmarked(repr(registry._young.__dict__))


def test_short_words_are_withheld_only_inside_their_whole_value() -> None:
    """`Li` alone is too common to withhold, but not after the first name it was remembered with."""
    registry = log_registry.Registry()
    registry.remember("Bo Li")
    assert registry.withhold("Bo-Li met Li") == "[withheld] met Li"


def test_many_threads_may_remember_and_log_at_once(lines: Callable[[], str]) -> None:
    """Concurrent use neither raises nor shows a value."""
    logger = logging.getLogger("rasa_privacy.test")

    def work(index: int) -> None:
        for turn in range(200):
            log_scrubbing.remember(f"secretword{index}x{turn}")
            logger.info("Saw %s", f"secretword{index}x{turn}")

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "secretword" not in lines()
